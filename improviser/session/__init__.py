"""A live session around the engine: who plays, what is shown, what is kept."""
