"""Tests on a newer Debian than this machine's: newer Python, JACK, PipeWire, mosquitto, FluidSynth."""
