"""Tests of `recordings`."""
