"""The information level "score": what a session adds to live play when a score lies before it.

Key signature and mode, the place in the bar of the note to predict, and the fermatas on the melody's notes before it
(not its duration). Only the benchmarks use this, to be comparable with the literature; no model that is played does.
"""

from dataclasses import dataclass, fields
from typing import Any, Protocol

from improviser.core.harmony import session as harmony
from improviser.core.melody import session as melody
from improviser.core.music.piece import ScoreContext
from improviser.core.networks.viewpoints import Choice, Numbers

MANY = 15


class Scored(Protocol):
    """What the viewpoints of this level read."""

    tonic: int
    bar_quarters: float
    bar_length_quarters: float
    after_fermata: int | None
    first_after_fermata: int | None


@dataclass(slots=True)
class MelodySituation(melody.Situation):
    """A live situation of a melody and what the score says.

    :param bar_quarters: distance from the bar line.
    :param bar_length_quarters: length of the bar.
    :param after_fermata: notes since the last fermata (0: it is on the note before), None where there was none yet.
    :param first_after_fermata: pitch of the melody's first note after the last fermata.
    """

    bar_quarters: float = 0.0
    bar_length_quarters: float = 4.0
    after_fermata: int | None = None
    first_after_fermata: int | None = None


@dataclass(slots=True)
class HarmonySituation(harmony.Situation):
    """The same for a voice under a melody."""

    bar_quarters: float = 0.0
    bar_length_quarters: float = 4.0
    after_fermata: int | None = None
    first_after_fermata: int | None = None


class Reader:
    """Reads the score of a melody along with its notes."""

    def __init__(self, context: ScoreContext) -> None:
        self._context = context
        self._index = 0
        self._after: int | None = None
        self._first: int | None = None

    def values(self, live: Any) -> dict[str, Any]:
        """Return a live situation's values, and what the score says at the next note."""
        context = self._context
        index = min(self._index, len(context.bar_quarters) - 1)
        return {
            **{one.name: getattr(live, one.name) for one in fields(live)},
            # As in live play, a minor key is counted with its relative major.
            "tonic": context.sharps * 7 % 12,
            "minor": float(context.minor),
            "bar_quarters": context.bar_quarters[index],
            "bar_length_quarters": context.bar_length_quarters[index],
            "after_fermata": self._after,
            "first_after_fermata": None if self._after == 0 else self._first,
        }

    def turn(self, pitch: int) -> None:
        """Go on after a note."""
        if self._after == 0 or self._index == 0:
            self._first = pitch
        if self._context.fermatas[self._index]:
            self._after = 0
        elif self._after is not None:
            self._after = min(self._after + 1, MANY)
        self._index += 1


class ScoreMelody(melody.Melody):
    """A session of a melody whose score is known."""

    def __init__(self, low: int, high: int, context: ScoreContext) -> None:
        self._reader = Reader(context)
        super().__init__(low, high)

    def look(self, onset_seconds: float, against: int | None = None) -> MelodySituation:
        """Return the situation of a note that starts now."""
        values = self._reader.values(super().look(onset_seconds, against))
        return MelodySituation(**{**values, "tonics": [1.0, *[0.0] * 11]})

    def learn(self, pitch: int, onset_seconds: float) -> None:
        """Take in the melody's note."""
        super().learn(pitch, onset_seconds)
        self._reader.turn(pitch)


class ScoreAccompaniment(harmony.Accompaniment):
    """A session of a voice under a melody whose score is known."""

    def __init__(self, own: tuple[int, int], player: tuple[int, int], context: ScoreContext) -> None:
        self._reader = Reader(context)
        super().__init__(own, player)

    def look(self, pitch: int, onset_seconds: float) -> HarmonySituation:
        """Return the situation in which the player's `pitch` starts now."""
        return HarmonySituation(**self._reader.values(super().look(pitch, onset_seconds)))

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note, and the voice's own against it."""
        super().learn(pitch, onset_seconds, played)
        self._reader.turn(pitch)


def _bar(now: Scored) -> int:
    steps = round(4 * now.bar_quarters)
    place = steps // 4 if steps % 4 == 0 else 4 + steps // 4 if steps % 4 == 2 else 8
    return place + (9 if now.bar_length_quarters == 3.0 else 0)


def _after(now: Scored) -> int | None:
    return None if now.after_fermata is None else (0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 9, 9, 9, 9)[now.after_fermata]


def _phrase_degree(now: Scored) -> int | None:
    return None if now.first_after_fermata is None else (now.first_after_fermata - now.tonic) % 12


SCORED: dict[str, Choice[Any]] = {
    "bar": Choice(18, _bar),
    "after fermata": Choice(10, _after),
    "degree after fermata": Choice(12, _phrase_degree),
}
MELODY: dict[str, Choice[melody.Situation] | Numbers[melody.Situation]] = {
    **{name: viewpoint for name, viewpoint in melody.VIEWPOINTS.items() if name != "phrase degree"},
    **SCORED,
}
HARMONY: dict[str, Choice[harmony.Situation] | Numbers[harmony.Situation]] = {**harmony.VIEWPOINTS, **SCORED}
