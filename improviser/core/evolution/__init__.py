"""Evolution: strategies that ask for fitness and are told it."""
