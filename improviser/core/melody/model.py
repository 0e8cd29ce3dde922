"""The task `melody`, live: a line that goes on from what it has sung, or from what the player has played."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.melody.session import EXPERTS, VIEWPOINTS, Melody, Situation
from improviser.core.music.note import PITCHES, Note
from improviser.core.music.rhythm import Moment
from improviser.core.networks.candidates import check_onset, over_candidates
from improviser.core.networks.choir import normalised
from improviser.core.networks.model import ChoirModel
from improviser.core.networks.network import Frame
from improviser.core.networks.responder import FloatArray, LogProbabilities

# Intervals to the player's note, in semitones above it modulo 12, that a second line does not sing.
CLASHES: Final = (1, 6, 11)
# For each pitch class of the player's, which pitches clash with it.
_CLASHING = np.array([[(pitch - player) % 12 in CLASHES for pitch in range(PITCHES)] for player in range(12)])


class MelodyModel(ChoirModel[Situation]):
    """A choir of genomes that sings one line.

    :raises ModelError: if settings and genomes do not fit each other.
    """

    task = "melody"
    vertical = False
    experts = EXPERTS
    viewpoints = VIEWPOINTS

    def responder(self) -> "MelodyResponder":
        """Return a fresh session."""
        return MelodyResponder(self)

    def distribution(
        self,
        history: Sequence[Note],
        *,
        onset_seconds: float,
        player: Sequence[Note] = (),
        candidates: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        """Return the probability of each pitch (128, or one per candidate) of this line's note at `onset_seconds`.

        `history` are the line's notes before it. A `player` helps to find the key; the pitches that clash with the
        player's last note are left out.
        """
        check_onset(onset_seconds)
        responder = self.responder()
        heard = [(note.onset_seconds, 0, note.pitch) for note in player[:-1]]
        sung = [(note.onset_seconds, 1, note.pitch) for note in history]
        for onset, own, pitch in sorted([*heard, *sung]):
            if own:
                responder.follow(pitch, onset)
            else:
                responder.learn(pitch, onset, None)
        logs = responder.propose(player[-1].pitch, onset_seconds) if player else responder.proceed(onset_seconds)
        return over_candidates(logs, candidates)


class MelodyResponder:
    """One session of a melody model.

    As a second line (`propose`, `learn`) its history is what it sang itself; to go on from what the player played, let
    it `follow` the player's notes, and `proceed`.
    """

    def __init__(self, model: MelodyModel) -> None:
        self._model = model
        self._session = Melody(model.shape.low, model.shape.high)

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of a note to sing to the player's `pitch`; changes nothing."""
        scores = self._expect(onset_seconds, pitch).astype(np.float64)
        scores[_CLASHING[pitch % 12]] = -np.inf
        return scores

    def moment(self, onset_seconds: float) -> Moment:
        """Return all that matters of an onset."""
        return self._session.moment(onset_seconds)

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note, for the key, and what was sung to it."""
        self._session.overhear(pitch)
        if played is not None:
            self._session.learn(played, onset_seconds)

    def follow(self, pitch: int, onset_seconds: float) -> None:
        """Take a note, whoever played it, for part of the line."""
        self._session.learn(pitch, onset_seconds)

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the line's next note; changes nothing."""
        return normalised(self._expect(onset_seconds, None))

    def _expect(self, onset_seconds: float, against: int | None) -> FloatArray:
        model = self._model
        now = self._session.look(onset_seconds, against)
        previous = now.pitches[0] if now.pitches else now.centre
        experts = now.experts if model.shape.experts else None
        frame = Frame(previous, now.tonic, shift=now.shift)
        return model.network.scores(model.inputs.read(now), frame, experts)[0]

    def reset(self) -> None:
        """Forget the session."""
        self._session = Melody(self._model.shape.low, self._model.shape.high)
