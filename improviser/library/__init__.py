"""Model files: bundled, the user's own, and those of the original program."""
