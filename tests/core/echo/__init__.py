"""Tests of the original experiment's networks."""
