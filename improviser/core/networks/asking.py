"""Asking a model note by note: a session that learns the voice's notes, and the checks of what it is given."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import Note
from improviser.errors import NoteError


class Session(Protocol):
    """A model, asked note by note: at each note it answers as `Model.distribution` does, without beginning anew.

    Not safe to share between threads.
    """

    def distribution(
        self, onset_seconds: float, *, player: Sequence[Note] = (), candidates: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """Return what `Model.distribution` returns for the notes learned so far; changes nothing.

        :param onset_seconds: when the voice's note starts; finite.
        :param player: all of the player's notes up to and including the one that starts now, in order of onset.
        :param candidates: the pitches to choose among, 0–127; None: all.
        :return: probabilities, float64, shape (128,) or (number of candidates,); they sum to 1.
        :raises NoteError: if a time is not finite, a candidate no pitch, or something in `player` no `Note`.
        """

    def learn(self, note: Note) -> None:
        """Take in the voice's next note: what it has played, or, where it follows others, what was heard.

        :raises NoteError: if it is no `Note`.
        """


class Asked(ABC):
    """A model that is asked all at once as it is asked note by note: through a session of its own."""

    __slots__ = ()

    @abstractmethod
    def session(self) -> Session:
        """Return a session that answers as `distribution` does, note by note."""

    def distribution(
        self,
        history: Sequence[Note],
        *,
        onset_seconds: float,
        player: Sequence[Note] = (),
        candidates: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        """Return the probability of each pitch (128, or one per candidate) for this voice's note at `onset_seconds`.

        What `history` and `player` are to a model, its class says; see `Model.distribution`.
        """
        session = self.session()
        for note in history:
            session.learn(note)
        return session.distribution(onset_seconds, player=player, candidates=candidates)


def check_notes(notes: Sequence[Note]) -> None:
    """Refuse what is no note.

    :raises NoteError: if one of them is none.
    """
    for note in notes:
        if not isinstance(note, Note):
            raise NoteError(f"a {type(note).__name__} is no note; give improviser.Note(pitch, onset, duration)")


def goes_on(notes: Sequence[Note], known: Sequence[Note]) -> bool:
    """Say whether `notes` begin with all that are `known`; both of one type (whole lists are compared fast)."""
    return len(notes) >= len(known) and notes[: len(known)] == known
