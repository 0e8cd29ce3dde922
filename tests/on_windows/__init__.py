"""Tests of the whole program on Windows: the real one, or Wine with a Windows Python (see `wine`)."""
