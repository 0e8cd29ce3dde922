"""The causal decoder: the original's decoding for a tune that has not ended.

The original ranks the finished output of a whole piece, so it cannot know its first note before its last. Here the last
`MEMORY` notes stand for the piece: at each note the decoder does what the original would do if the piece ended now, and
keeps only this note's answer. It differs in three ways:

- What is not yet heard cannot count. A session therefore begins with tables saved with the model: how often each pitch
  occurred in training, the range of the outputs and how often each level of it occurred. They stand for `BORROWED`
  notes; every note heard takes the place of one, so that after so many all is the player's own.
- An answer once given stays, though later notes may change the ranks.
- A pitch that was not in training gets the next free number, as in an encoding by first appearance; there are 128 at
  most. An imported network has no tables: its first answer is the first note heard.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from improviser.core.arrays import Float64Array
from improviser.core.echo.decoding import levels_of
from improviser.core.echo.encoding import EncodedNotes, IntArray
from improviser.core.music.note import PITCHES
from improviser.errors import ModelError

MEMORY = 256
"""How many notes the ranks are taken from."""

BORROWED = 64
"""How many notes the tables of a model stand for when a session begins."""

GOLDEN_RATIO = (1 + 5**0.5) / 2
"""Its multiples, modulo 1, spread evenly however many there are."""

OTHERS = 1e-4
"""The probability shared by all pitches but the chosen one."""
CHOSEN = math.log(1.0 - OTHERS)

AWAY: Float64Array = -(np.abs(np.arange(1 - PITCHES, PITCHES)) / 4.0 + PITCHES)
"""How little a pitch that is no level's is preferred, by its distance: shape (255,), the decoded one in the middle."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What a session starts from.

    :param pitches: the different pitches of the training notes in order of first appearance, 0–127.
    :param pitch_counts: how often each occurred, ≥ 1.
    :param output_range: the lowest and the highest raw output over the training notes.
    :param level_counts: how often each of the K + 1 levels of that range occurred.
    :raises ModelError: if they do not fit each other.
    """

    pitches: tuple[int, ...] = ()
    pitch_counts: tuple[int, ...] = ()
    output_range: tuple[float, float] = (0.0, 0.0)
    level_counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        lowest, highest = self.output_range
        sound = (
            len(set(self.pitches)) == len(self.pitches) == len(self.pitch_counts)
            and all(0 <= pitch < PITCHES for pitch in self.pitches)
            and all(0 < count < 2**31 for count in self.pitch_counts)
            and all(0 <= count < 2**31 for count in self.level_counts)
            and len(self.level_counts) == (len(self.pitches) + 1 if self.pitches else 0)
            and sum(self.level_counts) == sum(self.pitch_counts)
            and np.isfinite(highest - lowest)
            and lowest <= highest
        )
        if not sound:
            raise ModelError("its tables of pitches and levels do not fit each other; it is damaged")

    @classmethod
    def of(cls, notes: EncodedNotes, raw: Float64Array) -> Self:
        """Return the tables of a training sequence and the raw outputs for it."""
        steps = len(notes.pitches)
        levels = np.bincount(levels_of(raw, steps), minlength=steps + 1)
        lowest, highest = float(raw.min()), float(raw.max())
        return cls(notes.pitches, tuple(notes.counts.tolist()), (lowest, highest), tuple(levels.tolist()))

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Return the tables held by a model's settings.

        :raises ModelError: if they are not sound.
        """
        try:
            pitches, pitch_counts, level_counts = (
                _whole_numbers(settings[key]) for key in ("pitches", "pitch_counts", "level_counts")
            )
            lowest, highest = settings["output_range"]
            return cls(pitches, pitch_counts, (float(lowest), float(highest)), level_counts)
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise ModelError("its tables of pitches and levels are missing or damaged") from error

    def settings(self) -> dict[str, Any]:
        """Return the tables as JSON values."""
        return {
            "pitches": list(self.pitches),
            "pitch_counts": list(self.pitch_counts),
            "output_range": list(self.output_range),
            "level_counts": list(self.level_counts),
        }

    def memory(self) -> tuple[IntArray, Float64Array]:
        """Return up to `BORROWED` notes, as numbers and raw outputs, that are distributed as in training."""
        if not self.pitches:
            return np.zeros(0, np.int64), np.zeros(0)
        lowest, highest = self.output_range
        outputs = np.linspace(lowest, highest, len(self.level_counts))
        return _spread(np.arange(len(self.pitches)), self.pitch_counts), _spread(outputs, self.level_counts)


@dataclass(frozen=True, slots=True)
class _Tally:
    """What notes say of themselves: the range of their outputs, how often each number and each level of it occurs.

    :param length: of the piece they are, which may have one note more.
    :param step: the height of a level, 0 if there is only one.
    :param firsts: where each level occurs first; those that do not, at `length`.
    """

    length: int
    lowest: float
    highest: float
    step: float
    counts: list[int]
    level_counts: list[int]
    firsts: list[int]
    last_level: int

    @classmethod
    def of(cls, numbers: IntArray, outputs: Float64Array, pitches: int, length: int) -> Self:
        """Count; `pitches` is how many numbers there are."""
        counts = np.bincount(numbers, minlength=pitches)
        steps = int(np.count_nonzero(counts))
        levels = levels_of(outputs, steps)
        firsts = np.full(steps + 1, length)
        # Written back to front: of several notes on one level the first one stays.
        firsts[levels[::-1]] = np.arange(len(levels) - 1, -1, -1)
        lowest, highest = float(outputs.min()), float(outputs.max())
        step = (highest - lowest) / steps
        level_counts = np.bincount(levels, minlength=steps + 1).tolist()
        sound = step if np.isfinite(step) else 0.0
        return cls(length, lowest, highest, sound, counts.tolist(), level_counts, firsts.tolist(), int(levels[-1]))

    def holds(self, number: int, raw: float) -> bool:
        """Say whether one note more, of this number and output, changes neither range nor number of levels."""
        return self.lowest <= raw <= self.highest and number < len(self.counts) and self.counts[number] > 0

    def with_note(self, number: int, raw: float) -> "_Tally":
        """Return the tally with one note more that it `holds`."""
        counts, level_counts, firsts = self.counts.copy(), self.level_counts.copy(), self.firsts.copy()
        counts[number] += 1
        level = min(round((raw - self.lowest) / self.step), len(firsts) - 1) if self.step > 0 else 0
        level_counts[level] += 1
        firsts[level] = min(firsts[level], self.length - 1)
        return _Tally(self.length, self.lowest, self.highest, self.step, counts, level_counts, firsts, level)

    def notes_of_levels(self) -> list[int]:
        """Return the number that each level stands for, as `decoding.notes_of_levels` does."""
        counts = self.counts
        ranked = sorted((number for number in range(len(counts)) if counts[number]), key=lambda number: -counts[number])
        keys = [first - count * (self.length + 1) for count, first in zip(self.level_counts, self.firsts, strict=True)]
        notes = [0] * len(keys)
        for level, number in zip(sorted(range(len(keys)), key=keys.__getitem__), ranked, strict=False):
            notes[level] = number
        return notes


class CausalDecoder:
    """The memory of one session; all of it is bounded."""

    def __init__(self, tables: Tables) -> None:
        self._pitches = list(tables.pitches)
        self._number = {pitch: place for place, pitch in enumerate(tables.pitches)}
        numbers, raw = tables.memory()
        self._borrowed = self._length = len(numbers)
        self._next = 0
        self._numbers = np.zeros(MEMORY, np.int64)
        self._raw = np.zeros(MEMORY)
        self._numbers[: self._length] = numbers
        self._raw[: self._length] = raw
        self._tally = self._count() if self._length else None
        """Counted ahead, so that little is left to do when a note waits for its answer."""

    def number_of(self, pitch: int) -> int:
        """Return the number that `pitch` has, or would have if it were heard now."""
        return self._number.get(pitch, len(self._number))

    def hear(self, pitch: int, raw: float) -> None:
        """Take in a note of the player and the network's output at it."""
        number = self.number_of(pitch)
        if number == len(self._pitches):
            self._number[pitch] = number
            self._pitches.append(pitch)
        self._numbers[self._next] = number
        self._raw[self._next] = raw
        self._next = (self._next + 1) % MEMORY
        if self._borrowed:
            self._borrowed -= 1
        elif self._length < MEMORY:
            self._length += 1
        self._tally = self._count()

    def _count(self, *more: tuple[int, float]) -> _Tally:
        """Count what is remembered, and perhaps one note more; the piece is one note longer than the memory."""
        numbers, raw = self._chronological(self._numbers), self._chronological(self._raw)
        for number, output in more:
            numbers, raw = np.append(numbers, number), np.append(raw, output)
        pitches = max(len(self._pitches), *(number + 1 for number, _ in more), 0)
        return _Tally.of(numbers, raw, pitches, self._length + 1)

    def log_preferences(self, pitch: int, raw: float) -> Float64Array:
        """Return log-probabilities, shape (128,), of the answer to `pitch`, at which the network put out `raw`.

        The decoded pitch has all but `OTHERS`. The rest goes to the pitches of the neighbouring levels, the nearer the
        more, and last to the pitches around the decoded one: where it may not be played, the next best one is.
        """
        number = self.number_of(pitch)
        before = self._tally
        holds = before is not None and before.holds(number, raw)
        tally = before.with_note(number, raw) if before is not None and holds else self._count((number, raw))
        pitches = self._pitches if number < len(self._pitches) else [*self._pitches, pitch]
        sung = [pitches[note] for note in tally.notes_of_levels()]
        level = tally.last_level
        choice = sung[level]
        logs = AWAY[PITCHES - 1 - choice : 2 * PITCHES - 1 - choice].copy()
        # The nearest level is written last, so that it stays.
        for distance in range(max(level, len(sung) - 1 - level), 0, -1):
            for neighbour in (level - distance, level + distance):
                if 0 <= neighbour < len(sung):
                    logs[sung[neighbour]] = -distance
        logs[choice] = -math.inf
        logs += math.log(OTHERS / float(np.exp(logs).sum()))
        logs[choice] = CHOSEN
        return logs

    def _chronological(self, ring: Any) -> Any:
        """Return the remembered values, the oldest first: what is still borrowed counts as older than all heard."""
        if self._borrowed or self._length == MEMORY:
            return np.concatenate([ring[self._next : self._length], ring[: self._next]])
        return ring[: self._length]


def _whole_numbers(values: Sequence[Any]) -> tuple[int, ...]:
    if not all(type(value) is int for value in values):
        raise TypeError("a table holds whole numbers")
    return tuple(values)


def _spread(values: Any, counts: Sequence[int]) -> Any:
    """Repeat `values` as `counts` say, scaled down to `BORROWED` in all, and mixed, so that none is forgotten first."""
    total = sum(counts)
    length = min(total, BORROWED)
    middles = (np.arange(length) + 0.5) * (total / length)
    mixed = np.argsort(np.arange(length) * GOLDEN_RATIO % 1.0, kind="stable")
    return values[np.searchsorted(np.cumsum(counts), middles, side="right")][mixed]
