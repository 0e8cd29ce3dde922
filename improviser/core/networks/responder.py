"""What the performer asks of a model during a session."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import Note
from improviser.core.networks.asking import Session

LogProbabilities = NDArray[np.float64]


class Responder(Protocol):
    """One model's state in one session: it hears the player, proposes pitches, and learns what was played.

    The order of calls for each note of the player is `propose` (on the note path: as little work as possible), then,
    after the answer has been sent, `learn` (memory, statistics). A note that is heard but not answered is `learn`ed
    with `played=None`. All state is bounded: an endless session costs no more than a short one.
    """

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of this voice's note against the player's `pitch` starting now.

        They may be off by a constant, the same for all pitches: to draw one takes no sum over them, and the note waits.
        Does not change what later calls return.
        """

    def moment(self, onset_seconds: float) -> Hashable:
        """Return all that matters of an onset: what is proposed at two onsets of the same moment is the same."""

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note and what this voice played to it."""

    def reset(self) -> None:
        """Forget the session."""


@runtime_checkable
class Singer(Responder, Protocol):
    """A responder that can also go on by itself from what was played."""

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:
        """Take a note for part of the line.

        :param own: it was chosen by `proceed`: nothing is learned from how well it was foreseen.
        """

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the line's next note; changes nothing."""


@runtime_checkable
class Imaginative(Singer, Protocol):
    """A singer that can be asked what it would make of notes that nobody has played, so that replies are evolved."""

    def imagine(self, pitches: Sequence[int]) -> LogProbabilities:
        """Return log-probabilities, shape (128,), normalised, of the note after `pitches`, were they to follow now.

        They may be none. Changes nothing.
        """


@runtime_checkable
class Holder(Responder, Protocol):
    """A responder that can hold its note over, where it stays on its pitch."""

    def hold_odds(self, pitch: int, onset_seconds: float) -> float:
        """Return the logarithm of the odds, in nats, that its note goes on under `pitch`; changes nothing."""


@runtime_checkable
class Accompanist(Protocol):
    """A model that weighs all that the player sounds, see `core.harmony.context`."""

    @property
    def context(self) -> Mapping[str, float]:
        """How much each of the experts on what sounds counts."""

    @property
    def is_bass(self) -> bool:
        """Whether it plays the lowest part, under the player's own bass if there is one."""


class Model(Protocol):
    """A trained network with what it needs to be played and described."""

    @property
    def name(self) -> str:
        """The name it was loaded by, or was saved under."""

    @property
    def task(self) -> str:
        """What it was evolved to do: "echo", "melody" or "harmony"."""

    def distribution(
        self,
        history: Sequence[Note],
        *,
        onset_seconds: float,
        player: Sequence[Note] = (),
        candidates: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        """Return the probability of each pitch for this voice's note that starts at `onset_seconds`.

        Stateless: the same arguments give the same answer.

        :param history: the voice's own notes before it, in order of onset; may be empty.
        :param onset_seconds: when the note starts; finite, on the same clock as the notes.
        :param player: the player's notes up to and including the one that starts now, in order of onset. Harmony models
            answer it, echo models follow it; a melody model finds the key by it and keeps from clashing with its last.
        :param candidates: the pitches to choose among, 0–127; None: all.
        :return: probabilities, float64, shape (128,) or (number of candidates,); they sum to 1.
        :raises NoteError: if a time is not finite, a candidate no pitch, or something among the notes no `Note`.

        >>> from improviser import Note, load_model
        >>> tune = [Note(67, 0.0, 0.5), Note(69, 0.5, 0.5)]
        >>> bass = load_model("bach-bass")
        >>> chances = bass.distribution([Note(48, 0.0, 0.5)], onset_seconds=0.5, player=tune)
        >>> chances.shape, chances.dtype.name, round(float(chances.sum()), 9)
        ((128,), 'float64', 1.0)
        >>> bass.distribution([], onset_seconds=0.0, player=tune[:1], candidates=[48, 52, 55]).shape
        (3,)
        """

    def session(self) -> Session:
        """Return a session that answers as `distribution` does, note by note, and fast.

        >>> from improviser import Note, load_model
        >>> tune = [Note(67, 0.0, 0.5), Note(69, 0.5, 0.5)]
        >>> session = load_model("bach-bass").session()
        >>> session.distribution(0.0, player=tune[:1]).shape
        (128,)
        >>> session.learn(Note(48, 0.0, 0.5))
        >>> session.distribution(0.5, player=tune).shape
        (128,)
        """

    def responder(self) -> Responder:
        """Return what plays it live: a performer asks for it."""
