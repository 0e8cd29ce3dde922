"""Live playing: the performer, its modes and voices, and what a session looks like."""
