"""One session of a chorale: three parts that answer a voice, and how their combination is chosen.

Each part has its own network, which hears that voice and its own past, and proposes the pitches it finds likeliest. Of
all combinations of these, one is drawn, by what the parts say and by the terms that the voices have together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.chord_scores import Prepared
from improviser.core.chorale.ornaments import REACH
from improviser.core.chorale.phrase_ends import PhraseEnds
from improviser.core.chorale.terms import BASS, Place, end_class
from improviser.core.chorale.voices import PARTS, ChoraleVoices
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.note import PITCHES
from improviser.core.music.rhythm import Moment, RhythmTracker
from improviser.core.networks.responder import LogProbabilities

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNLIKELY = 8.0
"""Combinations that go together so much worse than the best ones, two by two, are not scored as chords: nats."""
DOUBT = 0.01
"""The probability that the parts draw each by itself: so nothing is impossible, in play and where bits are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What the past says of a note, in a key.

    :param pairs: how much likelier two pitches are together, of each pair of voices, shape (6, n, n): each voice's
        pitches count from its lowest.
    :param known: the same of whole chords.
    """

    pairs: NDArray[np.float32]
    known: Prepared


class Opinions(NamedTuple):
    """What the parts think of a note, each by itself.

    :param given: the player's pitch, in the register that the model knows.
    :param logs: log-probabilities of each part, the highest first, shape (3, 128), each up to a constant.
    :param place: what else is known.
    :param past: what sounded before makes of it.
    """

    given: int
    logs: FloatArray
    place: Place
    past: Past


class Combinations(NamedTuple):
    """Combinations to choose among.

    :param proposed: the pitches that each part proposes, ascending, the highest part first, shape (3, proposals).
    :param numbers: of each combination, shape (combinations,): which three proposals it takes, among all threes.
    :param scores: of each combination, log-probabilities up to a constant, shape (combinations,).
    """

    proposed: IntArray
    numbers: IntArray
    scores: FloatArray

    @property
    def pitches(self) -> IntArray:
        """The pitches of each part, the highest first, shape (3, combinations)."""
        count = self.proposed.shape[1]
        places = np.array(np.unravel_index(self.numbers, (count,) * PARTS))
        return np.take_along_axis(self.proposed, places, axis=1)

    def pitches_of(self, number: int) -> tuple[int, int, int]:
        """Return the pitches of the combination with that number, the highest part's first."""
        item, count = self.proposed.item, self.proposed.shape[1]
        rest, low = divmod(self.numbers.item(number), count)
        high, middle = divmod(rest, count)
        return item(high), item(count + middle), item(2 * count + low)

    def number_of(self, pitches: Sequence[int]) -> int | None:
        """Return the number of the combination of these pitches; None if it is not among them."""
        same: NDArray[np.bool_] = np.equal(self.pitches, np.array(pitches)[:, None])
        found = np.flatnonzero(same.all(axis=0))
        return int(found[0]) if found.size else None


class ChoraleSession:
    """Hears a voice, proposes, and learns what was played; bounded, whatever its length."""

    def __init__(self, model: ChoraleVoices) -> None:
        self._model = model
        self.given = model.given
        """Which voice it hears, 0 (the soprano) to 3 (the bass)."""
        self._rhythm = RhythmTracker()
        self._parts = [part.responder(self._rhythm) for part in model.parts]
        self._keys = ModulatingKeys()
        self._ends = PhraseEnds(model.ends)
        self._before: tuple[int, ...] | None = None
        self._bass_before: int | None = None
        self._past: dict[tuple[int, bool], Past] = {}
        """What sounded before makes of what may come, by the tonic and the mode."""
        self._leads: list[tuple[int, slice, FloatArray]] = []
        """Parts that have moved since: which, and how much likelier that makes pitches."""

    def moment(self, onset_seconds: float) -> tuple[Moment, tuple[int, int] | None]:
        """Return all that matters of an onset to the networks."""
        return self._rhythm.look(onset_seconds), self._ends.moment(onset_seconds)

    def look(self, pitch: int, onset_seconds: float) -> Opinions:
        """Return what the parts think of the player's `pitch` that starts now; changes nothing that matters."""
        given = self._model.tune(pitch)
        logs = np.empty((PARTS, PITCHES))
        for row, responder in zip(logs, self._parts, strict=True):
            row[:] = responder.scores(given, onset_seconds)
        for part, pitches, likelier in self._leads:
            logs[part, pitches] += likelier
        place = self._place_of(given, onset_seconds)
        return Opinions(given, logs, place, self._past_in(place))

    def _past_in(self, place: Place) -> Past:
        """Return what the past says in a key: most of that does not depend on the note, and is found before it."""
        key = place.tonic, place.minor
        known = self._past.get(key)
        if known is None:
            model = self._model
            known = Past(model.pair_scores.of(place), model.chord_scores.prepare(place))
            self._past[key] = known
        return known

    def place(self, pitch: int, onset_seconds: float) -> Place:
        """Return all that is known of the player's `pitch` that starts now, beside the answers to it."""
        return self._place_of(self._model.tune(pitch), onset_seconds)

    def _place_of(self, pitch: int, onset_seconds: float) -> Place:
        moment = self._rhythm.look(onset_seconds)
        tonic, minor = self._keys.key_with(pitch, moment)
        ends = self._ends.look((pitch - tonic) % 12, self._step(pitch), onset_seconds, moment)
        gap = moment.gap_class
        gap_class, end = 5 if gap is None else gap, end_class(ends)
        return Place(tonic, minor > 0.5, moment.beat_class, gap_class, end, self._before, self._bass_before)

    def ornament(self, voice: int, step: int | None) -> None:
        """Take in that a voice has taken a step, one of `ornaments.STEPS`, since the last note; None: it is back."""
        ornaments, before, others = self._model.ornaments, self._before, self._model.others
        if ornaments is None or before is None or voice not in others:
            return
        part = others.index(voice)
        self._leads = [led for led in self._leads if led[0] != part]
        if step is not None:
            low = before[voice] - REACH
            first, last = max(0, low), min(PITCHES, before[voice] + REACH + 1)
            self._leads.append((part, slice(first, last), ornaments.leads[step, first - low : last - low]))

    def hold_odds(self, part: int, pitch: int, onset_seconds: float) -> float:
        """Return the logarithm of the odds, in nats, that a part's note goes on under the player's, if it stays."""
        return self._parts[part].hold_odds(self._model.tune(pitch), onset_seconds)

    @property
    def before(self) -> tuple[int, ...] | None:
        """What sounded last, soprano first; None at the beginning."""
        return self._before

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of a note drawn by lot from the chord to `pitch`; changes nothing."""
        logs: LogProbabilities = np.log(marginals(self._model, self.look(pitch, onset_seconds)).mean(axis=0))
        return logs

    def reset(self) -> None:
        """Forget the session."""
        self.__init__(self._model)  # type: ignore[misc]

    def learn(self, pitch: int, onset_seconds: float, played: int | Sequence[int | None] | None) -> None:
        """Take in the player's note, and what the parts played with it, the highest first (None: they rest).

        A pitch alone is the lowest part's.
        """
        if isinstance(played, int):
            played = (None, None, played)
        model, pitch = self._model, self._model.tune(pitch)
        moment = self._rhythm.look(onset_seconds)
        tonic, _ = self._keys.key_with(pitch, moment)
        self._ends.hear((pitch - tonic) % 12, self._step(pitch), onset_seconds, moment)
        self._keys.hear_player(pitch, moment)
        pitches = (None,) * len(self._parts) if played is None else tuple(played)
        for part, own in zip(self._parts, pitches, strict=True):
            part.learn(pitch, onset_seconds, own)
            if own is not None:
                self._keys.hear(own)
        self._rhythm.hear(onset_seconds)
        before = None if self._before is None else [self._before[voice] for voice in model.others]
        if before is not None:  # who rests stays where he was
            pitches = tuple(last if own is None else own for own, last in zip(pitches, before, strict=True))
        if None not in pitches:
            self._bass_before = None if self._before is None else self._before[BASS]
            chord = [own for own in pitches if own is not None]
            self._before = (*chord[: model.given], pitch, *chord[model.given :])
        self._keys.prepare()
        self._past, self._leads = {}, []
        tonic, minor = self._keys.key
        self._past_in(Place(tonic, minor > 0.5, 0, 0, 0, self._before, self._bass_before))

    def _step(self, pitch: int) -> int:
        return 0 if self._before is None else pitch - self._before[self._model.given]


def _highest(scores: FloatArray, count: int) -> IntArray:
    """Return where the `count` highest scores of each row lie, ascending: in no order that a machine might choose."""
    kept = scores.shape[-1] - count
    found: IntArray = scores.argpartition(kept)[..., kept:]
    found.sort()
    return found


def combine(model: ChoraleVoices, opinions: Opinions) -> Combinations:
    """Score the likeliest combinations.

    Each part proposes pitches, by its opinion and by how they go with the player's. Of all their combinations those are
    scored as chords that go together best, two by two.
    """
    given, logs, place, past = opinions
    pairs = past.pairs
    own = logs.take(model.proposable)
    own *= model.shares
    own += pairs.take(model.with_given_of[given - model.lowest_given])
    above = _highest(own, model.candidates)
    places = above + model.rows
    likely = own.take(places)
    starts = above.take(model.higher)
    starts *= model.width
    starts += model.among_from
    starts = starts + above.take(model.lower)
    together = pairs.take(starts)
    upper, lower = likely[:2, :, None] + together[:2]
    lower += likely[2]
    sums = upper[:, :, None] + lower
    sums += together[2][:, None, :]
    scores = sums.reshape(-1)
    numbers = (scores >= np.maximum.reduce(scores) - UNLIKELY).nonzero()[0]
    scores = scores.take(numbers)
    scores += model.chord_scores.of(past.known, places, numbers, given, place)
    return Combinations(above + model.beginnings, numbers, scores)


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
    found = combine(model, opinions)
    chances = np.exp(normalised(found.scores))
    rows: FloatArray = DOUBT * np.exp(alone(opinions))
    rows += (1 - DOUBT) * np.stack([np.bincount(pitches, chances, PITCHES) for pitches in found.pitches])
    rows /= rows.sum(axis=1, keepdims=True)
    return rows
