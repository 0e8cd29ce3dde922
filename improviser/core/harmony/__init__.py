"""The task `harmony`: a voice that answers each note of the player's."""
