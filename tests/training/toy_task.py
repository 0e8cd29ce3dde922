"""A task that the program does not have: its networks hold an interval below the player, and are bred for octaves."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.evolution.ga import Breeding, GeneticAlgorithm
from improviser.core.evolution.mutation import Offset
from improviser.core.evolution.randomness import generator
from improviser.core.evolution.strategy import Strategy
from improviser.core.music.note import PITCHES, Note
from improviser.core.networks.candidates import over_candidates
from improviser.core.networks.responder import LogProbabilities
from improviser.core.tasks.descriptor import TaskDescriptor
from improviser.training.generations import Limits
from improviser.training.progress import Progress
from improviser.training.recipe import Options, Recipe, refuse

INTERVALS = 25
DRONE = TaskDescriptor(
    plays=lambda _: "holds one note",
    name="drone",
    help="hold an interval below the player",
    model="tests.training.toy_task:DroneModel",
    fitness="bits for an octave",
    hears="interval",
    leads=True,
)
RECIPE = "tests.training.toy_task:prepare"


@dataclass(frozen=True, slots=True, eq=False)
class DroneModel:
    """A score for each interval."""

    name: str
    weights: NDArray[np.float32]
    task: str = DRONE.name

    @classmethod
    def from_parts(cls, name: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Put a model together."""
        assert settings == {"intervals": INTERVALS}
        return cls(name, tensors["weights"])

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Take the model apart."""
        return {"intervals": INTERVALS}, {"weights": self.weights}

    def layers(self) -> list[int]:
        """Return the number of its inputs and outputs."""
        return [1, INTERVALS]

    def strengths(self) -> list[tuple[str, float]]:
        """Return how it likes each interval."""
        return [(f"{interval} below", float(abs(weight))) for interval, weight in enumerate(self.weights)]

    def distribution(
        self,
        history: Sequence[Note],
        *,
        onset_seconds: float,
        player: Sequence[Note] = (),
        candidates: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        """Return the probability of each pitch."""
        heard = [*history, *player][-1].pitch
        return over_candidates(self.responder().propose(heard, onset_seconds), candidates)

    def responder(self) -> "DroneResponder":
        """Return a session."""
        return DroneResponder(self.weights)


class DroneResponder:
    """A session, which learns nothing."""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self._weights = weights.astype(np.float64)

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        """Return the scores of what lies below."""
        logs = np.full(PITCHES, -30.0)
        size = min(INTERVALS, pitch + 1)
        logs[pitch - size + 1 : pitch + 1] = self._weights[:size][::-1]
        return logs

    def moment(self, onset_seconds: float) -> None:
        """Return nothing: all moments are alike."""

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        """Learn nothing."""

    def reset(self) -> None:
        """Forget nothing."""


class DroneTask:
    """Likes octaves."""

    name = DRONE.name
    genome_size = INTERVALS

    def first_population(self, rng: np.random.Generator, size: int) -> Float32Array:
        """Return random genomes."""
        return rng.standard_normal((size, INTERVALS), np.float32)

    def batch(self, rng: np.random.Generator) -> None:
        """Choose nothing."""

    def fitness(self, population: Float32Array, batch: None) -> NDArray[np.float64]:
        """Return the logarithm of an octave's chance."""
        scores = population.astype(np.float64)
        octaves: NDArray[np.float64] = scores[:, 12] - np.log(np.exp(scores).sum(axis=1))
        return octaves

    def held_out(self, genome: Float32Array) -> float:
        """Return the same."""
        return float(self.fitness(genome[None], None)[0])


def strategy(seed: int, member: int) -> Strategy:
    """Return what breeds a member of a choir."""
    rng = generator(seed, 0, member)
    return GeneticAlgorithm(DroneTask().first_population(rng, 20), Breeding(Offset(0.5), 0.2), rng)


def prepare(options: Options, progress: Progress, executor: Executor | None = None) -> Recipe:
    """Return the recipe for `options`."""
    refuse(options, "voice", "choir", "layers")
    task = DroneTask()

    def build(champions: Sequence[Float32Array]) -> Any:
        return DroneModel(DRONE.name, champions[0])

    return Recipe(
        task=task,
        strategy=partial(strategy, options.seed),
        limits=Limits(options.generations, options.minutes),
        settings={"task": DRONE.name, "seed": options.seed},
        sources=tuple({"name": source, "notes": 1} for source in options.sources),
        build=build,
        scores=lambda champions: {"octaves": task.held_out(champions[0])},
    )
