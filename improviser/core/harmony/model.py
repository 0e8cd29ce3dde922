"""The task `harmony`, live: a voice that answers each note of the player with a note of its own, at once."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from improviser.core.harmony.context import BASS, INNER, NAMES
from improviser.core.harmony.holding import BASS as BASS_HOLDING
from improviser.core.harmony.holding import INNER as INNER_HOLDING
from improviser.core.harmony.holding import WEIGHTS, Holding
from improviser.core.harmony.session import EXPERTS, VIEWPOINTS, Accompaniment, Situation
from improviser.core.music.note import PITCHES, Note
from improviser.core.music.rhythm import Moment, RhythmTracker
from improviser.core.networks.asking import check_notes, goes_on
from improviser.core.networks.candidates import check_onset, over_candidates
from improviser.core.networks.model import ChoirModel
from improviser.core.networks.network import Frame
from improviser.core.networks.responder import LogProbabilities
from improviser.errors import ModelError

# An answer starts with the player's note, or this much later at most (a recorded one may lag by a few milliseconds).
ALIGNMENT_SECONDS = 0.01
# Below this pitch of the player there is no room for an answer underneath.
LOWEST_CEILING = 31
MIDDLE_C = 60
LOWEST_TENOR = 53
"""A voice with a register that has its middle below this is a bass, whatever it is called."""
BASS_VOICE = "bass"


class HarmonyModel(ChoirModel[Situation]):
    """A choir of genomes that answers in the register of one voice.

    Asked for a distribution, it answers the player's notes. The voice's own are one for each of them, or held over
    several: what counts is what sounds when a note of the player begins. Without a player, the voice goes by its own
    notes, an octave higher.

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

    @property
    def is_bass(self) -> bool:
        """Whether it plays the lowest part: it is called so, or as low as one."""
        return self.settings.voice == BASS_VOICE or self.centre < LOWEST_TENOR

    @property
    def context(self) -> Mapping[str, float]:
        """How much each of the experts on what sounds counts."""
        weights = self.settings.context or (BASS if self.is_bass else INNER)
        if not weights.keys() <= {*NAMES}:
            raise ModelError("its experts on what sounds are unknown; this model needs another version of improviser")
        return weights

    @property
    def holding(self) -> Holding:
        """When the voice holds its notes over."""
        weights = self.settings.holding or (BASS_HOLDING if self.is_bass else INNER_HOLDING)
        if len(weights) != WEIGHTS:
            raise ModelError("its weights for holding notes over are incomplete; it is damaged")
        return Holding(weights)

    def responder(self, rhythm: RhythmTracker | None = None) -> "HarmonyResponder":
        """Return a fresh session.

        :param rhythm: see `Accompaniment`.
        """
        return HarmonyResponder(self, rhythm)

    def session(self) -> "HarmonySession":
        """Return a session that answers as `distribution` does, note by note."""
        return HarmonySession(self)


class HarmonySession:
    """A harmony model asked note by note; what it has taken in is taken in again only where the past has changed."""

    def __init__(self, model: HarmonyModel) -> None:
        self._responder = model.responder()
        self._own: list[Note] = []
        self._alone: list[Note] = []
        """For want of a player: the own notes an octave higher."""
        self._heard: list[Note] = []
        """The player's notes that the responder knows."""
        self._answers = Answers(self._own)

    def learn(self, note: Note) -> None:
        """Take in the voice's next note.

        :raises NoteError: if it is no note.
        """
        check_notes((note,))
        if note.onset_seconds <= self._answers.settled_seconds:
            self._begin_anew()
        place = bisect_right(self._own, note.onset_seconds, key=lambda own: own.onset_seconds)
        self._own.insert(place, note)
        self._alone.insert(place, replace(note, pitch=min(PITCHES - 1, note.pitch + 12)))

    def distribution(
        self, onset_seconds: float, *, player: Sequence[Note] = (), candidates: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """Return what the model's `distribution` does with the notes learned so far."""
        check_onset(onset_seconds)
        heard = list(player)
        now = heard.pop() if heard else None
        if now is None:
            heard = self._alone.copy()
            pitch = heard[-1].pitch if heard else MIDDLE_C
        else:
            check_notes((now,))
            pitch = now.pitch
        if not goes_on(heard, self._heard):
            self._begin_anew()
        fresh = heard[len(self._heard) :]
        check_notes(fresh)
        for note in fresh:
            self._responder.learn(note.pitch, note.onset_seconds, self._answers.to(note))
        self._heard += fresh
        return over_candidates(self._responder.propose(pitch, onset_seconds), candidates)

    def _begin_anew(self) -> None:
        self._responder.reset()
        self._heard = []
        self._answers = Answers(self._own)


class Answers:
    """Finds, for one note of the player after the other, the own note that answers it.

    :param own: the own notes by onset; may grow by later ones than `settled_seconds`.
    """

    def __init__(self, own: Sequence[Note]) -> None:
        self._own = own
        self._began = 0
        self.settled_seconds = -math.inf
        """The own notes that start up to here have been looked at."""

    def to(self, note: Note) -> int | None:
        """Return the pitch of the own note with it or held over it; None where the voice rests."""
        until = note.onset_seconds + ALIGNMENT_SECONDS
        self.settled_seconds = max(self.settled_seconds, until)
        while self._began < len(self._own) and self._own[self._began].onset_seconds <= until:
            self._began += 1
        latest = self._own[self._began - 1] if self._began else None
        return latest.pitch if latest is not None and _sounds(latest, note.onset_seconds) else None


def _sounds(note: Note, onset_seconds: float) -> bool:
    """Whether a note begins at that time, give or take the alignment, or is held beyond it."""
    begins = abs(note.onset_seconds - onset_seconds) <= ALIGNMENT_SECONDS
    return begins or note.end_seconds > onset_seconds + ALIGNMENT_SECONDS


class HarmonyResponder:
    """One session of a harmony model."""

    def __init__(self, model: HarmonyModel, rhythm: RhythmTracker | None = None) -> None:
        self._model = model
        self._rhythm = rhythm
        self._holding = model.holding
        self._session = Accompaniment(model.register, model.settings.player, rhythm)

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the answer to `pitch`, up to a constant; changes nothing."""
        return self.scores(pitch, onset_seconds).astype(np.float64)

    def scores(self, pitch: int, onset_seconds: float) -> NDArray[np.floating]:
        """Return the same, as the network says it if nothing has to be moved."""
        model = self._model
        now = self._session.look(pitch, onset_seconds)
        frame = Frame(model.centre if now.own[0] is None else now.own[0], now.tonic, pitch)
        memory = now.memory if model.shape.experts else None
        scores, others = model.network.scores(model.inputs.read(now), frame, memory)
        if now.parallels is not None and memory is not None:
            scores[now.parallels] += others[-1]
        return scores if pitch >= model.settings.player[0] else below(scores.astype(np.float64), pitch)

    def hold_odds(self, pitch: int, onset_seconds: float) -> float:
        """Return the logarithm of the odds that the voice's note is held over, if it stays; changes nothing."""
        return self._holding.odds(self._session.look(pitch, onset_seconds))

    def moment(self, onset_seconds: float) -> Moment:
        """Return all that matters of an onset."""
        return self._session.moment(onset_seconds)

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note and the answer to it."""
        self._session.learn(pitch, onset_seconds, played)

    def reset(self) -> None:
        """Forget the session."""
        self._session = Accompaniment(self._model.register, self._model.settings.player, self._rhythm)


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
