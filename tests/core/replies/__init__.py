"""Tests of `core/replies`."""
