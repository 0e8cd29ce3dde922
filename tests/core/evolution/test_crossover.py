"""Uniform crossover."""

import numpy as np

from improviser.core.evolution.crossover import uniform

MOTHERS = np.zeros((500, 77), np.float32)
FATHERS = np.ones((500, 77), np.float32)


def test_without_crossover_children_are_their_mothers_clones() -> None:
    children = uniform(np.random.default_rng(1), MOTHERS, FATHERS, 0.0)
    assert (children == MOTHERS).all()


def test_every_gene_is_a_coin() -> None:
    children = uniform(np.random.default_rng(1), MOTHERS, FATHERS, 1.0)
    assert children.dtype == np.float32
    assert (np.abs(children.mean(axis=0) - 0.5) < 0.12).all()
    assert (np.abs(children.mean(axis=1) - 0.5) < 0.3).all()


def test_the_rate_is_the_share_of_children_with_two_parents() -> None:
    children = uniform(np.random.default_rng(1), MOTHERS, FATHERS, 0.3)
    assert abs(children.any(axis=1).mean() - 0.3) < 0.08
