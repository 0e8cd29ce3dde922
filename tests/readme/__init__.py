"""The README, run: every block of it, as it stands there."""
