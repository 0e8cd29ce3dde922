"""A genome's weights as tables that the compiled forward pass reads at any place: rows of inputs, heads, their sums.

(Numba keeps what it compiled in `__pycache__`, and does not notice a change in this file: after one, delete that.)
"""

import math
from typing import Any

from numba import njit

from improviser.kernels.simd import LANES, TANH_SCALE, F, at, fma, load, put, spread, store

# Columns that are read at a time: four vectors, as each sum waits for its last addition.
BLOCK = 4 * LANES
_LOG2_E = 1 / math.log(2.0)


@njit
def padded(size: int, multiple: int) -> int:
    """Return `size` or the next multiple."""
    return (size + multiple - 1) // multiple * multiple


@njit(error_model="numpy")
def unpack(genomes: Any, first: Any, sizes: Any, tables: Any, far: Any, cycle: Any) -> None:  # pragma: no cover
    """Write a genome's weights as rows, one for each input or hidden unit, that can be read at any place.

    They are scaled so that powers of two stand for those of e.
    """
    inputs, hidden, pitches, reach, vertical, rest, experts = sizes
    weights, intervals, degrees, verticals, heights = tables
    units, width = padded(hidden, 2 * LANES), padded(pitches + rest + experts, BLOCK)
    for unit in range(hidden):
        for column in range(inputs):
            put(weights, column * units + unit, at(genomes, first + unit * inputs + column) * F(TANH_SCALE))
    row, scale = hidden + 1, F(_LOG2_E)
    for unit in range(row):
        head = first + hidden * inputs + unit
        place = unit * far
        lowest, highest = at(genomes, head) * scale, at(genomes, head + 2 * reach * row) * scale
        for step in range(0, pitches, LANES):
            store(intervals, place + step, spread(lowest))
        for step in range(pitches - 1 + 2 * reach, far - LANES, LANES):
            store(intervals, place + step, spread(highest))
        for step in range(1, 2 * reach):
            put(intervals, place + pitches - 1 + step, at(genomes, head + step * row) * scale)
        head += (2 * reach + 1) * row
        for turn in range(12):
            put(degrees, unit * cycle + turn, at(genomes, head + turn * row) * scale)
        _repeat(degrees, unit * cycle, width + 12)
        head += 12 * row
        for pitch in range(pitches):
            put(heights, unit * width + pitch, at(genomes, head + pitch * row) * scale)
        head += pitches * row
        if vertical:
            put(verticals, unit * cycle, at(genomes, head) * scale)
            for turn in range(1, 12):
                put(verticals, unit * cycle + turn, at(genomes, head + (12 - turn) * row) * scale)
            _repeat(verticals, unit * cycle, width + 12)
            head += 12 * row
        for number in range(rest + experts):
            put(heights, unit * width + pitches + number, at(genomes, head + number * row) * scale)


@njit(error_model="numpy")
def _repeat(table: Any, place: Any, size: Any) -> None:  # pragma: no cover
    """Repeat the twelve numbers at `place` until there are so many."""
    for turn in range(12, size):
        put(table, place + turn, at(table, place + turn - 12))


@njit(error_model="numpy")
def add_heads(key: Any, sizes: Any, tables: Any, heads: Any, base: Any, cycle: Any) -> None:  # pragma: no cover
    """Write the sum of the heads that stay the same within a key: heights, degrees and verticals."""
    _, _, degrees, verticals, heights = tables
    vertical, width = sizes[4], len(heads)
    for unit in range(sizes[1] + 1):
        for pitch in range(0, width, LANES):
            row = load(degrees, unit * cycle + pitch + key // 12)
            if vertical:
                row = row + load(verticals, unit * cycle + pitch + key % 12)
            store(base, unit * width + pitch, fma(row, load(heads, pitch), load(heights, unit * width + pitch)))


@njit(error_model="numpy")
def add_intervals(step: Any, intervals: Any, far: Any, heads: Any, base: Any, table: Any) -> None:  # pragma: no cover
    """Add the head of intervals, as it is read after one pitch; `heads` keeps it off what scores no pitch."""
    width = len(heads)
    for pitch in range(0, width, BLOCK):
        one, two = load(heads, pitch), load(heads, pitch + LANES)
        three, four = load(heads, pitch + 2 * LANES), load(heads, pitch + 3 * LANES)
        near = step + pitch
        for row in range(pitch, len(table), width):
            store(table, row, fma(load(intervals, near), one, load(base, row)))
            store(table, row + LANES, fma(load(intervals, near + LANES), two, load(base, row + LANES)))
            place = row + 2 * LANES
            store(table, place, fma(load(intervals, near + 2 * LANES), three, load(base, place)))
            place += LANES
            store(table, place, fma(load(intervals, near + 3 * LANES), four, load(base, place)))
            near += far
