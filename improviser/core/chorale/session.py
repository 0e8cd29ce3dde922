"""One session of a chorale: three parts that answer a soprano, and how their combination is chosen.

Each part has its own network, which hears the soprano and its own past, and proposes the pitches it finds likeliest. Of
all combinations of these, one is drawn, by what the parts say and by the terms that the voices have together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.phrase_ends import PhraseEnds
from improviser.core.chorale.terms import Place, end_class
from improviser.core.music.keys import likeliest_key
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.note import PITCHES
from improviser.core.music.rhythm import Moment
from improviser.core.networks.responder import LogProbabilities

if TYPE_CHECKING:
    from improviser.core.chorale.model import ChoraleModel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PARTS = ("alto", "tenor", "bass")
DOUBT = 0.02
"""The probability, where bits are counted, that the parts draw each by itself: so nothing is impossible."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinions:
    """What the parts think of a note, each by itself.

    :param tune: the soprano's pitch.
    :param logs: log-probabilities of each part, alto first, shape (3, 128).
    :param place: what else is known.
    """

    tune: int
    logs: FloatArray
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Combinations:
    """Combinations to choose among.

    :param pitches: the pitches of each part, shape (3, k).
    :param scores: of each combination, shape (k³,): the alto's pitch varies slowest.
    """

    pitches: IntArray
    scores: FloatArray

    def pitches_of(self, number: int) -> tuple[int, int, int]:
        """Return the pitches of the combination with that number, alto first."""
        count = self.pitches.shape[1]
        alto, rest = divmod(number, count * count)
        tenor, bass = divmod(rest, count)
        return int(self.pitches[0, alto]), int(self.pitches[1, tenor]), int(self.pitches[2, bass])


class ChoraleSession:
    """Hears a soprano, proposes, and learns what was played; bounded, whatever its length."""

    def __init__(self, model: "ChoraleModel") -> None:
        self._model = model
        self._parts = [part.responder() for part in model.parts]
        self._keys = ModulatingKeys()
        self._ends = PhraseEnds(model.ends)
        self._before: tuple[int, ...] | None = None

    def moment(self, onset_seconds: float) -> tuple[Moment, ...]:
        """Return all that matters of an onset to the networks."""
        return self._parts[0].moment(onset_seconds), self._ends.moment(onset_seconds)

    def look(self, pitch: int, onset_seconds: float) -> Opinions:
        """Return what the parts think of the soprano's `pitch` that starts now; changes nothing."""
        logs = np.stack([part.propose(pitch, onset_seconds) for part in self._parts])
        logs -= logs.max(axis=1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
        return Opinions(pitch, logs, self.place(pitch, onset_seconds))

    def place(self, pitch: int, onset_seconds: float) -> Place:
        """Return what else is known when the soprano's `pitch` starts now."""
        moment = self._parts[0].moment(onset_seconds)
        tonic, minor = likeliest_key(self._keys.look(pitch, moment)[1])
        ends = self._ends.look((pitch - tonic) % 12, self._step(pitch), onset_seconds)
        gap = moment.gap_class
        return Place(
            tonic=tonic,
            minor=minor > 0.5,
            beat=moment.beat_class,
            gap=5 if gap is None else gap,
            end=end_class(ends),
            before=self._before,
        )

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of a note drawn by lot from the chord to `pitch`; changes nothing."""
        logs: LogProbabilities = np.log(marginals(self._model, self.look(pitch, onset_seconds)).mean(axis=0))
        return logs

    def reset(self) -> None:
        """Forget the session."""
        self.__init__(self._model)  # type: ignore[misc]

    def learn(self, pitch: int, onset_seconds: float, played: int | Sequence[int | None] | None) -> None:
        """Take in the soprano's note, and what the parts played with it, alto first (None: they rest).

        A pitch alone is the bass's.
        """
        if isinstance(played, int):
            played = (None, None, played)
        moment = self._parts[0].moment(onset_seconds)
        tonic, _ = likeliest_key(self._keys.look(pitch, moment)[1])
        self._ends.hear((pitch - tonic) % 12, self._step(pitch), onset_seconds)
        self._keys.hear_player(pitch, moment)
        pitches = (None,) * len(self._parts) if played is None else tuple(played)
        for part, own in zip(self._parts, pitches, strict=True):
            part.learn(pitch, onset_seconds, own)
            if own is not None:
                self._keys.hear(own)
        sounding = [own for own in pitches if own is not None]
        if len(sounding) == len(self._parts):
            self._before = (pitch, *sounding)
        elif self._before is not None:  # who rests stays where he was
            kept = zip(pitches, self._before[1:], strict=True)
            self._before = (pitch, *(last if own is None else own for own, last in kept))

    def _step(self, pitch: int) -> int:
        return 0 if self._before is None else pitch - self._before[0]


def likeliest(logs: FloatArray, count: int) -> IntArray:
    """Return the `count` likeliest pitches of each part, shape (3, count)."""
    return np.argpartition(logs, PITCHES - count, axis=1)[:, PITCHES - count :]


def combine(model: "ChoraleModel", opinions: Opinions, pitches: IntArray) -> Combinations:
    """Score all combinations of these pitches, shape (3, k), log-probabilities up to a constant."""
    count = pitches.shape[1]
    four = np.empty((4, count), np.int64)
    four[0], four[1:] = opinions.tune, pitches
    terms = model.terms
    of_pairs = np.empty((len(terms.pair_kinds), 6, count, count), np.int64)
    terms.of_pairs(four, opinions.place, of_pairs)
    of_chords = np.empty((len(terms.chord_kinds), count, count, count), np.int64)
    terms.of_chords(four, opinions.place, of_chords)
    pairs = model.numbers.take(of_pairs).sum(axis=0)
    scores = model.numbers.take(of_chords).sum(axis=0)
    own = model.weights[:, None] * np.take_along_axis(opinions.logs, pitches, axis=1)
    own += pairs[:3, 0]
    scores += (own[0][:, None] + pairs[3])[:, :, None]
    scores += (own[1][:, None] + pairs[5])[None]
    scores += (own[2] + pairs[4])[:, None, :]
    return Combinations(pitches, scores.reshape(-1))


def normalised(scores: FloatArray) -> LogProbabilities:
    """Return scores as log-probabilities."""
    logs = scores - scores.max()
    logs -= np.log(np.exp(logs).sum())
    return logs


def marginals(model: "ChoraleModel", opinions: Opinions) -> FloatArray:
    """Return the probability of each pitch for each part, chosen together, shape (3, 128); rows sum to 1."""
    found = combine(model, opinions, likeliest(opinions.logs, model.candidates))
    chances = np.exp(normalised(found.scores)).reshape((model.candidates,) * 3)
    shares = np.stack([chances.sum(axis=(1, 2)), chances.sum(axis=(0, 2)), chances.sum(axis=(0, 1))])
    rows = DOUBT * np.exp(opinions.logs)
    np.put_along_axis(
        rows, found.pitches, np.take_along_axis(rows, found.pitches, axis=1) + (1 - DOUBT) * shares, axis=1
    )
    return rows / rows.sum(axis=1, keepdims=True)
