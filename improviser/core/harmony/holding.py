"""Holding over: whether a voice that stays on its pitch holds the note on, or strikes it again.

A network says which pitch a voice has with the player's next note. Where that is the pitch it already has, Bach's
voices may hold it over: when, a few weights say, which are bred on the corpus (`training.holding`) and asked in a
session by the same code.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from improviser.core.harmony.session import Situation
from improviser.core.music.rhythm import CLASSES

STEPS = 8
"""Steps of the player's that are told apart, in semitones; larger ones count as the largest."""
PLACES = 6
"""Where in a pulse: on one of four pulses, half or a quarter between."""
SIZES = {"always": 1, "vertical": 12, "place": PLACES, "gap": CLASSES, "step": STEPS, "first": 1, "again": 1}
"""How many weights each viewpoint has: one that always counts; the interval to the player's new note; the place in the
pulse; the length of the player's last note; his step to the new one; whether that begins a phrase; whether the voice
has already stayed."""
WEIGHTS = sum(SIZES.values())
MOST = 50.0
"""Nats; beyond this a probability is as good as certain."""
_BEGINS = dict(zip(SIZES, accumulate(SIZES.values(), initial=0), strict=False))


def seen(now: Situation) -> list[int]:
    """Return which of the weights count, where the voice stays on its pitch."""
    moment, own = now.moment, now.own[0]
    found = [_BEGINS["always"]]
    if own is not None:
        found.append(_BEGINS["vertical"] + (now.pitch - own) % 12)
    found.append(_BEGINS["place"] + moment.beat_class % PLACES)
    if moment.gap_class is not None:
        found.append(_BEGINS["gap"] + moment.gap_class)
    if now.earlier is not None:
        found.append(_BEGINS["step"] + min(STEPS - 1, abs(now.pitch - now.earlier)))
    if moment.notes == 0:
        found.append(_BEGINS["first"])
    if own is not None and own == now.own[1]:
        found.append(_BEGINS["again"])
    return found


@dataclass(frozen=True, slots=True)
class Holding:
    """Says how likely a note is held over.

    :param weights: one for each thing `seen`, in nats; WEIGHTS of them.
    """

    weights: Sequence[float]

    def odds(self, now: Situation) -> float:
        """Return the logarithm of the odds, in nats, that the voice's note is held over where it stays on its pitch."""
        return sum(self.weights[number] for number in seen(now))


def probability(odds: float, temperature: float = 1.0) -> float:
    """Return how likely something of such odds (nats) is, 0–1, at a temperature ≥ 0: 0 takes what is likelier."""
    if temperature <= 0:
        return float(odds > 0)
    return 1 / (1 + math.exp(-max(-MOST, min(MOST, odds / temperature))))


BASS = (
    0.26,
    -0.29, 0.09, 1.25, -0.92, -0.64, 0.79, -0.00, -0.24, -0.11, 0.21, 0.09, 0.02,
    -0.49, -0.21, -0.49, -0.32, 1.03, 0.72,
    0.74, 1.35, -0.47, -0.85, -0.52,
    -0.63, 0.52, 0.35, 0.12, -0.20, 0.04, 0.02, 0.03,
    -0.91,
    -0.37,
)  # fmt: skip
"""The weights of a bass whose model has none of its own, by viewpoint; bred on all chorales that `bach-bass` learned
from (`tests.benchmarks.hold_fit`)."""
INNER = (
    -0.30,
    -0.50, 0.81, 0.96, -0.26, -0.22, 0.16, 0.09, -0.20, -0.75, -0.75, 0.23, 0.14,
    -0.77, -0.57, -0.75, -0.39, 1.52, 0.66,
    0.56, 0.77, -0.27, -1.06, -0.30,
    -0.51, 0.22, 0.33, -0.08, -0.25, -0.05, 0.01, 0.03,
    -0.69,
    -0.46,
)  # fmt: skip
"""The weights of any other voice, bred there for the tenor."""
