"""What pitches are called, and where they lie on a keyboard."""

NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
OFF, AUTO = "off", "auto"
"""What a scale is called that keeps to nothing, and the one of the key that is heard."""

BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
"""The pitch classes of a keyboard's black keys."""


def pitch_name(pitch: int) -> str:
    """Return the name of a pitch: "C4" for 60."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def key_name(tonic: int, *, minor: bool) -> str:
    """Return a key as text, its tonic 0–11: "E♭ major"."""
    usual = {(1, False): "D♭", (8, True): "G♯"}.get((tonic, minor), NAMES[tonic])
    return f"{usual} {'minor' if minor else 'major'}"


def in_midi(pitch: int) -> int:
    """Return `pitch`, moved by octaves into MIDI's range."""
    return pitch % 12 if pitch < 0 else pitch if pitch < 128 else 116 + (pitch - 116) % 12
