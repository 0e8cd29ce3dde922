"""The task `melody`, live: a line that goes on from what it has sung, or from what the player has played."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.harmony.context import INNER
from improviser.core.melody.session import EXPERTS, VIEWPOINTS, Melody, Situation
from improviser.core.melody.tunes import Tunes
from improviser.core.music.note import PITCHES, Note
from improviser.core.music.rhythm import Moment
from improviser.core.networks.asking import check_notes, goes_on
from improviser.core.networks.candidates import check_onset, over_candidates
from improviser.core.networks.choir import normalised
from improviser.core.networks.model import ChoirModel
from improviser.core.networks.network import Frame
from improviser.core.networks.responder import LogProbabilities, Singer

# Intervals to the player's note, in semitones above it modulo 12, that a second line does not sing.
CLASHES: Final = (1, 6, 11)
_NEVER = (-math.inf, False, 0)
# For each pitch class of the player's, which pitches clash with it.
CLASHING = np.array([[(pitch - player) % 12 in CLASHES for pitch in range(PITCHES)] for player in range(12)])


class MelodyModel(ChoirModel[Situation]):
    """A choir of genomes that sings one line.

    Asked for a distribution, it goes on from the line's notes. A player helps to find the key; the pitches that clash
    with the player's last note are left out.

    :raises ModelError: if settings and genomes do not fit each other.
    """

    task = "melody"
    vertical = False
    experts = EXPERTS
    viewpoints = VIEWPOINTS

    @property
    def is_bass(self) -> bool:
        """Whether it plays the lowest part: it does not."""
        return False

    @property
    def context(self) -> Mapping[str, float]:
        """How much each of the experts on what sounds counts."""
        return INNER

    def responder(self) -> "MelodyResponder":
        """Return a fresh session."""
        return MelodyResponder(self)

    def session(self) -> "MelodySession":
        """Return a session that answers as `distribution` does, note by note."""
        return MelodySession(self.responder())


class MelodySession:
    """A melody model asked note by note; what it has taken in is taken in again only where the past has changed."""

    def __init__(self, responder: Singer) -> None:
        self._responder = responder
        self._own: list[Note] = []
        self._sung = 0
        """How many of them the responder knows."""
        self._heard: list[Note] = []
        """The player's notes that the responder knows."""
        self._latest = _NEVER

    def learn(self, note: Note) -> None:
        """Take in the line's next note.

        :raises NoteError: if it is no note.
        """
        check_notes((note,))
        self._own.append(note)

    def distribution(
        self, onset_seconds: float, *, player: Sequence[Note] = (), candidates: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """Return what the model's `distribution` does with the notes learned so far."""
        check_onset(onset_seconds)
        heard = list(player)
        now = heard.pop() if heard else None
        if not goes_on(heard, self._heard):
            self._begin_anew()
        check_notes(heard[len(self._heard) :] if now is None else (*heard[len(self._heard) :], now))
        fresh = self._fresh(heard)
        if fresh and fresh[0] < self._latest:
            self._begin_anew()
            fresh = self._fresh(heard)
        for onset, own, pitch in fresh:
            if own:  # with a player to sing to, the line is the model's; alone, somebody's that it goes on from
                self._responder.follow(pitch, onset, own=bool(player))
            else:
                self._responder.learn(pitch, onset, None)
        self._latest = fresh[-1] if fresh else self._latest
        self._heard, self._sung = heard, len(self._own)
        responder = self._responder
        logs = responder.proceed(onset_seconds) if now is None else responder.propose(now.pitch, onset_seconds)
        return over_candidates(logs, candidates)

    def _fresh(self, heard: Sequence[Note]) -> list[tuple[float, bool, int]]:
        """Return what the responder does not know, in order: onset, whether it is the line's own, pitch."""
        fresh = [(note.onset_seconds, False, note.pitch) for note in heard[len(self._heard) :]]
        return sorted(fresh + [(note.onset_seconds, True, note.pitch) for note in self._own[self._sung :]])

    def _begin_anew(self) -> None:
        self._responder.reset()
        self._heard, self._sung, self._latest = [], 0, _NEVER


class MelodyResponder:
    """One session of a melody model.

    As a second line (`propose`, `learn`) its history is what it sang itself; to go on from what the player played, let
    it `follow` the player's notes, and `proceed`.
    """

    def __init__(self, model: MelodyModel) -> None:
        self._base = self._model = model
        self._tunes = self._begin()

    def _begin(self) -> Tunes:
        # Nothing here leads back to this object: the engine frees what is not used any more by counting references.
        shape = self._model.shape
        return Tunes(partial(Melody, shape.low, shape.high), partial(_foresee, self._model))

    def adapt(self, adapted: Mapping[str, "MelodyModel"]) -> None:
        """Play as the model of this one's name does from now on, which differs in its genomes alone; or as it was."""
        self._model = adapted.get(self._base.name, self._base)
        self._tunes.foresee = partial(_foresee, self._model)

    def situation(self, onset_seconds: float) -> Situation:
        """Return all that the line's next note, at this onset, is foreseen from; changes nothing."""
        return self._tunes.session.look(onset_seconds)

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of a note to sing to the player's `pitch`; changes nothing."""
        scores = _scores(self._model, self._tunes.session, onset_seconds, pitch).astype(np.float64)
        scores[CLASHING[pitch % 12]] = -np.inf
        return scores

    def moment(self, onset_seconds: float) -> Moment:
        """Return all that matters of an onset."""
        return self._tunes.session.moment(onset_seconds)

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note, for the key, and what was sung to it."""
        self._tunes.overhear(pitch)
        if played is not None:
            self._tunes.sing(played, onset_seconds)

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:
        """Take a note for part of the line: the player's, or one that was chosen by `proceed`."""
        if own:
            self._tunes.sing(pitch, onset_seconds)
        else:
            self._tunes.hear(pitch, onset_seconds)

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the line's next note; changes nothing."""
        return _foresee(self._model, self._tunes.session, onset_seconds)

    def imagine(self, pitches: Sequence[int]) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the note after `pitches`, were they to follow; changes nothing."""
        return normalised(_scored(self._model, self._tunes.session.imagine(pitches)))

    def reset(self) -> None:
        """Forget the session."""
        self._tunes = self._begin()


def frame_of(now: Situation) -> Frame:
    """Return what a network's heads are read against."""
    return Frame(now.pitches[0] if now.pitches else now.centre, now.tonic, shift=now.shift)


def _foresee(model: MelodyModel, session: Melody, onset_seconds: float) -> LogProbabilities:
    """Return log-probabilities, shape (128,), of the line's next note."""
    return normalised(_scores(model, session, onset_seconds, None))


def _scores(model: MelodyModel, session: Melody, onset_seconds: float, against: int | None) -> Float32Array:
    return _scored(model, session.look(onset_seconds, against))


def _scored(model: MelodyModel, now: Situation) -> Float32Array:
    experts = now.experts if model.shape.experts else None
    return model.network.scores(model.inputs.read(now), frame_of(now), experts)[0]
