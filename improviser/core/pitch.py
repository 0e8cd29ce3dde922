"""What pitches are called, and where they lie on a keyboard."""

NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
"""The pitch classes of a keyboard's black keys."""


def pitch_name(pitch: int) -> str:
    """Return the name of a pitch: "C4" for 60."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"
