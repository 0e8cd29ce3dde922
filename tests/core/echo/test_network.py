"""The original's networks of object and matrix layers, one by one and as a population."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import MAX_WEIGHT, EchoNetwork, EchoShape, LayerType
from improviser.errors import ModelError
from tests.core.echo.original import Echo, plain_output, recorded

shapes = st.builds(
    EchoShape,
    st.lists(st.integers(1, 5), min_size=1, max_size=4).map(lambda nodes: (*nodes, 1)),
    st.sampled_from(("object", "matrix")),
)


@st.composite
def networks(draw: st.DrawFn) -> EchoNetwork:
    shape = draw(shapes)
    weights = st.floats(-2, 2, allow_subnormal=False)
    return EchoNetwork.of_genome(shape, draw(arrays(np.float64, shape.genome_size, elements=weights)))


@pytest.mark.parametrize("echo", recorded())
def test_outputs_are_the_originals(echo: Echo) -> None:
    raw = echo.network.outputs(EncodedNotes.of(echo.pitches).windows(echo.shape.lookback))
    np.testing.assert_allclose(raw, echo.raw, rtol=0, atol=1e-9)
    if echo.shape.layer_type == "object":
        assert raw.tolist() == echo.raw


@given(networks(), st.data())
def test_outputs_are_summed_node_by_node(network: EchoNetwork, data: st.DataObject) -> None:
    window = data.draw(st.lists(st.integers(0, 20), min_size=network.shape.lookback, max_size=network.shape.lookback))
    weights = [matrix.ravel().tolist() for matrix in network.weights]
    assert network.outputs([window]).tolist() == [plain_output(network.shape, weights, window)]


@given(networks(), st.data())
def test_a_collapsed_network_puts_out_the_same(network: EchoNetwork, data: st.DataObject) -> None:
    window = np.array(data.draw(st.lists(st.integers(0, 20), min_size=(n := network.shape.lookback), max_size=n)))
    places = network.shape.collapse(network.genome)
    np.testing.assert_allclose(places @ window, network.outputs(window[None])[0], rtol=1e-9, atol=1e-9)


@given(networks())
def test_a_genome_holds_the_whole_network(network: EchoNetwork) -> None:
    again = EchoNetwork.of_genome(network.shape, network.genome)
    assert all((one == other).all() for one, other in zip(network.weights, again.weights, strict=True))
    assert len(network.genome) == network.shape.genome_size


def test_a_population_collapses_one_by_one() -> None:
    shape = EchoShape((4, 3, 1))
    genomes = np.random.default_rng(1).random((5, shape.genome_size))
    together = shape.collapse(genomes)
    for genome, places in zip(genomes, together, strict=True):
        np.testing.assert_allclose(shape.collapse(genome), places)


@pytest.mark.parametrize(
    ("nodes", "layer_type"),
    [
        ((1,), "object"),
        ((3, 0, 1), "object"),
        ((3, 2), "object"),
        ((9**9, 1), "object"),
        ((1,) * 99, "object"),
        ((2, 1), "round"),
    ],
)
def test_shapes_beyond_the_limits_are_refused(nodes: tuple[int, ...], layer_type: LayerType) -> None:
    with pytest.raises(ModelError):
        EchoShape(nodes, layer_type)


@pytest.mark.parametrize("weight", [np.nan, np.inf, -np.inf, 2 * MAX_WEIGHT])
def test_weights_that_are_no_sane_numbers_are_refused(weight: float) -> None:
    with pytest.raises(ModelError, match="not numbers between"):
        EchoNetwork.of_genome(EchoShape((2, 1)), np.array([0.5, weight]))


def test_weights_must_fit_the_shape() -> None:
    wrong: Any = (np.zeros((3, 1)),)
    with pytest.raises(ModelError, match="do not fit"):
        EchoNetwork(EchoShape((2, 1)), wrong)
