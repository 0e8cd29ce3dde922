"""MIDI as data: events, files as bytes, tempo, clock; no ports and no disk."""
