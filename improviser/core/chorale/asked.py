"""A chorale asked note by note: the probability of a note of its chord, given the notes before."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.session import ChoraleSession, marginals
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.music.note import Note
from improviser.core.networks.asking import check_notes, goes_on
from improviser.core.networks.candidates import check_onset, over_candidates

ALIGNMENT_SECONDS = 0.01
"""An answer starts with the player's note, or is off by this much at most."""
MIDDLE_C = 60


class AskedChorale:
    """A chorale model, asked; what it has taken in is taken in again only where the past has changed."""

    def __init__(self, model: ChoraleVoices) -> None:
        self._model = model
        self._own: list[Note] = []
        self._heard: list[Note] = []
        """The player's notes that the session knows."""
        self._session = ChoraleSession(model)

    def learn(self, note: Note) -> None:
        """Take in a note of one of the parts.

        :raises NoteError: if it is no note.
        """
        check_notes((note,))
        if self._heard and note.onset_seconds <= self._heard[-1].onset_seconds + ALIGNMENT_SECONDS:
            self._begin_anew()
        self._own.append(note)

    def distribution(
        self, onset_seconds: float, *, player: Sequence[Note] = (), candidates: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """Return what the model's `distribution` does with the notes learned so far."""
        check_onset(onset_seconds)
        heard = list(player)
        now = heard.pop() if heard else None
        check_notes(heard if now is None else (*heard, now))
        if not goes_on(heard, self._heard):
            self._begin_anew()
        for note in heard[len(self._heard) :]:
            self._session.learn(note.pitch, note.onset_seconds, self._answer(note.onset_seconds))
        self._heard = heard
        opinions = self._session.look(MIDDLE_C if now is None else now.pitch, onset_seconds)
        return over_candidates(np.log(marginals(self._model, opinions).mean(axis=0)), candidates)

    def _begin_anew(self) -> None:
        self._session = ChoraleSession(self._model)
        self._heard = []

    def _answer(self, onset_seconds: float) -> list[int | None]:
        """Return what the parts have sounding with a note of the player's, the highest first."""
        sounding = [
            note.pitch
            for note in self._own
            if note.onset_seconds <= onset_seconds + ALIGNMENT_SECONDS
            and (
                abs(note.onset_seconds - onset_seconds) <= ALIGNMENT_SECONDS
                or note.end_seconds > onset_seconds + ALIGNMENT_SECONDS
            )
        ]
        highest = sorted(sounding, reverse=True)[: len(self._model.parts)]
        missing: list[int | None] = [None] * (len(self._model.parts) - len(highest))
        return [*missing, *highest]
