"""Several melody models as one: the more a model has foreseen of this player's notes, the more it has to say.

A Bayesian mixture with slow forgetting (Herbster and Warmuth, "Tracking the Best Expert", Machine Learning 32, 1998,
in the form of exponential forgetting): each of the player's notes multiplies a model's weight by the probability that
it gave to it, and all former evidence fades. What a model says of its own notes is no evidence.
"""

from collections.abc import Hashable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.melody.model import MelodySession
from improviser.core.networks.asking import Asked
from improviser.core.networks.responder import LogProbabilities, Model, Singer
from improviser.errors import ModelError

FORGETTING: Final = 0.98
"""What is left of all evidence one note later."""
NEGLIGIBLE: Final = 1e-3
"""A model of a smaller weight is asked about one note in `SELDOM` only, and has no say in what is played."""
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
        return MixedResponder(self.models)

    def session(self) -> MelodySession:
        """Return a session that answers as `distribution` does, note by note."""
        return MelodySession(self.responder())


class MixedResponder:
    """One session of several models, each of which hears all notes."""

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = tuple(models)
        self.reset()

    def reset(self) -> None:
        """Forget the session, and who foresaw it."""
        self._parts: tuple[Singer, ...] = tuple(_singer(model) for model in self._models)
        self._evidence = np.zeros(len(self._parts))
        self._notes = 0

    @property
    def weights(self) -> dict[str, float]:
        """How much each model has to say just now, by name; they sum to 1."""
        shares = _shares(self._evidence).tolist()
        return {model.name: share for model, share in zip(self._models, shares, strict=True)}

    def moment(self, onset_seconds: float) -> Hashable:
        """Return all that matters of an onset."""
        return tuple(part.moment(onset_seconds) for part in self._heard())

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of a note to sing to the player's `pitch`; changes nothing."""
        return self._mixed([part.propose(pitch, onset_seconds) for part in self._heard()])

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the line's next note; changes nothing."""
        return self._mixed([part.proceed(onset_seconds) for part in self._heard()])

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note, for the key, and what was sung to it."""
        for part in self._parts:
            part.learn(pitch, onset_seconds, played)

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:
        """Take a note for part of the line; the player's say who foresees best."""
        if not own:
            self._weigh(pitch, onset_seconds)
        for part in self._parts:
            part.follow(pitch, onset_seconds, own=own)

    def _weigh(self, pitch: int, onset_seconds: float) -> None:
        """Let the evidence fade, and add what each model made of the player's note."""
        shares = _shares(self._evidence)
        everybody = self._notes % SELDOM == 0
        self._notes += 1
        asked = [number for number, share in enumerate(shares) if everybody or share >= NEGLIGIBLE]
        logs = {number: max(_LEAST, float(self._parts[number].proceed(onset_seconds)[pitch])) for number in asked}
        # Who is not asked is taken to be no better and no worse than the mixture.
        mixed = float(np.log(sum(shares[number] * np.exp(log) for number, log in logs.items()) / shares[asked].sum()))
        for number in range(len(self._parts)):
            self._evidence[number] = FORGETTING * self._evidence[number] + logs.get(number, mixed)
        self._evidence -= self._evidence.max()

    def _heard(self) -> list[Singer]:
        """Return the models that have something to say."""
        shares = _shares(self._evidence)
        return [part for part, share in zip(self._parts, shares, strict=True) if share >= NEGLIGIBLE]

    def _mixed(self, opinions: Sequence[LogProbabilities]) -> LogProbabilities:
        shares = _shares(self._evidence)
        heard = shares[shares >= NEGLIGIBLE]
        logs = np.log(heard / heard.sum())
        with np.errstate(divide="ignore"):
            sums = [np.logaddexp.reduce(own) for own in opinions]  # they may be off by a constant, each by another
            parts = [log + own - sum_ for log, own, sum_ in zip(logs, opinions, sums, strict=True)]
            mixed: LogProbabilities = np.logaddexp.reduce(parts)
        return mixed


def _singer(model: Model) -> Singer:
    responder = model.responder()
    if not isinstance(responder, Singer):
        raise ModelError(f"{model.name} is no melody model, and cannot be mixed with others")
    return responder


def _shares(evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = np.exp(evidence - evidence.max())
    shares /= shares.sum()
    return shares
