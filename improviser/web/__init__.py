"""The page of a session: what the daemon serves to browsers."""
