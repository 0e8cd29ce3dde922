"""Bounds of what is rendered. Imports nothing: `--help` shows them."""

LONGEST_TAIL = 3600.0
"""How many seconds a session may go on behind the last note."""
