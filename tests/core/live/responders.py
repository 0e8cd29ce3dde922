"""Models for the tests of the performer: each plays by a rule that a test can foresee, and keeps what it learned."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.harmony.context import BASS, INNER
from improviser.core.music.note import PITCHES, Note
from improviser.core.networks.asking import Session
from improviser.core.networks.responder import LogProbabilities


def certain(pitch: int) -> LogProbabilities:
    """Return log-probabilities that prefer `pitch` by far, then those nearest to it."""
    logs = -0.5 * np.abs(np.arange(PITCHES) - np.clip(pitch, 0, PITCHES - 1)) - 1e-3 * np.arange(PITCHES)
    logs[int(np.clip(pitch, 0, PITCHES - 1))] += 20.0
    return np.asarray(logs - np.logaddexp.reduce(logs), np.float64)


class RuleModel:
    """Answers every pitch by `rule`, or near it if that cannot be; `sessions` are all that were begun."""

    def __init__(self, rule: Callable[[int], int] = lambda pitch: pitch - 12, *, task: str = "harmony") -> None:
        self.name = "rule"
        self.task = task
        self.rule = rule
        self.sessions: list[RuleResponder] = []

    def distribution(
        self,
        history: Sequence[Note],
        *,
        onset_seconds: float,
        player: Sequence[Note] = (),
        candidates: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        chances = np.exp(certain(self.rule(player[-1].pitch if player else 60)))
        return chances if candidates is None else chances[list(candidates)]

    def session(self) -> Session:
        raise NotImplementedError("a performer does not ask for it")

    def responder(self) -> "RuleResponder":
        self.sessions.append(RuleResponder(self.rule))
        return self.sessions[-1]


class RuleResponder:
    """A session of a `RuleModel`; `learned` holds what it was told."""

    def __init__(self, rule: Callable[[int], int]) -> None:
        self._rule = rule
        self.learned: list[tuple[int, float, int | None]] = []

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        return certain(self._rule(pitch))

    def moment(self, onset_seconds: float) -> float:
        return onset_seconds

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        self.learned.append((pitch, onset_seconds, played))

    def reset(self) -> None:
        self.learned.clear()


class SingerModel(RuleModel):
    """Goes on a step above the last note it followed; as a second line it sings a third above."""

    def __init__(self, step: int = 1) -> None:
        super().__init__(lambda pitch: pitch + 4, task="melody")
        self.step = step
        self.singers: list[SingerResponder] = []

    def responder(self) -> "SingerResponder":
        self.singers.append(SingerResponder(self.rule, self.step))
        return self.singers[-1]


class SingerResponder(RuleResponder):
    """A session of a `SingerModel`; `followed` holds the notes of its line."""

    def __init__(self, rule: Callable[[int], int], step: int) -> None:
        super().__init__(rule)
        self.step = step
        self.followed: list[tuple[int, float]] = []

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:
        self.followed.append((pitch, onset_seconds))

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        return certain(self.followed[-1][0] + self.step if self.followed else 60)


class ImaginativeModel(SingerModel):
    """A `SingerModel` that can be asked what would follow, so that its replies are evolved."""

    def responder(self) -> "ImaginativeResponder":
        self.singers.append(ImaginativeResponder(self.rule, self.step))
        return self.singers[-1]  # type: ignore[return-value]


class ImaginativeResponder(SingerResponder):
    """A session of an `ImaginativeModel`."""

    def imagine(self, pitches: Sequence[int]) -> LogProbabilities:
        line = [*(pitch for pitch, _ in self.followed), *pitches]
        return certain(line[-1] + self.step if line else 60)


class AccompanistModel(RuleModel):
    """Answers an octave below, and weighs all that sounds."""

    def __init__(self, *, is_bass: bool = False) -> None:
        super().__init__(lambda pitch: pitch - 12)
        self.is_bass = is_bass
        self.context = BASS if is_bass else INNER
