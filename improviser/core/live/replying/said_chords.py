"""The chords of a phrase for two hands, as replies hear them: what each is built on, and what the left hand strikes."""

from improviser.core.live.answering.left_hand import figures, hands_of
from improviser.core.music.chords import clear_root
from improviser.core.music.functional_keys import Chord, chord_of
from improviser.core.music.phrase import Phrase

BASS_NOTES = (1, 2)
"""So many notes, the left hand's, may be the bass of a chord that follows."""


def basses_of(phrase: Phrase) -> list[int]:
    """Return what each chord of a phrase is built on: its root (a pitch class) where that is clear, else its lowest."""
    basses = []
    for struck in figures(phrase.notes):
        pitches = {heard.note.pitch for heard in struck}
        classes, lowest = {pitch % 12 for pitch in pitches}, min(pitches)
        root = clear_root(sum(1 << each for each in classes), lowest % 12) if len(classes) > 2 else None
        basses.append(lowest if root is None else root)
    return basses


def left_chords_of(phrase: Phrase, border: float) -> list[Chord]:
    """Return what the left hand strikes together in a phrase; a bass note, or two, with what it strikes above them."""
    chords: list[Chord] = []
    before: list[int] = []
    for struck in figures(hands_of(phrase, border)[1]):
        pitches = [heard.note.pitch for heard in struck]
        follows = len(before) in BASS_NOTES and len(pitches) > 1 and min(before) < min(pitches)
        chords.append(chord_of([*before, *pitches] if follows else pitches))
        before = pitches
    return chords
