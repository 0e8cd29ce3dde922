"""Tests of `core/melody`."""
