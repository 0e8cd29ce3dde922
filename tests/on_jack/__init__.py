"""Playing on real JACK servers, faults included."""
