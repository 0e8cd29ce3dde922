"""The information level "score": what a melody's session adds to live play when a score lies before it.

Key signature and mode, the place in the bar of the note to predict, and the fermatas on the notes before it (not its
duration). Only the benchmark uses this, to be comparable with the literature; no model that is played does.
"""

from dataclasses import dataclass, fields

from improviser.core.melody.session import VIEWPOINTS as LIVE
from improviser.core.melody.session import Melody, Situation
from improviser.core.music.piece import ScoreContext
from improviser.core.networks.viewpoints import Choice, Numbers

MANY = 15


@dataclass(slots=True)
class ScoreSituation(Situation):
    """A live situation and what the score says.

    :param bar_quarters: distance from the bar line.
    :param bar_length_quarters: length of the bar.
    :param after_fermata: notes since the last fermata (0: it is on the note before), None where there was none yet.
    :param first_after_fermata: pitch of the first note after the last fermata.
    """

    bar_quarters: float = 0.0
    bar_length_quarters: float = 4.0
    after_fermata: int | None = None
    first_after_fermata: int | None = None


class ScoreMelody(Melody):
    """A session of a melody whose score is known."""

    def __init__(self, low: int, high: int, context: ScoreContext) -> None:
        self._context = context
        self._index = 0
        self._after: int | None = None
        self._first: int | None = None
        super().__init__(low, high)

    def look(self, onset_seconds: float, against: int | None = None) -> ScoreSituation:
        """Return the situation of a note that starts now."""
        live = super().look(onset_seconds, against)
        values = {one.name: getattr(live, one.name) for one in fields(Situation)}
        context = self._context
        # As in live play, a minor key is counted with its relative major.
        values["tonic"] = context.sharps * 7 % 12
        values["minor"] = float(context.minor)
        values["tonics"] = [1.0, *[0.0] * 11]
        index = min(self._index, len(context.bar_quarters) - 1)
        return ScoreSituation(
            **values,
            bar_quarters=context.bar_quarters[index],
            bar_length_quarters=context.bar_length_quarters[index],
            after_fermata=self._after,
            first_after_fermata=None if self._after == 0 else self._first,
        )

    def learn(self, pitch: int, onset_seconds: float) -> None:
        """Take in the melody's note."""
        super().learn(pitch, onset_seconds)
        if self._after == 0 or self._index == 0:
            self._first = pitch
        if self._context.fermatas[self._index]:
            self._after = 0
        elif self._after is not None:
            self._after = min(self._after + 1, MANY)
        self._index += 1


def _bar(now: Situation) -> int:
    if not isinstance(now, ScoreSituation):
        raise TypeError("this viewpoint needs a score")
    steps = round(4 * now.bar_quarters)
    place = steps // 4 if steps % 4 == 0 else 4 + steps // 4 if steps % 4 == 2 else 8
    return place + (9 if now.bar_length_quarters == 3.0 else 0)


def _after(now: Situation) -> int | None:
    if not isinstance(now, ScoreSituation):
        raise TypeError("this viewpoint needs a score")
    return None if now.after_fermata is None else (0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 9, 9, 9, 9)[now.after_fermata]


def _phrase_degree(now: Situation) -> int | None:
    if not isinstance(now, ScoreSituation):
        raise TypeError("this viewpoint needs a score")
    return None if now.first_after_fermata is None else (now.first_after_fermata - now.tonic) % 12


VIEWPOINTS: dict[str, Choice[Situation] | Numbers[Situation]] = {
    **{name: viewpoint for name, viewpoint in LIVE.items() if name != "phrase degree"},
    "bar": Choice(18, _bar),
    "after fermata": Choice(10, _after),
    "degree after fermata": Choice(12, _phrase_degree),
}
