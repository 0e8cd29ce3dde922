"""Tests of selection, mutation, crossover and the strategies."""
