"""The tasks: what a network can be evolved to do, one descriptor each, and a registry of them all."""
