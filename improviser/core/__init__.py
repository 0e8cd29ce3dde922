"""The pure core: music, networks, evolution and the live state machine; no I/O, no clock, no global randomness."""
