"""What is heard of a reply to two hands: its tune, and between the tune's notes the left hand's highest."""

from collections.abc import Callable, Sequence

from improviser.core.live.answering.left_hand import moved
from improviser.core.live.replying.reply import Beat
from improviser.core.music.phrase import CHORD_SECONDS, Phrase
from improviser.core.replies.brief import Surface
from improviser.core.replies.line import steps_of
from improviser.core.replies.vocabulary import FIGURE, grams

Figure = tuple[tuple[int, ...], tuple[int, ...]]
"""Pitches that the left hand strikes together, and the pitches of the chord that they belong to."""


def surface_of(beats: Sequence[Beat], phrases: Sequence[Phrase], scale: frozenset[int]) -> Surface:
    """Return what is heard of tunes that are played in the rhythm of these beats, and the figures of the player's.

    :param phrases: the player's last ones.
    :param scale: pitch classes along which the left hand moves to where it goes with the tune.
    """
    said = [[heard.note.pitch for heard in phrase.melody()] for phrase in phrases]
    figures = frozenset(figure for pitches in said for figure in grams(steps_of(pitches), FIGURE))
    return Surface(_hearing(_rows(beats), scale), figures)


def _rows(beats: Sequence[Beat]) -> list[int | Figure]:
    """Return what is heard, one after the other: the place of a note of the tune, or a figure of the left hand's."""
    rows: list[int | Figure] = []
    onset, place = -1.0, 0
    for beat in beats:
        together = bool(rows) and beat.onset_seconds - onset < CHORD_SECONDS
        if not beat.figure:
            if together and not isinstance(rows[-1], int):
                rows.pop()
            rows.append(place)
            place += 1
        elif place and not together:
            rows.append((beat.figure, beat.harmony))
        else:
            continue
        if not together:
            onset = beat.onset_seconds
    return rows


def _hearing(rows: Sequence[int | Figure], scale: frozenset[int]) -> Callable[[tuple[int, ...]], list[int]]:
    """Return a function that returns what is heard of a tune's pitches."""
    known: dict[tuple[Figure, int], int | None] = {}

    def highest(figure: Figure, tune: int) -> int | None:
        key = figure, tune
        if key not in known:
            known[key] = max(moved(*figure, tune, scale), default=None)
        return known[key]

    def hear(pitches: tuple[int, ...]) -> list[int]:
        heard: list[int] = []
        tune = pitches[0]
        for row in rows:
            if isinstance(row, int):
                tune = pitches[row]
                heard.append(tune)
            elif (high := highest(row, tune)) is not None:
                heard.append(high)
        return heard

    return hear
