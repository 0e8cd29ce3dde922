"""What the original program was recorded doing, and a plain restatement of its rules to compare with."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from improviser.core.echo.network import EchoNetwork, EchoShape

RECORDED = Path(__file__).parents[2] / "data" / "original_echoes.json"


@dataclass(frozen=True)
class Echo:
    """One recorded run of the original."""

    shape: EchoShape
    weights: list[list[float]]
    pitches: list[int]
    raw: list[float]
    played: list[int]
    rating: float

    @property
    def network(self) -> EchoNetwork:
        return EchoNetwork.of_genome(self.shape, np.concatenate(self.weights))

    def layers(self) -> list[list[list[float]]]:
        """Return the network as the original writes it."""
        matrices = zip(self.weights, self.shape.matrices, strict=True)
        layers = [np.reshape(weights, shape).tolist() for weights, shape in matrices]
        return layers if self.shape.layer_type == "matrix" else [*layers, [[]]]


def recorded() -> list[Echo]:
    cases: list[dict[str, Any]] = json.loads(RECORDED.read_text())["cases"]
    return [Echo(EchoShape(tuple(case.pop("nodes")), case.pop("layer_type")), **case) for case in cases]


def plain_levels(raw: Sequence[float], steps: int) -> list[int]:
    lowest = min(raw)
    step = (max(raw) - lowest) / steps
    return [round((value - lowest) / step) if step else 0 for value in raw]


def plain_decode(raw: Sequence[float], heard: Sequence[int]) -> list[int]:
    """Decode by counting, one note at a time."""
    ranked = [number for number, _ in Counter(heard).most_common()]
    levels = plain_levels(raw, len(ranked))
    by_rank = [level for level, _ in Counter(levels).most_common()]
    meaning = dict(zip_longest(by_rank, ranked[: len(by_rank)], fillvalue=0))
    return [meaning[level] for level in levels]


def plain_output(shape: EchoShape, weights: Sequence[Sequence[float]], window: Sequence[float]) -> float:
    """Compute one network's output for one window, node by node."""
    values = [float(value) for value in window]
    chain = shape.nodes if shape.layer_type == "object" else (*shape.nodes, 1)
    for (nodes, targets), flat in zip(pairwise(chain), weights, strict=True):
        totals = []
        for target in range(targets):
            total = 0.0
            for node in range(nodes):
                total += values[node] * flat[node * targets + target]
            totals.append(total / nodes if shape.layer_type == "object" else total)
        values = totals
    return values[0]
