"""Replies to phrases: their rhythm and their evolution."""
