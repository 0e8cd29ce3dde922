"""Music: notes, pieces, scales, keys, rhythm and phrases."""
