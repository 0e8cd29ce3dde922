"""The process on the note path, its protocol, its handle, and the supervisor that keeps one playing."""
