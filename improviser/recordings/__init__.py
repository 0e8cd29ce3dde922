"""What a session leaves on disk: logs, MIDI files, their replay, reading and rendering."""
