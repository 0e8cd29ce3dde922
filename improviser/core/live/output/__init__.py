"""What sounds at our output: who owns each note, when it starts, and what ends it, whatever dies."""
