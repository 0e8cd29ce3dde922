"""What one sees and hears: terminal, pictures, sound."""
