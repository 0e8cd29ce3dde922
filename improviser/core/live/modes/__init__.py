"""The modes: one file each, and a registry of them all."""
