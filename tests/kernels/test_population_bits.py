"""The compiled forward pass agrees with the plain one, to rounding, on anything."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.arrays import Float32Array
from improviser.core.networks import population
from improviser.core.networks.network import Shape
from improviser.core.networks.notes import Notes
from improviser.kernels.fastest import fastest_scorer
from tests.core.networks.populations import SHAPES, some_genomes, some_notes

compiled: Any = pytest.importorskip("improviser.kernels.population_bits", reason="needs Numba (extra `fast`)")


def both(shape: Shape, genomes: Float32Array, notes: Notes) -> tuple[Any, Any]:
    plain, fast = population.Scorer(shape), compiled.CompiledScorer(shape)
    return (
        plain.population_bits(genomes, plain.lay_out(notes)),
        fast.population_bits(genomes, fast.lay_out(notes)),
    )


@given(
    hidden=st.integers(1, 40),
    low=st.integers(0, 100),
    pitches=st.integers(1, 60),
    reach=st.integers(1, 20),
    vertical=st.booleans(),
    rest=st.booleans(),
    experts=st.integers(0, 12),
    size=st.integers(1, 300),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_any_shape_and_any_notes_score_alike(
    hidden: int,
    low: int,
    pitches: int,
    reach: int,
    vertical: bool,
    rest: bool,
    experts: int,
    size: int,
    seed: int,
) -> None:
    high = min(low + pitches - 1, 127)
    shape = Shape(10, hidden, low, high, reach, vertical=vertical, rest=rest, experts=experts)
    plain, compiled = both(shape, some_genomes(shape, 3, seed), some_notes(shape, size, seed))
    np.testing.assert_allclose(compiled, plain, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [0.0, 30.0, 3000.0])
def test_scores_of_any_size_are_alike(shape: Shape, size: float) -> None:
    plain, compiled = both(shape, some_genomes(shape, 5) * np.float32(size), some_notes(shape, 200))
    assert np.isfinite(compiled).all()
    np.testing.assert_allclose(compiled, plain, rtol=2e-4)


@pytest.mark.parametrize("gene", [0, -1])
def test_a_genome_that_is_not_finite_scores_nan(gene: int) -> None:
    shape = SHAPES[1]
    genomes = some_genomes(shape, 2)
    genomes[0, gene] = np.nan
    scorer = compiled.CompiledScorer(shape)
    bits = scorer.population_bits(genomes, scorer.lay_out(some_notes(shape, 200)))
    assert np.isnan(bits[0])
    assert np.isfinite(bits[1])


def test_the_same_genome_scores_the_same_wherever_it_stands() -> None:
    shape = SHAPES[3]
    genomes, notes = some_genomes(shape, 30), some_notes(shape, 300)
    scorer = compiled.CompiledScorer(shape)
    batch = scorer.lay_out(notes)
    whole = scorer.population_bits(genomes, batch)
    parts = [scorer.population_bits(genomes[start : start + 7], batch) for start in range(0, 30, 7)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_training_takes_the_compiled_pass_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(fastest_scorer(SHAPES[0]), compiled.CompiledScorer)
    monkeypatch.setitem(__import__("sys").modules, "improviser.kernels.population_bits", None)
    monkeypatch.delattr("improviser.kernels.population_bits")
    assert isinstance(fastest_scorer(SHAPES[0]), population.Scorer)
