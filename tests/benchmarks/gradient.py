"""The yardstick: the same networks on the same notes, trained by gradient descent (Adam, in torch) instead of bred.

A ceiling to chase, never what is shipped. What comes out are genomes like any others, scored by the same code.
Adam: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015; weight decay, hidden inputs and the choice
of the champion are those of evolution.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.evolution.randomness import generator
from improviser.core.networks.network import Shape, first_genomes
from improviser.core.networks.notes import Notes
from improviser.core.networks.population import Scorer
from improviser.core.networks.task import BLINDNESS, DECAY, MINIBATCH

STEPS, CHECK_EVERY, RATE, AVERAGING = 2500, 50, 4e-3, 0.98


class Material:
    """Notes as tensors, and where the heads are read."""

    def __init__(self, shape: Shape, notes: Notes) -> None:
        import torch  # type: ignore[import-not-found, unused-ignore]

        pitches = np.arange(shape.low, shape.high + 1)
        steps = np.clip(pitches - notes.previous[:, None], -shape.reach, shape.reach) + shape.reach
        self.inputs = torch.as_tensor(notes.inputs())
        self.steps = torch.as_tensor(steps)
        self.degrees = torch.as_tensor((pitches - notes.tonic[:, None]) % 12)
        self.verticals = torch.as_tensor((notes.player[:, None] - pitches) % 12)
        self.target = torch.as_tensor(np.where(notes.target < 0, shape.pitches, notes.target - shape.low))
        self.experts = None if notes.experts is None else torch.as_tensor(notes.experts)


def bits_of(shape: Shape, genome: Any, notes: Notes) -> Any:
    """Return −log2 P of what was played, averaged over the notes, as a tensor that knows its gradient."""
    import torch

    at = Material(shape, notes)
    first = genome[: shape.first_weights].reshape(shape.hidden, shape.inputs)
    heads = genome[shape.first_weights :].reshape(shape.outputs, shape.hidden + 1)
    outputs = torch.tanh(at.inputs @ first.T) @ heads[:, :-1].T + heads[:, -1]
    sizes = [shape.intervals, 12, shape.pitches, 12 * shape.vertical, int(shape.rest), shape.experts]
    interval, degree, height, vertical, rest, gates = outputs.split(sizes, dim=1)
    scores = interval.gather(1, at.steps) + degree.gather(1, at.degrees) + height
    if shape.vertical:
        scores = scores + vertical.gather(1, at.verticals)
    if at.experts is not None:
        scores = scores + torch.einsum("nk,nkp->np", gates, at.experts)
    return torch.nn.functional.cross_entropy(torch.cat([scores, rest], dim=1), at.target) / np.log(2.0)


def descended(shape: Shape, training: Notes, development: Notes, *, members: int, seed: int) -> Float32Array:
    """Return the champions of so many trainings, shape (members, genome_size)."""
    scorer = Scorer(shape)
    held_out = scorer.lay_out(development)
    found = []
    for member in range(members):
        candidates = list(descent(shape, training, seed, member, CHECK_EVERY))[1:]
        found.append(min(candidates, key=lambda genome: scorer.mean_bits(genome, held_out)))
    return np.stack(found)


def descent(shape: Shape, training: Notes, seed: int, member: int, every: int) -> Iterator[Float32Array]:
    """Yield the running average of one training: before the first step, then every so many of its STEPS."""
    import torch

    torch.set_num_threads(1)
    rng = generator(seed, 0, member)
    genome = torch.nn.Parameter(torch.as_tensor(first_genomes(shape, rng, 1)[0]))
    average = genome.detach().clone()
    optimiser = torch.optim.Adam([genome], lr=RATE, betas=(0.9, 0.99))
    yield average.numpy().copy()
    for step in range(1, STEPS + 1):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / STEPS) + 1e-5
        chosen = rng.choice(len(training), min(MINIBATCH, len(training)), replace=False)
        notes = training.take(chosen).blinded(rng, BLINDNESS)
        loss = bits_of(shape, genome, notes) + DECAY * (genome**2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.mul_(AVERAGING).add_(genome.detach(), alpha=1 - AVERAGING)
        if step % every == 0:
            yield average.numpy().copy()
