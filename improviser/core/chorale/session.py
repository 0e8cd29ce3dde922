"""One session of a chorale: three parts that answer a soprano, and how their combination is chosen.

Each part has its own network, which hears the soprano and its own past, and proposes the pitches it finds likeliest. Of
all combinations of these, one is drawn, by what the parts say and by the terms that the voices have together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.phrase_ends import PhraseEnds
from improviser.core.chorale.terms import Place, end_class
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.note import PITCHES
from improviser.core.music.rhythm import Moment
from improviser.core.networks.responder import LogProbabilities

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ROWS = PITCHES * np.arange(3)[:, None]
"""Where the pitches of each part begin among those of all parts."""

DOUBT = 0.02
"""The probability, where bits are counted, that the parts draw each by itself: so nothing is impossible."""


@dataclass(frozen=True, slots=True, eq=False)
class Opinions:
    """What the parts think of a note, each by itself.

    :param tune: the soprano's pitch, in the register that the model knows.
    :param logs: log-probabilities of each part, alto first, shape (3, 128), each up to a constant.
    :param place: what else is known.
    :param pairs: how much likelier two pitches are together, of each pair of voices, shape (6, n, n): each voice's
        pitches count from its lowest.
    """

    tune: int
    logs: FloatArray
    place: Place
    pairs: NDArray[np.float32]


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

    def __init__(self, model: ChoraleVoices) -> None:
        self._model = model
        self._parts = [part.responder() for part in model.parts]
        self._keys = ModulatingKeys()
        self._ends = PhraseEnds(model.ends)
        self._before: tuple[int, ...] | None = None
        self._pairs: dict[tuple[int, bool], NDArray[np.float32]] = {}
        """The scores of pairs after what sounded before, by the tonic and the mode."""

    def moment(self, onset_seconds: float) -> tuple[Moment, tuple[int, int] | None]:
        """Return all that matters of an onset to the networks."""
        return self._parts[0].moment(onset_seconds), self._ends.moment(onset_seconds)

    def look(self, pitch: int, onset_seconds: float) -> Opinions:
        """Return what the parts think of the soprano's `pitch` that starts now; changes nothing that matters."""
        tune = self._model.tune(pitch)
        logs = np.stack([part.propose(tune, onset_seconds) for part in self._parts])
        place = self._place(tune, onset_seconds)
        return Opinions(tune, logs, place, self._pair_scores(place))

    def _pair_scores(self, place: Place) -> NDArray[np.float32]:
        """Return the scores of all pairs of pitches; most depend on the past alone, and are found before the note."""
        key = place.tonic, place.minor
        known = self._pairs.get(key)
        if known is None:
            known = self._pairs[key] = self._model.pair_scores(place)
        return known

    def _place(self, pitch: int, onset_seconds: float) -> Place:
        moment = self._parts[0].moment(onset_seconds)
        tonic, minor = self._keys.look(pitch, moment)[1]
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
        pitch = self._model.tune(pitch)
        place = self._place(pitch, onset_seconds)
        moment, tonic = self._parts[0].moment(onset_seconds), place.tonic
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
        self._keys.prepare()
        self._pairs = {}
        self._pair_scores(replace(place, before=self._before))

    def _step(self, pitch: int) -> int:
        return 0 if self._before is None else pitch - self._before[0]


def likeliest(model: ChoraleVoices, logs: FloatArray, count: int) -> IntArray:
    """Return the `count` likeliest pitches of each part within its register, shape (3, count)."""
    within = logs.take(model.registers + ROWS)
    kept = within.shape[1] - count
    found: IntArray = np.argpartition(within, kept, axis=1)[:, kept:] + model.lowest[1:, None]
    return found


def combine(model: ChoraleVoices, opinions: Opinions, pitches: IntArray) -> Combinations:
    """Score all combinations of these pitches, shape (3, k), log-probabilities up to a constant."""
    own = model.weights[:, None] * opinions.logs.take(pitches + ROWS)
    pairs, sung = opinions.pairs, opinions.tune - int(model.lowest[0])
    alto, tenor, bass = pitches - model.lowest[1:, None]
    scores = model.terms.chord_scores(model.numbers, pitches, opinions.tune, opinions.place).astype(np.float64)
    scores += ((own[0] + pairs[0, sung].take(alto))[:, None] + pairs[3][alto[:, None], tenor])[:, :, None]
    scores += (own[1] + pairs[1, sung].take(tenor))[:, None] + pairs[5][tenor[:, None], bass]
    scores += ((own[2] + pairs[2, sung].take(bass)) + pairs[4][alto[:, None], bass])[:, None, :]
    return Combinations(pitches, scores.reshape(-1))


def alone(opinions: Opinions) -> FloatArray:
    """Return log-probabilities of each part by itself, shape (3, 128)."""
    return np.stack([normalised(logs) for logs in opinions.logs])


def normalised(scores: FloatArray) -> LogProbabilities:
    """Return scores as log-probabilities."""
    logs: LogProbabilities = scores - scores.max()
    logs -= np.log(np.exp(logs).sum())
    return logs


def marginals(model: ChoraleVoices, opinions: Opinions) -> FloatArray:
    """Return the probability of each pitch for each part, chosen together, shape (3, 128); rows sum to 1."""
    found = combine(model, opinions, likeliest(model, opinions.logs, model.candidates))
    chances = np.exp(normalised(found.scores)).reshape((model.candidates,) * 3)
    shares = np.stack([chances.sum(axis=(1, 2)), chances.sum(axis=(0, 2)), chances.sum(axis=(0, 1))])
    rows: FloatArray = DOUBT * np.exp(alone(opinions))
    np.put_along_axis(
        rows, found.pitches, np.take_along_axis(rows, found.pitches, axis=1) + (1 - DOUBT) * shares, axis=1
    )
    rows /= rows.sum(axis=1, keepdims=True)
    return rows
