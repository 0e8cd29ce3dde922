"""The network: one note and a whole population agree, a choir is the mean, the heads are read where they should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.arrays import Float32Array
from improviser.core.networks.network import Frame, Network, Shape, first_genomes
from improviser.core.networks.notes import Notes
from improviser.core.networks.population import Batch, Scorer
from improviser.core.networks.task import NetworkTask, choir_log_probabilities
from tests.core.networks.populations import SHAPES, some_genomes, some_notes


def by_hand(shape: Shape, genome: Float32Array, notes: Notes, index: int) -> list[float]:
    """Score the candidates of one note in plain Python, as the formula in the module's docstring says."""
    first = genome[: shape.first_weights].reshape(shape.hidden, shape.inputs).astype(float)
    heads = genome[shape.first_weights :].reshape(shape.outputs, shape.hidden + 1).astype(float)
    hidden = np.append(np.tanh(first @ notes.inputs()[index]), 1.0)
    outputs = heads @ hidden
    scores = []
    for pitch in range(shape.low, shape.high + 1):
        step = max(-shape.reach, min(shape.reach, pitch - int(notes.previous[index])))
        score = outputs[step + shape.reach]
        score += outputs[shape.intervals + (pitch - notes.tonic[index]) % 12]
        score += outputs[shape.intervals + 12 + pitch - shape.low]
        rest = shape.intervals + 12 + shape.pitches
        if shape.vertical:
            score += outputs[rest + (notes.player[index] - pitch) % 12]
            rest += 12
        if notes.experts is not None:
            gates = outputs[rest + shape.rest :]
            score += sum(
                g * e for g, e in zip(gates, notes.experts[index, :, pitch - shape.low].astype(float), strict=True)
            )
        scores.append(score)
    return [*scores, outputs[rest]] if shape.rest else scores


@pytest.mark.parametrize("shape", SHAPES)
def test_a_population_scores_as_the_formula_says(shape: Shape) -> None:
    notes = some_notes(shape, 30)
    genomes = some_genomes(shape, 11)
    scorer, batch = Scorer(shape), Batch(shape, notes)
    bits = scorer.population_bits(genomes, batch)
    for genome, found in zip(genomes, bits, strict=True):
        total = 0.0
        for index in range(len(notes)):
            scores = np.array(by_hand(shape, genome, notes, index))
            target = int(notes.target[index])
            played = scores[-1] if target < 0 else scores[target - shape.low]
            total += (np.logaddexp.reduce(scores) - played) / np.log(2)
        assert found == pytest.approx(total / len(notes), rel=1e-4)


@pytest.mark.parametrize("shape", SHAPES[:2])
@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_one_note_live_is_scored_as_in_training(shape: Shape, seed: int) -> None:
    notes = some_notes(shape, 8, seed)
    genomes = some_genomes(shape, 3, seed)
    trained = choir_log_probabilities(Scorer(shape), genomes, Batch(shape, notes))
    network = Network(shape, genomes)
    for index in range(len(notes)):
        frame = Frame(int(notes.previous[index]), int(notes.tonic[index]), int(notes.player[index]))
        scores, rest = network.scores(notes.inputs()[index], frame)
        assert scores.shape == (128,)
        candidates = np.concatenate([scores[shape.low : shape.high + 1], rest[: shape.rest]])
        logs = candidates - np.logaddexp.reduce(candidates)
        np.testing.assert_allclose(logs, trained[:, index], atol=1e-4)


def test_pitches_outside_the_register_fall_off() -> None:
    shape = SHAPES[0]
    network = Network(shape, np.zeros((1, shape.genome_size), dtype=np.float32))
    scores, _ = network.scores(np.zeros(shape.inputs, dtype=np.float32), Frame(50, 0, 70))
    assert np.ptp(scores[36:65]) == 0
    assert (np.diff(scores[64:]) < 0).all()
    assert (np.diff(scores[:37]) > 0).all()


def test_gates_start_open() -> None:
    shape = SHAPES[2]
    genome = first_genomes(shape, np.random.default_rng(0), 1)
    network = Network(shape, genome)
    _, gates = network.scores(np.zeros(shape.inputs, dtype=np.float32), Frame(63, 0))
    np.testing.assert_allclose(gates, [0.25, 0.25])


def test_a_batch_of_another_size_is_scored_alike() -> None:
    shape = SHAPES[0]
    notes, genomes = some_notes(shape, 40), some_genomes(shape, 2)
    scorer = Scorer(shape)
    both = scorer.population_bits(genomes, Batch(shape, notes))
    halves = [scorer.population_bits(genomes, Batch(shape, notes.take(np.arange(k, k + 20)))) for k in (0, 20)]
    np.testing.assert_allclose(both, np.mean(halves, axis=0), rtol=1e-5)


def test_the_task_scores_likely_notes_higher() -> None:
    shape = SHAPES[1]
    notes = some_notes(shape, 300)
    notes.previous[:] = notes.target
    task = NetworkTask(
        "melody", shape, notes.take(np.arange(200)), notes.take(np.arange(200, 300)), decay=1.0, blindness=0
    )
    nothing = np.zeros((1, shape.genome_size), dtype=np.float32)
    likes_repeats = nothing.copy()
    heads = likes_repeats[0, shape.first_weights :].reshape(shape.outputs, -1)
    heads[shape.reach, -1] = 5.0
    batch = task.batch(np.random.default_rng(0))
    fitness = task.fitness(np.concatenate([nothing, likes_repeats]), batch)
    assert fitness[0] == pytest.approx(-np.log2(shape.pitches), rel=1e-5)
    assert fitness[1] > fitness[0] + 2
    assert task.held_out(likes_repeats[0]) > task.held_out(nothing[0])
    # The penalty on large weights: one weight of 5 among them all.
    unpenalised = NetworkTask("melody", shape, notes.take(np.arange(200)), notes, decay=0.0, blindness=0).fitness(
        likes_repeats, batch
    )
    assert unpenalised[0] - fitness[1] == pytest.approx(25 / shape.genome_size, rel=1e-3)
    assert np.isfinite(task.first_population(np.random.default_rng(1), 4)).all()


def test_hidden_inputs_are_the_same_for_the_whole_generation() -> None:
    shape = SHAPES[1]
    notes, genomes = some_notes(shape, 300), some_genomes(shape, 4)
    task, another = (NetworkTask("melody", shape, notes, notes, minibatch=64, blindness=0.5) for _ in range(2))
    first, second = task.batch(np.random.default_rng(0)), task.batch(np.random.default_rng(1))
    whole = task.fitness(genomes, first)
    task.fitness(genomes, second)
    in_parts = np.concatenate([another.fitness(genomes[:1], first), another.fitness(genomes[1:], first)])
    np.testing.assert_allclose(whole, in_parts, rtol=1e-6)
    np.testing.assert_array_equal(whole, task.fitness(genomes, first))
    seeing = NetworkTask("melody", shape, notes, notes, minibatch=64, blindness=0).fitness(genomes, first)
    assert (np.abs(whole - seeing) > 1e-3).any()


@pytest.mark.parametrize("size", [0.0, 1.0, 300.0, 3000.0])
def test_scores_of_any_size_are_normalised(size: float) -> None:
    shape = SHAPES[1]
    notes, genome = some_notes(shape, 50), some_genomes(shape, 1)[0] * np.float32(size)
    batch = Batch(shape, notes)
    logs = choir_log_probabilities(Scorer(shape), genome[np.newaxis], batch)
    wanted = -float(np.take(logs.reshape(-1), batch.target).mean(dtype=np.float64)) / np.log(2)
    assert np.isfinite(wanted)
    assert Scorer(shape).mean_bits(genome, batch) == pytest.approx(wanted, rel=1e-4)


def test_a_genome_that_is_not_finite_scores_nan() -> None:
    shape = SHAPES[1]
    genomes = some_genomes(shape, 2)
    genomes[0, -1] = np.nan
    with np.errstate(invalid="ignore"):
        bits = Scorer(shape).population_bits(genomes, Batch(shape, some_notes(shape, 50)))
    assert np.isnan(bits[0])
    assert np.isfinite(bits[1])
