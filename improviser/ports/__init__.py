"""MIDI systems behind one seam: JACK, and through RtMidi ALSA, CoreMIDI and WinMM; and ports without any."""
