"""The fastest way there is here to score a population: the compiled one, or the plain one of the core."""

from improviser.core.networks.network import Shape
from improviser.core.networks.population import PopulationScorer, Scorer


def fastest_scorer(shape: Shape) -> PopulationScorer:
    """Return the compiled scorer where Numba is installed (extra `fast`), else the plain one: equal to rounding."""
    try:
        from improviser.kernels import population_bits
    except (ImportError, RuntimeError):  # RuntimeError: Numba finds no folder to keep what it compiles
        return Scorer(shape)
    return population_bits.CompiledScorer(shape)
