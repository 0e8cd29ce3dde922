"""A choir: several genomes of one shape that sing as one voice, and the settings they share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.note import PITCHES
from improviser.core.networks.network import Shape
from improviser.core.networks.responder import LogProbabilities
from improviser.errors import ModelError

LEVELS = ("live", "score")
TOP = "soprano"
# The register of the sopranos of BWV 253–438.
SOPRANOS = (57, 81)
MAX_MEMBERS = 64
MAX_HIDDEN = 1024
MAX_REACH = 48
MOST = 1000.0


@dataclass(frozen=True, slots=True)
class ChoirSettings:
    """What a model's file says about its genomes.

    :param voice: the voice it sings, for people to read.
    :param level: "live" (it needs only what a player gives) or "score".
    :param viewpoints: names of what the network sees.
    :param hidden: tanh units of one genome.
    :param low: lowest pitch of the register.
    :param high: highest pitch of the register.
    :param reach: largest interval with an output of its own.
    :param rest: whether a rest is scored, too.
    :param experts: names of the memory's experts that it weighs.
    :param player: lowest and highest pitch of the players it was evolved with (harmony).
    :param holding: weights for holding its notes over (`core.harmony.holding`); none: those of its kind of voice.
    :param context: how much each of the experts on all that sounds counts (`core.harmony.context`); the same.
    :param to: the voice that the player sings, for people to read (harmony).
    """

    voice: str
    level: str
    viewpoints: tuple[str, ...]
    hidden: int
    low: int
    high: int
    reach: int
    rest: bool
    experts: tuple[str, ...] = ()
    player: tuple[int, int] = SOPRANOS
    holding: tuple[float, ...] = ()
    context: Mapping[str, float] = field(default_factory=dict)
    to: str = TOP

    def shape(self, inputs: int, *, vertical: bool) -> Shape:
        """Return the shape of a genome that sees `inputs` numbers."""
        return Shape(
            inputs=inputs,
            hidden=self.hidden,
            low=self.low,
            high=self.high,
            reach=self.reach,
            vertical=vertical,
            rest=self.rest,
            experts=len(self.experts),
        )

    def to_json(self) -> dict[str, Any]:
        """Return these settings as JSON values."""
        values = {
            "voice": self.voice,
            "level": self.level,
            "viewpoints": list(self.viewpoints),
            "hidden": self.hidden,
            "register": [self.low, self.high],
            "reach": self.reach,
            "rest": self.rest,
            "experts": list(self.experts),
            "player": list(self.player),
        }
        bred = {"holding": list(self.holding), "context": dict(self.context)}
        values |= {name: value for name, value in bred.items() if value}
        return values | ({"to": self.to} if self.to != TOP else {})


def read_settings(settings: Mapping[str, Any]) -> ChoirSettings:
    """Return the settings in a model's file.

    :raises ModelError: if they are incomplete or out of range.
    """
    low, high = _register(settings.get("register"))
    level = settings.get("level")
    if level not in LEVELS:
        raise ModelError(f"it does not say whether it is one of {', '.join(LEVELS)}; it is damaged")
    voice = settings.get("voice", "")
    to = settings.get("to", TOP)
    if not isinstance(voice, str) or not isinstance(to, str):
        raise ModelError("its voice is no name; it is damaged")
    return ChoirSettings(
        voice=voice,
        level=level,
        viewpoints=_names(settings, "viewpoints"),
        hidden=_count(settings, "hidden", MAX_HIDDEN),
        low=low,
        high=high,
        reach=_count(settings, "reach", MAX_REACH),
        rest=settings.get("rest") is True,
        experts=_names(settings, "experts"),
        player=_register(settings.get("player", list(SOPRANOS))),
        holding=_weights(settings.get("holding", [])),
        context=_named_weights(settings.get("context", {})),
        to=to,
    )


def _register(pair: Any) -> tuple[int, int]:
    if not (isinstance(pair, list) and len(pair) == 2 and all(type(pitch) is int for pitch in pair)):
        raise ModelError("a register is missing or no pair of pitches; it is damaged")
    low, high = pair
    if not 0 <= low <= high < PITCHES:
        raise ModelError(f"its register {low}–{high} is no range of MIDI pitches; it is damaged")
    return low, high


def _weights(numbers: Any) -> tuple[float, ...]:
    if not (isinstance(numbers, list) and all(type(each) in (int, float) and abs(each) < MOST for each in numbers)):
        raise ModelError("its weights for holding notes over are no list of small numbers; it is damaged")
    return tuple(map(float, numbers))


def _named_weights(numbers: Any) -> dict[str, float]:
    sound = isinstance(numbers, dict) and all(
        type(each) in (int, float) and abs(each) < MOST for each in numbers.values()
    )
    if not sound:
        raise ModelError("its weights for what sounds are no small numbers by name; it is damaged")
    return {str(name): float(number) for name, number in numbers.items()}


def _names(settings: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = settings.get(key, [])
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names) and len(set(names)) == len(names)):
        raise ModelError(f"its {key} are no list of different names; it is damaged")
    return tuple(names)


def _count(settings: Mapping[str, Any], key: str, limit: int) -> int:
    count = settings.get(key)
    if type(count) is not int or not 1 <= count <= limit:
        raise ModelError(f"its setting {key!r} must be a whole number from 1 to {limit}; it is damaged")
    return count


def check_genomes(genomes: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    """Return `genomes` if they are a choir of this shape: (members, genome_size), finite.

    :raises ModelError: if not.
    """
    if genomes.ndim != 2 or not 1 <= len(genomes) <= MAX_MEMBERS or genomes.shape[1] != shape.genome_size:
        raise ModelError(
            f"its genomes have the shape {genomes.shape}, and its settings ask for (members, {shape.genome_size})"
        )
    if not np.isfinite(genomes).all():
        raise ModelError("its genomes hold values that are not finite; it is damaged")
    return genomes


def normalised(scores: NDArray[np.floating]) -> LogProbabilities:
    """Return scores as log-probabilities: their exponentials sum to 1."""
    exact = scores.astype(np.float64)
    exact -= np.maximum.reduce(exact)
    exact -= np.log(np.add.reduce(np.exp(exact)))
    return exact
