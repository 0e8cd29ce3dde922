"""The left hand of a reply: the player's own figures, moved along the scale to where they go with the reply's tune."""

from collections.abc import Sequence

from improviser.core.music.counterpoint import CONSONANT
from improviser.core.music.note import PITCHES
from improviser.core.music.phrase import CHORD_SECONDS, Heard, Phrase

SHARE = 0.3
"""Two hands have played where so much of what is low sounds together with something high."""
SHIFTS = (0, -1, 1, -2, 2, -3, 3)
"""Steps of the scale by which a figure may be moved, the most welcome first."""
CLASH, WHOLE_TONE, BELONGS, STEP = -4.0, -1.5, 1.0, -0.3
"""What a shift is worth: for a semitone or tritone between the tune and the harmony, a whole tone, a note of the tune
that belongs to the harmony, each step."""
HARMONY_SECONDS = 0.8
SPAN, CLOSE = 12, 7
"""Semitones that the left hand spans where it reaches beyond the border, and between two of its notes there."""
LOWEST_INVERSION = 48
"""What goes below the tune is moved down by octaves, but no lower than this: close chords are muddy there."""


def hands_of(phrase: Phrase, border: float) -> tuple[list[Heard], list[Heard]]:
    """Return the right hand's notes and the left hand's; one line alone is the right hand's, however low."""
    low = [heard for heard in phrase.notes if heard.note.pitch < border]
    high = [heard for heard in phrase.notes if heard.note.pitch >= border]
    together = sum(any(_overlap(one, other, phrase.end_seconds) for other in high) for one in low)
    if not low or together < SHARE * len(low):
        return list(phrase.notes), []
    across = _reached(phrase, border)
    if not across:
        return high, low
    right = [heard for heard in high if id(heard) not in across]
    return right, [heard for heard in phrase.notes if heard.note.pitch < border or id(heard) in across]


def _reached(phrase: Phrase, border: float) -> set[int]:
    """Return the notes (by identity) above the border that the left hand strikes.

    They are a part of a close chord, and the tune sounds above them, or is farther away from them than the rest of the
    chord is; or they begin far below the tune while that sounds on, as the upper notes of a tremolo do.
    """
    found: set[int] = set()
    tune: int | None = None
    sounding: list[Heard] = []
    for struck in figures(phrase.notes):
        onset = struck[0].onset_seconds
        sounding = [heard for heard in sounding if heard.end_seconds is None or heard.end_seconds > onset]
        ordered = sorted(struck, key=lambda heard: heard.note.pitch)
        top = max(heard.note.pitch for heard in (*sounding, *ordered))
        lowest = before = ordered[0].note.pitch
        over = [
            heard for heard in sounding if heard.end_seconds is None or heard.end_seconds - onset > CHORD_SECONDS / 2
        ]
        cover = max((heard.note.pitch for heard in over), default=0)
        for heard in ordered:
            pitch = heard.note.pitch
            if pitch >= border and ordered[-1].note.pitch < cover - CLOSE:
                found.add(id(heard))
                continue
            if pitch >= border and before < border + CLOSE:
                reached = lowest < border and pitch - lowest <= SPAN and pitch - before <= CLOSE
                if not reached or not (pitch < top or (tune is not None and pitch - before < abs(tune - pitch))):
                    break
                found.add(id(heard))
            before = pitch
        right = [heard for heard in ordered if heard.note.pitch >= border and id(heard) not in found]
        if right:
            tune = right[-1].note.pitch
        sounding += right
    return found


def _overlap(one: Heard, other: Heard, end: float) -> bool:
    ends = min(end if heard.end_seconds is None else heard.end_seconds for heard in (one, other))
    return ends - max(one.onset_seconds, other.onset_seconds) > CHORD_SECONDS / 2


def figures(left: Sequence[Heard]) -> list[list[Heard]]:
    """Return the left hand's notes, those that were struck together in one list."""
    struck: list[list[Heard]] = []
    for heard in left:
        if struck and heard.onset_seconds - struck[-1][0].onset_seconds < CHORD_SECONDS:
            struck[-1].append(heard)
        else:
            struck.append([heard])
    return struck


def harmony_at(left: Sequence[Heard], seconds: float) -> tuple[int, ...]:
    """Return the pitches that the left hand strikes about a time: what its figure there is a part of."""
    return tuple(heard.note.pitch for heard in left if -0.01 <= heard.onset_seconds - seconds < HARMONY_SECONDS)


def moved(figure: Sequence[int], harmony: Sequence[int], tune: int, scale: frozenset[int]) -> list[int]:
    """Return a figure's pitches moved along a scale (pitch classes) to where they go with a note of the tune.

    :param harmony: the pitches that tell what the figure is a part of.
    """
    steps = [pitch for pitch in range(PITCHES) if pitch % 12 in scale]

    def worth(shift: int) -> float:
        classes = {pitch % 12 for pitch in _along(harmony, shift, steps)}
        intervals = [(tune - each) % 12 for each in classes]
        clashes = sum(interval in (1, 6, 11) for interval in intervals)
        tones = sum(interval not in CONSONANT and interval not in (1, 5, 6, 11) for interval in intervals)
        return CLASH * clashes + WHOLE_TONE * tones + BELONGS * (tune % 12 in classes) + STEP * abs(shift)

    return _below(tune, _along(figure, max(SHIFTS, key=worth), steps))


def _below(tune: int, pitches: Sequence[int]) -> list[int]:
    """Return pitches below the tune: those that are not, octaves lower, if that is not too low."""
    lower = [pitch - 12 * max(0, (pitch - tune) // 12 + 1) for pitch in pitches]
    return sorted({low for low, pitch in zip(lower, pitches, strict=True) if low == pitch or low >= LOWEST_INVERSION})


def _along(pitches: Sequence[int], shift: int, scale: Sequence[int]) -> list[int]:
    """Return pitches moved by steps of a scale; what is between its steps goes with the one below."""
    if not shift:
        return list(pitches)
    found = []
    for pitch in pitches:
        place = max(place for place in range(-1, len(scale)) if place < 0 or scale[place] <= pitch)
        place = min(len(scale) - 1, max(0, place + shift))
        found.append(scale[place])
    return found
