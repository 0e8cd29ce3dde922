"""What an accompanying voice knows: the player's notes, its own, and the viewpoints on them for its next note."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.counterpoint import PERFECT
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.note import PITCHES
from improviser.core.music.rhythm import BEAT_CLASSES, CLASSES, COUNT_CLASSES, Moment, RhythmTracker
from improviser.core.networks.memory import INTERVALS, LEAST, Expert, condition, matrix
from improviser.core.networks.viewpoints import Choice, Numbers, clipped

# How much of a running mean is left one note later.
MEAN_FADE = 0.9
# Steps of melody that are told apart, in semitones; larger ones count as the largest.
STEP = 7
OWN_STEP = 12


@dataclass(slots=True)
class Situation:
    """The moment of one note to answer; pitches are MIDI numbers, None where there is none yet.

    `folded` is the player's pitch, moved into the register of the corpus, above the middle of that; `memory` is what
    the memory of the voice's own notes says about all pitches, and `certainties` how sure it is; `parallels` are the
    pitches (if any) that would make parallel fifths or octaves, and `register` the voice's lowest and highest.
    """

    tonic: int
    minor: float
    histogram: list[float]
    pitch: int
    folded: int
    earlier: int | None
    own: tuple[int | None, int | None]
    rested: bool
    mean: float
    own_mean: float
    own_centre: int
    moment: Moment
    memory: NDArray[np.float32]
    certainties: Sequence[float]
    parallels: slice | None
    register: tuple[int, int]
    # What the viewpoints say of it: where a choice lies, None where nothing does.
    player_degree: int = field(init=False)
    earlier_degree: int | None = field(init=False)
    player_interval: int | None = field(init=False)
    own_degree: int | None = field(init=False)
    own_interval: int | None = field(init=False)
    held_vertical: int | None = field(init=False)
    earlier_vertical: int | None = field(init=False)
    gap: int | None = field(init=False)
    earlier_gap: int | None = field(init=False)
    beat: int = field(init=False)
    count: int = field(init=False)
    rests: int | None = field(init=False)
    first: int | None = field(init=False)

    def __post_init__(self) -> None:
        """Find what the viewpoints say: all at once, which takes a third of the time that each by itself would."""
        pitch, earlier, (own, before), tonic, moment = self.pitch, self.earlier, self.own, self.tonic, self.moment
        self.player_degree = (pitch - tonic) % 12
        self.earlier_degree = None if earlier is None else (earlier - tonic) % 12
        self.player_interval = None if earlier is None else _STEPS[pitch - earlier]
        self.own_degree = None if own is None else (own - tonic) % 12
        self.own_interval = None if own is None or before is None else _OWN_STEPS[own - before]
        self.held_vertical = None if own is None else (pitch - own) % 12
        self.earlier_vertical = None if earlier is None or own is None else (earlier - own) % 12
        self.gap, self.earlier_gap = moment.gap_class, moment.earlier_gap_class
        self.beat, self.count = moment.beat_class, moment.count_class
        self.rests = 0 if self.rested else None
        self.first = 0 if own is None else None

    @property
    def experts(self) -> NDArray[np.float32]:
        """What each of EXPERTS says about the pitches of the register, shape (3, pitches)."""
        rows = self.memory.copy()
        if self.parallels is not None:
            rows[-1, self.parallels] += 1.0
        return rows[:, self.register[0] : self.register[1] + 1]


def _rotated(now: Situation) -> list[float]:
    histogram, tonic = now.histogram, now.tonic
    total = sum(histogram)
    return [weight * 3.0 / total for weight in histogram[tonic:] + histogram[:tonic]]


def into_register(pitch: int, register: tuple[int, int]) -> int:
    """Return `pitch` moved by octaves: up to the lowest pitch of `register` or above it, or down to its highest."""
    low, high = register
    if pitch < low:
        return pitch + 12 * (-(-(low - pitch) // 12))
    return pitch - 12 * (-(-(pitch - high) // 12)) if pitch > high else pitch


def _classes(limit: int) -> tuple[int, ...]:
    """Return the class of each distance of two pitches; the negative ones count from the end, as an index does."""
    return tuple(clipped(distance, limit) for distance in (*range(PITCHES), *range(1 - PITCHES, 0)))


_STEPS, _OWN_STEPS = _classes(STEP), _classes(OWN_STEP)


def _heights(now: Situation) -> tuple[float, float, float, float]:
    above, own, centre = (now.pitch - now.mean) / 6.0, now.own[0], now.own_centre
    own_above = (now.own_mean - centre) / 6.0
    return (
        now.folded / 6.0,
        max(-2.0, min(2.0, above)),
        0.0 if own is None else (own - centre) / 6.0,
        max(-2.0, min(2.0, own_above)),
    )


VIEWPOINTS: dict[str, Choice[Situation] | Numbers[Situation]] = {
    "player degree": Choice(12, attrgetter("player_degree")),
    "player degree 1": Choice(12, attrgetter("earlier_degree")),
    "player interval": Choice(2 * STEP + 1, attrgetter("player_interval")),
    "own degree 1": Choice(12, attrgetter("own_degree")),
    "own interval 1": Choice(2 * OWN_STEP + 1, attrgetter("own_interval")),
    "held vertical": Choice(12, attrgetter("held_vertical")),
    "vertical 1": Choice(12, attrgetter("earlier_vertical")),
    "gap": Choice(CLASSES, attrgetter("gap")),
    "gap 1": Choice(CLASSES, attrgetter("earlier_gap")),
    "beat": Choice(BEAT_CLASSES, attrgetter("beat")),
    "count": Choice(COUNT_CLASSES, attrgetter("count")),
    "rested": Choice(1, attrgetter("rests")),
    "first": Choice(1, attrgetter("first")),
    "histogram": Numbers(12, _rotated),
    "minor": Numbers(1, lambda now: (2.0 * now.minor - 1.0,)),
    "heights": Numbers(4, _heights),
    "certainties": Numbers(4, attrgetter("certainties")),
}
ALONE = 4
"""So many notes of the player's alone say which key is next when one is left."""
EXPERTS = ("own pitch", "own interval", "parallels")
_NOTHING = np.full((len(EXPERTS), PITCHES), LEAST, np.float32)


class Accompaniment:
    """One session of an accompanying voice; bounded, whatever its length.

    :param own: lowest and highest pitch of the voice's register.
    :param player: those of the players in the corpus; others are heard an octave or more away.
    :param rhythm: the player's, if several voices share it: then its owner tells it each note, after the voices.
    """

    def __init__(self, own: tuple[int, int], player: tuple[int, int], rhythm: RhythmTracker | None = None) -> None:
        self._low, self._high = own
        self._own_centre = sum(own) // 2
        self._register, self._centre = player, sum(player) // 2
        self._keys = ModulatingKeys(ALONE)
        self._rhythm = RhythmTracker() if rhythm is None else rhythm
        self._hears_rhythm = rhythm is None
        self._player: int | None = None
        self._own: tuple[int | None, int | None] = (None, None)
        self._rested = False
        self._mean: float | None = None
        self._own_mean = float(self._own_centre)
        self._pitch = Expert(PITCHES, 3)
        self._interval = Expert(INTERVALS, 3)
        self._pitches: deque[int] = deque(maxlen=3)
        self._steps: deque[int] = deque(maxlen=3)
        self._opinions = self._ask_experts()

    def moment(self, onset_seconds: float) -> Moment:
        """Return the rhythmic place of a note that starts now: all that `look` makes of its onset."""
        return self._rhythm.look(onset_seconds)

    def look(self, pitch: int, onset_seconds: float) -> Situation:
        """Return the situation in which the player's `pitch` starts now; changes nothing."""
        moment = self.moment(onset_seconds)
        histogram, (tonic, minor) = self._keys.look(pitch, moment)
        memory, certainties = self._opinions
        return Situation(
            tonic=tonic,
            minor=minor,
            histogram=histogram,
            pitch=pitch,
            folded=into_register(pitch, self._register) - self._centre,
            earlier=self._player,
            own=self._own,
            rested=self._rested,
            mean=pitch if self._mean is None else self._mean,
            own_mean=self._own_mean,
            own_centre=self._own_centre,
            moment=moment,
            memory=memory,
            certainties=certainties,
            parallels=self._parallels(pitch),
            register=(self._low, self._high),
        )

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note, and the voice's own against it (None: it rests)."""
        self._keys.hear_player(pitch, self.moment(onset_seconds))
        if self._hears_rhythm:
            self._rhythm.hear(onset_seconds)
        self._player = pitch
        self._mean = pitch if self._mean is None else MEAN_FADE * self._mean + (1 - MEAN_FADE) * pitch
        self._rested = played is None
        if played is not None:
            self._keys.hear(played)
            self._own = (played, self._own[0])
            self._own_mean = MEAN_FADE * self._own_mean + (1 - MEAN_FADE) * played
            self._remember(played)
        self._keys.prepare()

    def _remember(self, played: int) -> None:
        """Let the experts learn the voice's note, and ask them about the next: they need not wait for the player's."""
        self._pitch.learn(self._pitches, played)
        if self._pitches:
            step = played - self._pitches[-1]
            self._interval.learn(self._steps, step)
            self._steps.append(step)
        self._pitches.append(played)
        self._opinions = self._ask_experts()

    def _parallels(self, pitch: int) -> slice | None:
        """Return the pitches of the register that would make parallel fifths or octaves."""
        own, player = self._own[0], self._player
        if own is None or player is None or self._rested or player == pitch or (player - own) % 12 not in PERFECT:
            return None
        low, high = (max(own + 1, self._low), self._high) if pitch > player else (self._low, min(own - 1, self._high))
        first = low + (pitch - (player - own) - low) % 12
        return slice(first, high + 1, 12) if first <= high else None

    def _ask_experts(self) -> tuple[NDArray[np.float32], list[float]]:
        """Return what memory says about all pitches, conditioned, shape (3, 128), and how certain it is.

        Outside the register it expects nothing. The last row is for what depends on the player's note.
        """
        count = self._high - self._low + 1
        rows = [self._pitch.chances(self._pitches, self._low, count), [1.0] * count]
        if self._pitches:
            rows[1] = self._interval.chances(self._steps, self._low - self._pitches[-1], count)
        opinions, certainties = condition(matrix(rows))
        memory = _NOTHING.copy()
        memory[:2, self._low : self._high + 1] = opinions
        return memory, certainties
