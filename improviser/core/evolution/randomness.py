"""Random numbers that can be put down and taken up again."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def generator(*seed: int) -> np.random.Generator:
    """Return a fast generator (SFC64); the same whole numbers ≥ 0 give the same stream, on any machine."""
    return np.random.Generator(np.random.SFC64(seed))


def state_of(rng: np.random.Generator) -> dict[str, Any]:
    """Return the state of a generator made by `generator`, as JSON values."""
    state = rng.bit_generator.state
    return {**state, "state": {"state": [int(word) for word in state["state"]["state"]]}}


def restored(state: Mapping[str, Any]) -> np.random.Generator:
    """Return a generator that goes on where `state` was taken.

    :raises ValueError: if it is the state of nothing; also KeyError or TypeError.
    """
    rng = generator(0)
    words = np.array(state["state"]["state"], np.uint64)
    rng.bit_generator.state = {**state, "state": {"state": words}}
    return rng
