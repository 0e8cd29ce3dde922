"""Answers: which parts play, what they think of what may come, and which pitches are drawn."""
