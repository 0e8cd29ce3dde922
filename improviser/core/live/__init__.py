"""Live playing: the performer, what it is made of (a folder each), and what a session looks like."""
