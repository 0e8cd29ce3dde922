"""Chords as one event, and the two hands: what of the player's notes belongs together, and which of them are the tune.

Notes that begin within a chord's spread, while the first of them is still held, are one chord. The spread follows the
player: twice that of the last chords. A note that is a step away from a single one before, and later than fingers that
fall together, is a grace note of a line, and no chord.

Hands are told apart by the widest gap in what sounds, where it is wide, and else by where it was before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from improviser.core.live.player.held import Held

Key = tuple[int, int]
"""A key of the player's: channel and pitch."""

SPREAD, FADE, ROOM = (0.055, 0.08), 0.8, 0.02
FIRST_SPREAD = 0.06
QUIET_SECONDS = 0.032
"""A chord is not complete before it has been quiet for so long."""
TOGETHER = 0.012
"""Fingers that fall together are this close."""
STEP = 2
LEGATO_INTERVAL, LEGATO_SECONDS = 7, 0.3
LEGATO_NOTES = 4
"""Who has begun so many notes before the last was released plays legato."""
CHORDAL_SECONDS = 3.0
"""So long after a chord, or two hands, a line alone is not taken for all there is."""
LEFT, LONGEST_LEFT = 1.3, 8.0
"""A slow left hand is there for so many times as long as it waited last, and no longer than so many seconds."""
NEVER = -1e9
GAP, BORDER, BORDERS = 6, 58.0, (48.0, 67.0)
BASS_BELOW = 57
"""The left hand's lowest note is a bass if it is lower than this."""
KEPT_SECONDS = 1.5
"""So long a note that only a pedal keeps counts."""


@dataclass(slots=True)
class Chord:
    """Notes that were struck together, or one."""

    onset: float
    keys: list[Key]
    latest: float
    grew: bool = False

    @property
    def pitches(self) -> list[int]:
        """The pitches, as they came."""
        return [pitch for _, pitch in self.keys]


class Spread:
    """How far apart the notes of a chord of this player's begin, in seconds."""

    def __init__(self) -> None:
        self._mean = (FIRST_SPREAD - ROOM) / 2

    @property
    def seconds(self) -> float:
        """After this the chord is complete."""
        return max(SPREAD[0], min(SPREAD[1], 2 * self._mean + ROOM))

    def learn(self, chord: Chord) -> None:
        """Take in a chord that is complete."""
        if chord.grew:
            self._mean = FADE * self._mean + (1 - FADE) * (chord.latest - chord.onset)


class Texture(NamedTuple):
    """What sounds when a chord has been struck, or so far.

    :param sounding: the pitches that count.
    :param tune: the pitch of the tune.
    :param is_chordal: whether there is more to hear than one line.
    :param has_bass: whether the player plays a bass himself.
    :param moves_tune: whether the tune has a note in the chord.
    :param moves_left: whether the left hand has.
    :param held: the pitches of keys that are down: no answer may be one of them.
    :param reach: how many semitones further down the chord may go that begins.
    """

    sounding: frozenset[int]
    tune: int
    is_chordal: bool
    has_bass: bool
    moves_tune: bool
    moves_left: bool
    held: frozenset[int]
    reach: int = 0


@dataclass(slots=True)
class Listener:
    """Hears chords and hands in what the player holds."""

    held: Held = field(default_factory=Held)
    spread: Spread = field(default_factory=Spread)
    chord: Chord | None = None
    _tune: int | None = None
    _border: float = BORDER
    _chordal: float = NEVER
    _singles: dict[int, float] = field(default_factory=dict)
    _left: float = NEVER
    _left_gap: float = 0.0
    """How long the left hand waited before its last chord."""
    _connected: int = 0
    left_lane: int | None = None
    tune_lane: int | None = None
    """The lanes that the left hand's last note, and the tune's, came by."""

    @property
    def plays_legato(self) -> bool:
        """Whether the player has begun the last notes before those before were released."""
        return self._connected >= LEGATO_NOTES

    def hears_one_line(self, now: float) -> bool:
        """Say whether a note that begins now is one of a line, and nothing else sounds."""
        return not len(self.held) and now - self._chordal >= CHORDAL_SECONDS

    def complete_at(self, chord: Chord) -> float:
        """Return when a chord has all its notes: after its spread, and a while after the last of them."""
        return min(chord.onset + SPREAD[1], max(chord.onset + self.spread.seconds, chord.latest + QUIET_SECONDS))

    def joins(self, key: Key, now: float) -> bool:
        """Say whether a note that is struck now is one of the chord's that was struck last."""
        chord = self.chord
        if chord is None or now >= self.complete_at(chord) or not any(map(self.held.is_down, chord.keys)):
            return False
        alone = len(chord.keys) == 1 and now - chord.onset > TOGETHER
        return not (alone and abs(key[1] - chord.keys[0][1]) <= STEP)

    def strike(self, key: Key, now: float) -> None:
        """Take in a note that begins a chord."""
        if self.chord is not None and self.chord.grew is False:
            self._singles[self.chord.keys[0][1]] = self.chord.onset
        if self.chord is not None and key not in self.chord.keys:  # the same key cannot be connected
            self._connected = self._connected + 1 if any(map(self.held.is_down, self.chord.keys)) else 0
        self.chord = Chord(now, [key], now)

    def join(self, key: Key, now: float) -> None:
        """Take in a further note of the chord."""
        if self.chord is not None:
            self.chord.keys.append(key)
            self.chord.latest = now
            self.chord.grew = True
            self._chordal = now

    def complete(self) -> None:
        """Take in that the chord has all its notes."""
        if self.chord is not None:
            self.spread.learn(self.chord)

    @property
    def border(self) -> float:
        """The pitch between the hands."""
        return self._border

    def is_left(self, pitch: int) -> bool:
        """Say whether a pitch is the left hand's."""
        return pitch < self._border

    @property
    def left_struck(self) -> list[int]:
        """The pitches of the last chord that are the left hand's."""
        return [] if self.chord is None else [*filter(self.is_left, self.chord.pitches)]

    def left_was_here(self, now: float) -> bool:
        """Say whether the left hand has played lately."""
        return now - self._left < max(CHORDAL_SECONDS, min(LONGEST_LEFT, LEFT * self._left_gap))

    def texture(self, now: float, split: int | None = None) -> Texture:
        """Return what sounds now that the chord's notes so far have been struck.

        :param split: the lowest key of the right hand, if the player has said.
        """
        chord = self.chord
        if chord is not None and len(self.held) == 1 and not chord.grew and now - self._chordal >= CHORDAL_SECONDS:
            self._tune = pitch = chord.keys[0][1]
            alone = frozenset((pitch,))
            return Texture(alone, pitch, False, False, True, False, alone)
        struck = chord.pitches if chord is not None else []
        down = self.held.down
        sounding = self._together(down, struck, now)
        chordal = len(sounding) > 1 or now - self._chordal < CHORDAL_SECONDS
        if chordal:
            kept = {pitch for pitch, since in self.held.kept.items() if now - since < KEPT_SECONDS}
            sounding |= kept
        self._place_border(sounding, split)
        if len(sounding) > 1 and max(sounding) - min(sounding) > LEGATO_INTERVAL:
            self._chordal = now
        low = min(sounding)
        two = chordal and self.is_left(low)
        has_bass = two and low < BASS_BELOW
        right = [pitch for pitch in struck if not self.is_left(pitch)] if chordal else struck
        over = [pitch for pitch in sounding if not self.is_left(pitch)]
        if right:
            self._tune = max(right)
        elif over:
            self._tune = max(over)
        elif self._tune is None or now - self._chordal >= CHORDAL_SECONDS or not two:
            self._tune = max(sounding)
        left = two and any(map(self.is_left, struck))
        if left and chord is not None and chord.onset > self._left:
            gap = chord.onset - self._left
            self._left_gap = gap if gap < LONGEST_LEFT else 0.0
            self._left = chord.onset
        tune = self._tune if self._tune is not None else low
        self._learn_lanes(tune)
        return Texture(sounding, tune, chordal, has_bass, tune in struck, left, frozenset(down))

    def _learn_lanes(self, tune: int) -> None:
        """Take in by which lanes the hands' notes of the last chord came."""
        for lane, pitch in self.chord.keys if self.chord is not None else ():
            if pitch == tune:
                self.tune_lane = lane
            elif self.is_left(pitch):
                self.left_lane = lane

    def _together(self, down: dict[int, float], struck: list[int], now: float) -> frozenset[int]:
        """Return the pitches of keys that are down, without those that overlap the next for a moment.

        In a line that is what legato does. In the left hand nobody means notes a step apart: one of them is leaving.
        """
        if self.chord is None or len(down) <= len(struck):
            return frozenset(down) | frozenset(struck)
        previous = max((since for pitch, since in down.items() if pitch not in struck), default=now)
        line = {
            pitch
            for pitch, since in down.items()
            if pitch not in struck
            and self._singles.get(pitch) == since
            and (since == previous or now - since < LEGATO_SECONDS)
            and min(abs(pitch - other) for other in struck) <= LEGATO_INTERVAL
        }
        left = [pitch for pitch in struck if self.is_left(pitch)]
        leaving = {pitch for pitch in down if any(0 < abs(pitch - other) <= STEP for other in left)} if left else set()
        return frozenset(set(down) - line - leaving | set(struck))

    def _place_border(self, sounding: Iterable[int], split: int | None) -> None:
        if split is not None:
            self._border = float(split)
            return
        ordered = sorted(sounding)
        gaps = [(after - before, (after + before) / 2) for before, after in pairwise(ordered)]
        if gaps:
            width, middle = max(gaps)
            if width >= GAP and ordered[0] < BORDERS[1]:
                self._border = 0.5 * self._border + 0.5 * max(BORDERS[0], min(BORDERS[1], middle))

    def forget_hands(self) -> None:
        """Forget where the hands are, and that there are two."""
        self._border, self._chordal, self._left, self._left_gap = BORDER, NEVER, NEVER, 0.0

    def forget(self) -> None:
        """Forget what is held."""
        self.held.clear()
        self.chord = None
        self._singles.clear()
