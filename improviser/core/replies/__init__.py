"""Replies: lines that are evolved from what the player has said."""
