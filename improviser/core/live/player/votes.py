"""Votes: what the player likes of what is played is favoured from then on, what the player does not like is avoided.

A vote is on the last phrase that was played: its register, its steps and pitch classes as far as it has more of them
than all that was played before, and its figures. What it is worth is added to the log-probabilities of every part's
notes to come, and bounded: no number of votes makes a pitch impossible. `forget` takes all votes back.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES
from improviser.core.music.rhythm import RhythmTracker
from improviser.core.networks.responder import LogProbabilities
from improviser.core.printable import shown
from improviser.errors import ConfigError

GOOD, BAD, FORGET = "good", "bad", "forget"
COMMANDS: Mapping[str, str] = {
    GOOD: "Play more like the last phrase.",
    BAD: "Play less like the last phrase.",
    FORGET: "Forget all votes, and what was learned of you in this session.",
}
"""What the player can say of the playing, by pedal, key, page or MQTT; each with what it does."""

REGISTER, BORDER, MOST_REGISTER = 0.6, 12.0, 6.0
"""Nats that a vote is worth where the middle half of the phrase lies; how far around it (semitones) that fades; and the
most."""
SHARE, MOST_SHARE = 2.0, 2.0
"""Nats that a vote is worth for a step, or a pitch class, that the phrase alone consists of; and the most."""
FIGURE, MOST_FIGURE, FIGURES = 0.7, 4.0, 512
"""Nats that a vote is worth for the last interval of a figure of two; the most; and how many figures are kept."""
STEP: Final = 12
"""Larger steps, in semitones, count as this."""
LONGEST_PHRASE: Final = 64
TOGETHER: Final = 32
"""So many notes are looked at together, as long as nobody votes: that takes a fourth of the time."""
FADE: Final = 0.995
"""What is left of each note in the average of all that was played, one note later."""

_PITCHES: Final = np.arange(PITCHES)
_CLASSES: Final = _PITCHES % 12
Numbers = NDArray[np.float64]


class Votes:
    """All votes of one session, and what was played last; bounded."""

    def __init__(self) -> None:
        self._rhythm = RhythmTracker()
        self._onset: float | None = None
        self._phrase: deque[tuple[int, int]] = deque(maxlen=LONGEST_PHRASE)
        """The notes of the last phrase that was played: part and pitch."""
        self._before: tuple[tuple[int, int], ...] = ()
        """Those of the phrase before."""
        self._lines: dict[int, deque[int]] = {}
        self._waiting: list[tuple[int, int, float]] = []
        """Notes that were not looked at yet."""
        self._usual_steps, self._usual_classes = [0.0] * (2 * STEP + 1), [0.0] * 12
        self.forget()

    def forget(self) -> None:
        """Take all votes back."""
        self.count = 0
        """How many votes there are."""
        self._register = np.zeros(PITCHES)
        self._steps, self._classes = np.zeros(2 * STEP + 1), np.zeros(12)
        self._figures: OrderedDict[tuple[int, int], float] = OrderedDict()

    def play(self, part: int, pitch: int, onset_seconds: float) -> None:
        """Take in a note that was played, in the part's own register."""
        self._waiting.append((part, pitch, onset_seconds))
        if self.count or len(self._waiting) >= TOGETHER:
            self._catch_up()

    def _catch_up(self) -> None:
        for played in self._waiting:
            self._look_at(*played)
        self._waiting.clear()

    def _look_at(self, part: int, pitch: int, onset_seconds: float) -> None:
        if self._onset is None or onset_seconds > self._onset:
            if self._rhythm.look(onset_seconds).notes == 0 and self._phrase:
                self._before = tuple(self._phrase)
                self._phrase.clear()
            self._rhythm.hear(onset_seconds)
            self._onset = onset_seconds
        self._phrase.append((part, pitch))
        line = self._lines.get(part)
        if line is None:
            line = self._lines[part] = deque(maxlen=2)
        self._usual_classes = [weight * FADE for weight in self._usual_classes]
        self._usual_classes[pitch % 12] += 1
        if line:
            self._usual_steps = [weight * FADE for weight in self._usual_steps]
            self._usual_steps[_step(pitch - line[-1])] += 1
        line.append(pitch)

    def vote(self, *, good: bool) -> bool:
        """Count a vote on the last phrase; return whether there is one."""
        self._catch_up()
        # Who votes as a phrase begins means the one before it.
        notes = tuple(self._phrase) if len(self._phrase) > 1 or not self._before else self._before
        if not notes:
            return False
        self.count += 1
        sign = 1.0 if good else -1.0
        _add(self._register, sign * REGISTER * _around([pitch for _, pitch in notes]), MOST_REGISTER)
        lines = [[pitch for part, pitch in notes if part == each] for each in sorted({part for part, _ in notes})]
        steps, classes = np.zeros_like(self._steps), np.zeros_like(self._classes)
        for line in lines:
            for pitch in line:
                classes[pitch % 12] += 1
            for before, after in pairwise(line):
                steps[_step(after - before)] += 1
            self._vote_on_figures(line, sign)
        _add(self._steps, sign * SHARE * (_shares(steps) - _shares(np.array(self._usual_steps))), MOST_SHARE)
        _add(self._classes, sign * SHARE * (_shares(classes) - _shares(np.array(self._usual_classes))), MOST_SHARE)
        return True

    def _vote_on_figures(self, line: Sequence[int], sign: float) -> None:
        steps = [after - before for before, after in pairwise(line)]
        for figure in Counter(pairwise(steps)):
            worth = self._figures.pop(figure, 0.0) + sign * FIGURE
            self._figures[figure] = max(-MOST_FIGURE, min(MOST_FIGURE, worth))
            if len(self._figures) > FIGURES:
                self._figures.popitem(last=False)

    def weigh(self, part: int, logs: LogProbabilities) -> LogProbabilities:
        """Return a part's log-probabilities, shape (128,), of its next note, as the votes change them."""
        if not self.count:
            return logs
        weighed: LogProbabilities = logs + self._register + self._classes[_CLASSES]
        line = self._lines.get(part)
        if line:
            weighed += self._steps[np.clip(_PITCHES - line[-1], -STEP, STEP) + STEP]
        if line and len(line) > 1:
            latest = line[-1] - line[-2]
            for (first, second), worth in self._figures.items():
                if first == latest and 0 <= line[-1] + second < PITCHES:
                    weighed[line[-1] + second] += worth
        return weighed


def check_command(command: str) -> None:
    """Check that a command is one of `COMMANDS`.

    :raises ConfigError: if it is not.
    """
    if command not in COMMANDS:
        raise ConfigError(f"there is no command {shown(command)}; there are: {', '.join(COMMANDS)}")


def _step(semitones: int) -> int:
    return max(-STEP, min(STEP, semitones)) + STEP


def _around(pitches: Sequence[int]) -> Numbers:
    """Return how near each pitch, 0–127, is to the middle half of these: 1 within, 0 from BORDER semitones on."""
    low, high = np.quantile(pitches, (0.25, 0.75))
    far = np.maximum(np.maximum(low - _PITCHES, _PITCHES - high), 0.0)
    near: Numbers = np.maximum(0.0, 1.0 - far / BORDER)
    return near


def _shares(counts: Numbers) -> Numbers:
    shares: Numbers = counts / max(1.0, float(counts.sum()))
    return shares


def _add(worth: Numbers, more: Numbers, most: float) -> None:
    """Add to what is worth something, within bounds."""
    np.clip(worth + more, -most, most, out=worth)
