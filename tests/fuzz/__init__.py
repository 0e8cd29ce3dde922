"""Fuzzers: damaged and hostile input of each kind, many times over, always the same for the same seed and number."""
