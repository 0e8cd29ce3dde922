"""Tests of selection, mutation and the strategies."""
