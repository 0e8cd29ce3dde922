"""What the player does: keys, chords, hands, pedals, knobs, pulse, votes."""
