"""Tests of `core/harmony`."""
