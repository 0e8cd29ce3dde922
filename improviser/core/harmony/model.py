"""The task `harmony`, live: a voice that answers each note of the player with a note of its own, at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.harmony.session import EXPERTS, VIEWPOINTS, Accompaniment, Situation
from improviser.core.music.note import PITCHES, Note
from improviser.core.networks.candidates import over_candidates
from improviser.core.networks.choir import ChoirSettings, check_genomes, read_settings
from improviser.core.networks.network import Frame, Network, Shape
from improviser.core.networks.responder import LogProbabilities
from improviser.core.networks.viewpoints import Inputs
from improviser.errors import ModelError

DEFAULT_VIEWPOINTS: Final = tuple(VIEWPOINTS)
# An answer starts with the player's note, or this much later at most (a recorded one may lag by a few milliseconds).
ALIGNMENT_SECONDS = 0.01
# Below this pitch of the player there is no room for an answer underneath.
LOWEST_CEILING = 31


class HarmonyModel:
    """A choir of genomes that answers in the register of one voice.

    :raises ModelError: if settings and genomes do not fit each other.
    """

    task = "harmony"

    def __init__(self, name: str, settings: ChoirSettings, genomes: NDArray[np.float32]) -> None:
        if settings.experts not in ((), EXPERTS):
            raise ModelError("its experts are unknown; this model needs another version of improviser")
        self.name = name
        self.settings = settings
        self.inputs: Inputs[Situation] = Inputs(settings.viewpoints, VIEWPOINTS)
        self.shape: Shape = settings.shape(self.inputs.size, vertical=True)
        self.genomes = check_genomes(genomes, self.shape)
        self.network = Network(self.shape, self.genomes)

    @classmethod
    def from_parts(cls, name: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> "HarmonyModel":
        """Put a model together.

        :raises ModelError: if the parts do not fit each other.
        """
        if "genomes" not in tensors:
            raise ModelError("it holds no genomes; it is damaged")
        return cls(name, read_settings(settings), np.asarray(tensors["genomes"], dtype=np.float32))

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Take the model apart: settings (JSON values) and arrays."""
        return self.settings.to_json(), {"genomes": self.genomes}

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
        including the one that starts now; without it, the voice answers its own last note, an octave higher.
        """
        now = player[-1].pitch if player else min(PITCHES - 1, history[-1].pitch + 12 if history else 60)
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
        answer = self._outputs(pitch, onset_seconds)[0].astype(np.float64)
        return answer if pitch >= self._model.settings.player[0] else below(answer, pitch)

    def scores(self, pitch: int, onset_seconds: float) -> NDArray[np.float32]:
        """Return the scores of the register's pitches, and of a rest if the model knows rests; changes nothing."""
        shape = self._model.shape
        scores, others = self._outputs(pitch, onset_seconds)
        return np.concatenate([scores[shape.low : shape.high + 1], others[: shape.rest]])

    def _outputs(self, pitch: int, onset_seconds: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the score of each of the 128 pitches, and what else the network puts out."""
        model = self._model
        now = self._session.look(pitch, onset_seconds)
        frame = Frame(model.centre if now.own[0] is None else now.own[0], now.tonic, pitch)
        return model.network.scores(model.inputs.read(now), frame, now.experts if model.shape.experts else None)

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
