"""Several melody models as one: the more a model has foreseen of this player's notes, the more it has to say.

Two ways of mixing them are mixed in turn, by how well each foresees. One is a Bayesian mixture with slow forgetting
(Herbster and Warmuth, "Tracking the Best Expert", Machine Learning 32, 1998, in the form of exponential forgetting):
each of the player's notes multiplies a model's weight by the probability that it gave to it, and all former evidence
fades. It is best where one of them knows the style. The other is a logarithmic pool (`pool`), best where none does.
What a model says of its own notes is no evidence.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.melody.counts import CountsModel, CountsResponder
from improviser.core.melody.model import MelodyModel, MelodyResponder, MelodySession
from improviser.core.melody.pool import Pool
from improviser.core.music.note import PITCHES
from improviser.core.networks.asking import Asked
from improviser.core.networks.responder import Imaginative, LogProbabilities, Model, Responder, Singer
from improviser.errors import ModelError

FORGETTING: Final = 0.95
"""What is left of all evidence one note later."""
NEGLIGIBLE: Final = 1e-6
"""A model of a smaller weight is asked about one note in `SELDOM` only, and has no say in what is played."""
HARDLY_HEARD: Final = 1e-3
"""Nor has one of a smaller weight than this in what is sung to a note, which waits for it."""
SELDOM: Final = 8
_LEAST: Final = -14.0
"""Nats; what a note costs a model at most: no single note decides."""


class MixedModel(Asked):
    """Melody models that sing as one; none of them is changed.

    :param name: what to call it.
    :param models: at least one; all begin with the same weight.
    :raises ModelError: if there is none.
    """

    task = "melody"

    def __init__(self, name: str, models: Sequence[Model]) -> None:
        if not models:
            raise ModelError(f"{name} is made of melody models, and there is none; reinstall improviser")
        self.name = name
        self.models = tuple(models)

    def responder(self) -> "MixedResponder":
        """Return a fresh session."""
        return MixedResponder({model.name: _singer(model) for model in self.models})

    def session(self) -> MelodySession:
        """Return a session that answers as `distribution` does, note by note."""
        return MelodySession(self.responder())


class MixedResponder:
    """One session of several models, each of which hears all notes.

    :param parts: what plays each, by name.
    """

    def __init__(self, parts: Mapping[str, Singer]) -> None:
        self._names = tuple(parts)
        self.parts: Final = tuple(parts.values())
        self._counts = tuple(part for part in self.parts if isinstance(part, CountsResponder))
        self._imaginative = {
            number: part
            for number, part in enumerate(self.parts)
            if isinstance(part, Imaginative) and not isinstance(part, CountsResponder)
        }
        self._begin()

    def _begin(self) -> None:
        self._evidence = np.zeros(len(self.parts))
        self._pool = Pool(len(self.parts))
        self._ways = np.zeros(2)
        """The evidence for the Bayesian mixture, and for the pool."""
        self._notes = 0

    def reset(self) -> None:
        """Forget the session, and who foresaw it."""
        for part in self.parts:
            part.reset()
        self._begin()

    def adapt(self, adapted: Mapping[str, MelodyModel]) -> None:
        """Let each that there is an adapted model of play as that; see `MelodyResponder.adapt`."""
        for part in self.parts:
            if isinstance(part, MelodyResponder):
                part.adapt(adapted)

    @property
    def weighed(self) -> bool:
        """Whether there is any evidence."""
        return self._notes > 0

    @property
    def weights(self) -> dict[str, float]:
        """How much each model has to say just now, by name; they sum to 1."""
        mixture, pool = _shares(self._ways).tolist()
        powers = self._pool.powers / max(float(self._pool.powers.sum()), 1e-9)
        shares = mixture * _shares(self._evidence) + pool * powers
        return dict(zip(self._names, (shares / shares.sum()).tolist(), strict=True))

    def moment(self, onset_seconds: float) -> Hashable:
        """Return all that matters of an onset."""
        return tuple(part.moment(onset_seconds) for part in self.parts)

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of a note to sing to the player's `pitch`; changes nothing.

        The counts of the session have no say in that: they know nothing of two notes that sound together.
        """
        shares = self._shares(HARDLY_HEARD)
        for number, part in enumerate(self.parts):
            if isinstance(part, CountsResponder):
                shares[number] = 0.0
        if not shares.any():  # there is nobody else
            shares = self._shares(HARDLY_HEARD)
        heard = [(part, share) for part, share in zip(self.parts, shares.tolist(), strict=True) if share > 0]
        if len(heard) == 1:  # most often: the note waits
            return heard[0][0].propose(pitch, onset_seconds)
        logs = []
        for part, share in heard:
            opinion = part.propose(pitch, onset_seconds)  # which may be off by a constant
            logs.append(math.log(share) + opinion - np.logaddexp.reduce(opinion))
        mixed: LogProbabilities = np.logaddexp.reduce(logs) - math.log(sum(share for _, share in heard))
        return mixed

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the line's next note; changes nothing."""
        shares = self._shares()
        asked = np.flatnonzero(shares).tolist()
        if len(asked) == 1:
            return self.parts[asked[0]].proceed(onset_seconds)
        logs = self._ask(asked, onset_seconds)
        mixed: LogProbabilities = np.logaddexp.reduce(
            [
                np.logaddexp.reduce(logs + np.log(shares[asked] / shares[asked].sum())[:, None]),
                self._pool.agree(asked, logs),
            ]
            + np.log(_shares(self._ways))[:, None]
        )
        return mixed

    def imagine(self, pitches: Sequence[int]) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the note after `pitches`, were they to follow; changes nothing.

        The session's counts and the model that foresees best are each believed half: many notes are imagined.
        """
        evidence = self._evidence.tolist()
        best = max(self._imaginative, key=lambda number: float(evidence[number]), default=None)
        parts = self._counts if best is None else (*self._counts, self._imaginative[best])
        if not parts:
            return np.full(PITCHES, -math.log(PITCHES))
        mixed: LogProbabilities = np.logaddexp.reduce([part.imagine(pitches) for part in parts]) - math.log(len(parts))
        return mixed

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note, for the key, and what was sung to it."""
        for part in self.parts:
            part.learn(pitch, onset_seconds, played)

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:
        """Take a note for part of the line; the player's say who foresees best."""
        if not own:
            self._weigh(pitch, onset_seconds)
        for part in self.parts:
            part.follow(pitch, onset_seconds, own=own)

    def _weigh(self, pitch: int, onset_seconds: float) -> None:
        """Let the evidence fade, and add what each model, and each way of mixing them, made of the player's note."""
        everybody = self._notes % SELDOM == 0
        self._notes += 1
        shares = _shares(self._evidence)
        asked = np.flatnonzero((shares >= NEGLIGIBLE) | everybody).tolist()
        logs = self._ask(asked, onset_seconds)
        agreed = self._pool.agree(asked, logs)
        of_note = np.maximum(logs[:, pitch], _LEAST)
        # Who is not asked is taken to be no better and no worse than the mixture.
        mixed = float(np.log((shares[asked] * np.exp(of_note)).sum() / shares[asked].sum()))
        made = np.full(len(self.parts), mixed)
        made[asked] = of_note
        self._evidence = FORGETTING * self._evidence + made
        self._evidence -= self._evidence.max()
        self._ways = FORGETTING * self._ways + (mixed, max(_LEAST, float(agreed[pitch])))
        self._ways -= self._ways.max()
        self._pool.learn(asked, logs, agreed, pitch)

    def _ask(self, asked: list[int], onset_seconds: float) -> NDArray[np.float64]:
        """Return what some of the models make of the line's next note, shape (len(asked), 128), normalised."""
        opinions = np.stack([self.parts[number].proceed(onset_seconds) for number in asked])
        return opinions - np.logaddexp.reduce(opinions, axis=1, keepdims=True)

    def _shares(self, least: float = NEGLIGIBLE) -> NDArray[np.float64]:
        """Return how much each model has to say in the Bayesian mixture; 0 for those with less than `least`."""
        shares = _shares(self._evidence)
        shares[shares < least] = 0.0
        return shares


def _singer(model: Model) -> Singer:
    responder = model.responder()
    if not isinstance(responder, Singer):
        raise ModelError(f"{model.name} is no melody model, and cannot be mixed with others")
    return responder


def _shares(evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = np.exp(evidence - evidence.max())
    shares /= shares.sum()
    return shares


def members(responder: Responder) -> tuple[Responder, ...]:
    """Return the responders that one is made of; itself if it is made of none."""
    return responder.parts if isinstance(responder, MixedResponder) else (responder,)


def session_singer(model: Model) -> Responder:
    """Return what plays a model live: of melodies, mixed with the counts of the session; a caller's own as it is."""
    responder = model.responder()
    if isinstance(responder, MelodyResponder):
        return MixedResponder({model.name: responder, CountsModel.name: CountsResponder()})
    return responder
