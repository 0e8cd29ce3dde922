"""Guards against what comes back: our own notes, and what other improvisers make of them."""
