"""The echo task: windows, fitness and what is held out."""

import pickle

import numpy as np
import pytest

from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import EchoShape, LayerType
from improviser.core.echo.task import EchoTask

TUNE = [60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 72, 71, 67]


def task(layer_type: LayerType = "object") -> EchoTask:
    return EchoTask(EchoShape((4, 3, 1), layer_type), EncodedNotes.of(TUNE, TUNE[::-1]), EncodedNotes.of(TUNE[3:9]))


@pytest.mark.parametrize("layer_type", ["object", "matrix"])
def test_the_fitness_of_a_population_is_the_rating_of_each(layer_type: LayerType) -> None:
    echo = task(layer_type)
    population = echo.first_population(np.random.default_rng(3), 30)
    fitness = echo.fitness(population, None)
    exact = [echo.model("one", genome).rating(echo.train) for genome in population]
    np.testing.assert_allclose(fitness, exact, atol=1e-9)


def test_the_first_weights_of_object_layers_are_hundredths() -> None:
    population = task().first_population(np.random.default_rng(3), 50)
    assert population.dtype == np.float32
    hundredths = np.round(population * 100)
    assert (np.abs(population * 100 - hundredths) < 1e-4).all()
    assert hundredths.min() == 0
    assert hundredths.max() == 100


def test_the_first_weights_of_matrix_layers_are_any_from_0_to_1() -> None:
    population = task("matrix").first_population(np.random.default_rng(3), 50)
    assert (population >= 0).all()
    assert (population < 1).all()
    assert len(np.unique(population)) > 0.9 * population.size


def test_weights_grown_too_large_to_save_have_no_fitness() -> None:
    echo = task()
    population = echo.first_population(np.random.default_rng(3), 3)
    population[1] *= 1e8
    assert np.isnan(echo.fitness(population, None)).tolist() == [False, True, False]


def test_held_out_notes_are_rated_as_a_piece_of_their_own() -> None:
    echo = task()
    genome = echo.first_population(np.random.default_rng(3), 1)[0]
    assert echo.held_out(genome) == echo.model("one", genome).rating(EncodedNotes.of(TUNE[3:9]))


def test_too_few_held_out_notes_have_no_rating() -> None:
    echo = EchoTask(EchoShape((4, 1)), EncodedNotes.of(TUNE), EncodedNotes.of([60, 60]))
    assert np.isnan(echo.held_out(np.ones(4, np.float32)))


def test_a_task_can_be_sent_to_another_process() -> None:
    echo = task()
    population = echo.first_population(np.random.default_rng(3), 5)
    again = pickle.loads(pickle.dumps(echo))  # noqa: S301  # our own
    assert (again.fitness(population, None) == echo.fitness(population, None)).all()
