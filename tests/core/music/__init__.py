"""Tests of `core/music`."""
