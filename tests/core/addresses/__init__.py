"""Tests of `core/addresses`."""
