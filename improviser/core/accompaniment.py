"""What an accompanying voice knows: the player's notes, its own, and the viewpoints on them for its next note."""

from dataclasses import dataclass

from improviser.core.keys import KeyTracker, estimate_key
from improviser.core.rhythm import BEAT_CLASSES, CLASSES, COUNT_CLASSES, Moment, RhythmTracker
from improviser.core.viewpoints import Choice, Numbers, clipped

# The register of the players in the corpus, sopranos of chorales; others are heard an octave or more away.
PLAYER_LOW, PLAYER_HIGH, PLAYER_CENTRE = 57, 81, 69
# How much of a running mean is left one note later.
MEAN_FADE = 0.9
# Steps of melody that are told apart, in semitones; larger ones count as the largest.
STEP = 7
OWN_STEP = 12


@dataclass(slots=True)
class Situation:
    """The moment of one note to answer; pitches are MIDI numbers, None where there is none yet."""

    tonic: int
    minor: float
    histogram: list[float]
    pitch: int
    earlier: tuple[int | None, int | None]
    own: tuple[int | None, int | None, int | None]
    rested: bool
    mean: float
    own_mean: float
    own_centre: int
    moment: Moment


def _degree(pitch: int | None, now: Situation) -> int | None:
    return None if pitch is None else (pitch - now.tonic) % 12


def _step(pitch: int | None, before: int | None, limit: int) -> int | None:
    return None if pitch is None or before is None else clipped(pitch - before, limit)


def _vertical(pitch: int | None, own: int | None) -> int | None:
    return None if pitch is None or own is None else (pitch - own) % 12


def _rotated(now: Situation) -> list[float]:
    total = sum(now.histogram)
    return [now.histogram[(now.tonic + degree) % 12] * 3.0 / total for degree in range(12)]


def into_register(pitch: int) -> int:
    """Return `pitch` moved by octaves into the register of the players in the corpus."""
    if pitch < PLAYER_LOW:
        return pitch + 12 * (-(-(PLAYER_LOW - pitch) // 12))
    return pitch - 12 * (-(-(pitch - PLAYER_HIGH) // 12)) if pitch > PLAYER_HIGH else pitch


VIEWPOINTS: dict[str, Choice[Situation] | Numbers[Situation]] = {
    "player degree": Choice(12, lambda now: _degree(now.pitch, now)),
    "player degree 1": Choice(12, lambda now: _degree(now.earlier[0], now)),
    "player degree 2": Choice(12, lambda now: _degree(now.earlier[1], now)),
    "player interval": Choice(2 * STEP + 1, lambda now: _step(now.pitch, now.earlier[0], STEP)),
    "player interval 1": Choice(2 * STEP + 1, lambda now: _step(now.earlier[0], now.earlier[1], STEP)),
    "own degree 1": Choice(12, lambda now: _degree(now.own[0], now)),
    "own degree 2": Choice(12, lambda now: _degree(now.own[1], now)),
    "own interval 1": Choice(2 * OWN_STEP + 1, lambda now: _step(now.own[0], now.own[1], OWN_STEP)),
    "own interval 2": Choice(2 * OWN_STEP + 1, lambda now: _step(now.own[1], now.own[2], OWN_STEP)),
    "own interval sign 2": Choice(3, lambda now: _step(now.own[1], now.own[2], 1)),
    "held vertical": Choice(12, lambda now: _vertical(now.pitch, now.own[0])),
    "vertical 1": Choice(12, lambda now: _vertical(now.earlier[0], now.own[0])),
    "vertical 2": Choice(12, lambda now: _vertical(now.earlier[1], now.own[1])),
    "gap": Choice(CLASSES, lambda now: now.moment.gap_class),
    "gap 1": Choice(CLASSES, lambda now: now.moment.earlier_gap_class),
    "beat": Choice(BEAT_CLASSES, lambda now: now.moment.beat_class),
    "count": Choice(COUNT_CLASSES, lambda now: now.moment.count_class),
    "rested": Choice(1, lambda now: 0 if now.rested else None),
    "first": Choice(1, lambda now: 0 if now.own[0] is None else None),
    "histogram": Numbers(12, _rotated),
    "minor": Numbers(1, lambda now: (2.0 * now.minor - 1.0,)),
    "heights": Numbers(
        4,
        lambda now: (
            (into_register(now.pitch) - PLAYER_CENTRE) / 6.0,
            max(-2.0, min(2.0, (now.pitch - now.mean) / 6.0)),
            0.0 if now.own[0] is None else (now.own[0] - now.own_centre) / 6.0,
            max(-2.0, min(2.0, (now.own_mean - now.own_centre) / 6.0)),
        ),
    ),
}


class Accompaniment:
    """One session of an accompanying voice; bounded, whatever its length.

    :param own_centre: the middle of the voice's register.
    """

    def __init__(self, own_centre: int) -> None:
        self._own_centre = own_centre
        self._keys = KeyTracker()
        self._rhythm = RhythmTracker()
        self._player: tuple[int | None, int | None] = (None, None)
        self._own: tuple[int | None, int | None, int | None] = (None, None, None)
        self._rested = False
        self._mean: float | None = None
        self._own_mean = float(own_centre)

    def look(self, pitch: int, onset_seconds: float) -> Situation:
        """Return the situation in which the player's `pitch` starts now; changes nothing."""
        histogram = self._keys.with_note(pitch)
        tonic, minor = estimate_key(histogram)
        return Situation(
            tonic=tonic,
            minor=minor,
            histogram=histogram,
            pitch=pitch,
            earlier=self._player,
            own=self._own,
            rested=self._rested,
            mean=pitch if self._mean is None else self._mean,
            own_mean=self._own_mean,
            own_centre=self._own_centre,
            moment=self._rhythm.look(onset_seconds),
        )

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Take in the player's note, and the voice's own against it (None: it rests)."""
        self._keys.hear(pitch)
        self._rhythm.hear(onset_seconds)
        self._player = (pitch, self._player[0])
        self._mean = pitch if self._mean is None else MEAN_FADE * self._mean + (1 - MEAN_FADE) * pitch
        self._rested = played is None
        if played is not None:
            self._keys.hear(played)
            self._own = (played, self._own[0], self._own[1])
            self._own_mean = MEAN_FADE * self._own_mean + (1 - MEAN_FADE) * played
