"""The melody network's forward pass as one would write it in other libraries, to be measured against ours.

Each function lays the notes out once and returns what scores the population, so many genomes at a time; it raises
ImportError where the library is not installed. The arithmetic is the same throughout.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.networks.network import Shape
from improviser.core.networks.notes import Notes

Peer = Callable[[Shape, Notes, Float32Array, int], Callable[[], Any]]


def _places(shape: Shape, notes: Notes) -> tuple[Any, Any, Any]:
    """Return where the heads of interval and degree are read, shape (notes, pitches), and what was played."""
    pitches = np.arange(shape.low, shape.high + 1)
    steps = np.clip(pitches - notes.previous[:, None], -shape.reach, shape.reach) + shape.reach
    return steps, (pitches - notes.tonic[:, None]) % 12, notes.target - shape.low


def in_jax(shape: Shape, notes: Notes, genomes: Float32Array, chunk: int) -> Callable[[], Any]:
    """Score in JAX, jitted and vmapped over the genomes, as evosax does."""
    import jax  # type: ignore[import-not-found, unused-ignore]
    import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]

    bits, seen = jax_bits(shape), [jnp.asarray(part) for part in laid_out(shape, notes)]
    compiled = jax.jit(jax.vmap(lambda genome: bits(genome, *seen)))
    parts = [jnp.asarray(genomes[start : start + chunk]) for start in range(0, len(genomes), chunk)]
    return lambda: np.concatenate([np.asarray(compiled(part)) for part in parts])


def laid_out(shape: Shape, notes: Notes) -> tuple[Any, ...]:
    """Return what `jax_bits` reads of notes: inputs, where heads are read, what was played, what the experts say."""
    steps, degrees, target = _places(shape, notes)
    return notes.inputs(), steps, degrees, target, notes.experts


def jax_bits(shape: Shape) -> Callable[..., Any]:
    """Return the mean bits a note of one genome, as a function in JAX of it and of `laid_out`."""
    import jax  # type: ignore[import-not-found, unused-ignore]
    import jax.numpy as jnp  # type: ignore[import-not-found, unused-ignore]

    ends = np.cumsum([shape.intervals, 12, shape.pitches])

    def bits(genome: Any, inputs: Any, steps: Any, degrees: Any, target: Any, experts: Any) -> Any:
        first = genome[: shape.first_weights].reshape(shape.hidden, shape.inputs)
        heads = genome[shape.first_weights :].reshape(shape.outputs, shape.hidden + 1)
        outputs = jnp.tanh(inputs @ first.T) @ heads[:, :-1].T + heads[:, -1]
        interval, degree, height, gates = jnp.split(outputs, ends, axis=1)
        scores = jnp.take_along_axis(interval, steps, axis=1) + jnp.take_along_axis(degree, degrees, axis=1) + height
        scores += jnp.einsum("nk,nkp->np", gates, experts)
        played = jnp.take_along_axis(scores, target[:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(scores, axis=1) - played).mean() / jnp.log(2.0)

    return bits


def in_torch(shape: Shape, notes: Notes, genomes: Float32Array, chunk: int) -> Callable[[], Any]:
    """Score in torch: one product for the first layer of all genomes, a batched one for their heads."""
    import torch  # type: ignore[import-not-found, unused-ignore]

    torch.set_num_threads(1)
    steps, degrees, target = map(torch.as_tensor, _places(shape, notes))
    inputs, experts = torch.as_tensor(notes.inputs()), torch.as_tensor(notes.experts)
    ends = [shape.intervals, 12, shape.pitches, shape.experts]

    def bits(part: Any) -> Any:
        count = len(part)
        first = part[:, : shape.first_weights].reshape(count * shape.hidden, shape.inputs)
        heads = part[:, shape.first_weights :].reshape(count, shape.outputs, shape.hidden + 1)
        hidden = torch.tanh(inputs @ first.T).reshape(-1, count, shape.hidden).transpose(0, 1)
        outputs = torch.baddbmm(heads[:, None, :, -1], hidden, heads[:, :, :-1].transpose(1, 2))
        interval, degree, height, gates = outputs.split(ends, dim=2)
        scores = interval.gather(2, steps.expand(count, -1, -1)) + height
        scores += degree.gather(2, degrees.expand(count, -1, -1))
        scores += torch.einsum("gnk,nkp->gnp", gates, experts)
        played = scores.gather(2, target[None, :, None].expand(count, -1, -1))[:, :, 0]
        return (torch.logsumexp(scores, dim=2) - played).mean(dim=1) / np.log(2.0)

    parts = torch.as_tensor(genomes).split(chunk)

    def evaluate() -> Any:
        with torch.inference_mode():
            return torch.cat([bits(part) for part in parts]).numpy()

    return evaluate


def in_evotorch(shape: Shape, notes: Notes, genomes: Float32Array, chunk: int) -> Callable[[], Any]:
    """Score in EvoTorch: a problem whose objective is vmapped over the genomes (its `rowwise` decorator)."""
    import torch  # type: ignore[import-not-found, unused-ignore]
    from evotorch import Problem, SolutionBatch  # type: ignore[import-not-found, unused-ignore]
    from evotorch.decorators import rowwise  # type: ignore[import-not-found, unused-ignore]

    torch.set_num_threads(1)
    steps, degrees, target = map(torch.as_tensor, _places(shape, notes))
    inputs, experts = torch.as_tensor(notes.inputs()), torch.as_tensor(notes.experts)
    ends = [shape.intervals, 12, shape.pitches, shape.experts]

    @rowwise  # type: ignore[untyped-decorator, unused-ignore]
    def bits(genome: Any) -> Any:
        first = genome[: shape.first_weights].reshape(shape.hidden, shape.inputs)
        heads = genome[shape.first_weights :].reshape(shape.outputs, shape.hidden + 1)
        outputs = torch.tanh(inputs @ first.T) @ heads[:, :-1].T + heads[:, -1]
        interval, degree, height, gates = outputs.split(ends, dim=1)
        scores = interval.gather(1, steps) + degree.gather(1, degrees) + height
        scores = scores + torch.einsum("nk,nkp->np", gates, experts)
        played = scores.gather(1, target[:, None])[:, 0]
        return (torch.logsumexp(scores, dim=1) - played).mean() / np.log(2.0)

    problem = Problem("min", bits, solution_length=genomes.shape[1], initial_bounds=(-1, 1))
    parts = []
    for part in torch.as_tensor(genomes).split(chunk):
        parts.append(SolutionBatch(problem, len(part)))
        parts[-1].set_values(part)

    def evaluate() -> Any:
        for part in parts:
            part.forget_evals()
            problem.evaluate(part)
        return torch.cat([part.evals[:, 0] for part in parts]).numpy()

    return evaluate


PEERS: Mapping[str, Peer] = {"JAX vmap": in_jax, "torch bmm": in_torch, "EvoTorch vmap": in_evotorch}
