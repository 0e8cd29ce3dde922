"""A small chorale whose numbers are drawn by lot: it answers every voice, and costs no time to make."""

from functools import cache

import numpy as np

from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.ornaments import SHAPES as ORNAMENT_SHAPES
from improviser.core.chorale.ornaments import Ornaments
from improviser.core.chorale.phrase_ends import SHAPES, EndTables
from improviser.core.chorale.terms import Terms
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import EXPERTS, VIEWPOINTS
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.viewpoints import Inputs

REGISTERS = ((57, 81), (53, 74), (48, 69), (36, 64))
NAMES = ("soprano", "alto", "tenor", "bass")
TYPES = (145, 137, 265)
SEEN = ("player degree", "own degree 1", "gap", "minor")


def network(part: int, given: int) -> HarmonyModel:
    """Return a network of a part that answers a voice."""
    low, high = REGISTERS[part]
    settings = ChoirSettings(
        voice=NAMES[part],
        level="live",
        viewpoints=SEEN,
        hidden=3,
        low=low,
        high=high,
        reach=7,
        rest=True,
        experts=EXPERTS,
        player=REGISTERS[given],
        to=NAMES[given],
    )
    shape = settings.shape(Inputs(SEEN, VIEWPOINTS).size, vertical=True)
    rng = np.random.default_rng(10 * part + given)
    return HarmonyModel(NAMES[part], settings, 0.3 * rng.standard_normal((1, shape.genome_size), dtype=np.float32))


@cache
def voices(given: int) -> ChoraleVoices:
    """Return what answers a voice."""
    rng = np.random.default_rng(given)
    numbers = 0.3 * rng.standard_normal(Terms(TYPES).size).astype(np.float32)
    ends = EndTables(**{name: np.full(shape, 0.3) for name, shape in SHAPES.items()})
    rates = {name: np.full(shape, 0.05 if name == "rates" else 1.0) for name, shape in ORNAMENT_SHAPES.items()}
    parts = [network(part, given) for part in range(4) if part != given]
    return ChoraleVoices(
        "small", parts, TYPES, numbers, (0.9, 0.8, 0.7), ends, given=given, ornaments=Ornaments(**rates)
    )


@cache
def small_chorale() -> ChoraleModel:
    """Return the model."""
    return ChoraleModel.of("small", {given: voices(given) for given in range(4)})
