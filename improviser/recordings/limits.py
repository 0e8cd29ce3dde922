"""Limits of rendering. Imports nothing, since `--help` shows them and must be fast."""

LONGEST_TAIL = 3600.0
"""How many seconds a session may go on behind the last note."""
