"""Tests of `core/midi`."""
