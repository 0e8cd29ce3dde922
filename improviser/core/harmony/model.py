"""The task `harmony`, live: a voice that answers each note of the player with a note of its own, at once."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from improviser.core.harmony.session import EXPERTS, VIEWPOINTS, Accompaniment, Situation
from improviser.core.music.note import PITCHES, Note
from improviser.core.music.rhythm import Moment
from improviser.core.networks.candidates import check_onset, over_candidates
from improviser.core.networks.model import ChoirModel
from improviser.core.networks.network import Frame
from improviser.core.networks.responder import LogProbabilities

# An answer starts with the player's note, or this much later at most (a recorded one may lag by a few milliseconds).
ALIGNMENT_SECONDS = 0.01
# Below this pitch of the player there is no room for an answer underneath.
LOWEST_CEILING = 31


class HarmonyModel(ChoirModel[Situation]):
    """A choir of genomes that answers in the register of one voice.

    :raises ModelError: if settings and genomes do not fit each other.
    """

    task = "harmony"
    vertical = True
    experts = EXPERTS
    viewpoints = VIEWPOINTS

    @property
    def register(self) -> tuple[int, int]:
        """The voice's lowest and highest pitch."""
        return self.shape.low, self.shape.high

    @property
    def centre(self) -> int:
        """The middle of the voice's register."""
        return (self.shape.low + self.shape.high) // 2

    def responder(self) -> "HarmonyResponder":
        """Return a fresh session."""
        return HarmonyResponder(self)

    def distribution(
        self,
        history: Sequence[Note],
        *,
        onset_seconds: float,
        player: Sequence[Note] = (),
        candidates: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        """Return the probability of each pitch (128, or one per candidate) of this voice at `onset_seconds`.

        `history` are the voice's own notes before, one for each note of the player or held over several: what counts
        is what sounds when a note of the player begins. `player` are the player's notes up to and
        including the one that starts now; without any, the voice goes by its own, an octave higher.
        """
        check_onset(onset_seconds)
        if not player:
            alone = sorted(history, key=lambda note: note.onset_seconds)
            heard = [replace(note, pitch=min(PITCHES - 1, note.pitch + 12)) for note in alone]
            player = [*heard, heard[-1] if heard else Note(60, onset_seconds, 0.0)]
        now = player[-1].pitch
        responder = self.responder()
        own = answers_to(player[:-1], history)
        for note, played in zip(player[:-1], own, strict=True):
            responder.learn(note.pitch, note.onset_seconds, played)
        return over_candidates(responder.propose(now, onset_seconds), candidates)


def answers_to(player: Sequence[Note], own: Sequence[Note]) -> list[int | None]:
    """Return, for each note of the player (in order of onset), the pitch of the own note with it or held over it.

    None where the voice rests: it has not begun yet, or its last note is over.
    """
    answers: list[int | None] = []
    ordered = sorted(own, key=lambda note: note.onset_seconds)
    began = 0
    for note in player:
        while began < len(ordered) and ordered[began].onset_seconds <= note.onset_seconds + ALIGNMENT_SECONDS:
            began += 1
        latest = ordered[began - 1] if began else None
        answers.append(latest.pitch if latest is not None and _sounds(latest, note.onset_seconds) else None)
    return answers


def _sounds(note: Note, onset_seconds: float) -> bool:
    """Whether a note begins at that time, give or take the alignment, or is held beyond it."""
    begins = abs(note.onset_seconds - onset_seconds) <= ALIGNMENT_SECONDS
    return begins or note.end_seconds > onset_seconds + ALIGNMENT_SECONDS


class HarmonyResponder:
    """One session of a harmony model."""

    def __init__(self, model: HarmonyModel) -> None:
        self._model = model
        self._session = Accompaniment(model.register, model.settings.player)

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the answer to `pitch`, up to a constant; changes nothing."""
        model = self._model
        now = self._session.look(pitch, onset_seconds)
        frame = Frame(model.centre if now.own[0] is None else now.own[0], now.tonic, pitch)
        memory = now.memory if model.shape.experts else None
        scores, others = model.network.scores(model.inputs.read(now), frame, memory)
        if now.parallels is not None and memory is not None:
            scores[now.parallels] += others[-1]
        answer = scores.astype(np.float64)
        return answer if pitch >= model.settings.player[0] else below(answer, pitch)

    def moment(self, onset_seconds: float) -> Moment:
        """Return all that matters of an onset."""
        return self._session.moment(onset_seconds)

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note and the answer to it."""
        self._session.learn(pitch, onset_seconds, played)

    def reset(self) -> None:
        """Forget the session."""
        self._session = Accompaniment(self._model.register, self._model.settings.player)


def below(answer: LogProbabilities, pitch: int) -> LogProbabilities:
    """Return `answer` with what lies at or above the player's `pitch` moved down by octaves.

    For a player below the register of the corpus, who would otherwise be answered from above. Where there is no room
    underneath, the answer stays where it is.
    """
    if pitch < LOWEST_CEILING:
        return answer
    folded = np.full(PITCHES, -np.inf)
    folded[:pitch] = answer[:pitch]
    for start in range(pitch, PITCHES, 12):
        octave = answer[start : start + 12]
        np.logaddexp(folded[pitch - 12 : pitch - 12 + octave.size], octave, out=folded[pitch - 12 :][: octave.size])
    return folded
