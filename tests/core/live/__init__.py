"""Tests of `core/live`."""
