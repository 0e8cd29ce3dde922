"""Tests on ALSA's real sequencer; where this machine's kernel has none, `guest.py` runs them in a virtual machine."""
