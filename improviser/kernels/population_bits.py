"""The forward pass of a whole population as one loop that Numba compiles: what evolution spends its time on, at speed.

It computes what `improviser.core.networks.population` computes, to rounding, several times as fast: nothing but the
result leaves the processor's first cache, choices are sums of rows instead of products with zeros, and the heads are
read as slices. It needs Numba (extra `fast`).
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.networks.network import Shape
from improviser.core.networks.notes import Notes
from improviser.kernels.simd import LANES, F, at, exp, fma, load, spread, spread_at, store, summed, tanh

# Notes whose hidden units are computed before their scores: few enough for the first cache.
TILE = 128
# Pitches that are scored at a time: four sums, as each waits for its last addition.
BLOCK = 4 * LANES
# A sum of exponentials outside these may have lost digits.
SMALLEST, LARGEST = 1e-25, 1e35
# The score of what is no candidate.
NEVER = -1e30
_LN2 = math.log(2.0)


@njit
def padded(size: int) -> int:
    """Return `size` or the next multiple of a block."""
    return (size + BLOCK - 1) // BLOCK * BLOCK


@njit
def padded_twice(size: int) -> int:
    """Return `size` or the next multiple of two vectors."""
    return (size + 2 * LANES - 1) // (2 * LANES) * 2 * LANES


@njit
def padded_once(size: int) -> int:
    """Return `size` or the next multiple of a vector's length."""
    return (size + LANES - 1) // LANES * LANES


def even(size: int) -> int:
    """Return `size` or the next even number."""
    return size + size % 2


class Batch:
    """Notes laid out for scoring, in the order of what their heads are read against, so that tables are built once."""

    def __init__(self, shape: Shape, notes: Notes) -> None:
        player = notes.player % 12 if shape.vertical else np.zeros(len(notes), dtype=np.int64)
        key = (shape.low - notes.tonic) % 12 * 12 + (shape.low - player) % 12
        notes = notes.take(np.lexsort((notes.previous, key)))
        self.keys = np.sort(key)
        # An even number of choices, then an even number of numbers; what is missing is read from a row of zeros.
        absent = np.full((len(notes), 1), shape.inputs)
        constant = absent - 1
        choices = np.concatenate([np.where(notes.choices < 0, absent, notes.choices), constant], axis=1)
        choices = np.concatenate([choices, absent], axis=1)[:, : even(choices.shape[1])]
        columns = np.append(notes.columns, shape.inputs)[: even(len(notes.columns))]
        numbers = np.concatenate([notes.numbers, np.zeros_like(notes.numbers[:, :1])], axis=1)[:, : len(columns)]
        units = padded_twice(shape.hidden)
        self.rows = np.ascontiguousarray(choices * units, dtype=np.int64)
        self.columns = np.ascontiguousarray(columns, dtype=np.int64)
        self.numbers = np.ascontiguousarray(numbers, dtype=np.float32)
        previous = np.clip(notes.previous, shape.low - shape.reach, shape.high + shape.reach)
        self.steps = shape.high + shape.reach - previous
        self.target = np.where(notes.target < 0, -1, notes.target - shape.low)
        self.experts = np.zeros((len(notes), shape.experts, padded(shape.pitches)), dtype=np.float32)
        if notes.experts is not None:
            self.experts[:, :, : shape.pitches] = notes.experts


class CompiledScorer:
    """Scores populations of genomes of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._sizes = np.array(
            [shape.inputs, shape.hidden, shape.pitches, shape.reach, shape.vertical, shape.rest, shape.experts]
        )

    def lay_out(self, notes: Notes) -> Batch:
        """Return the notes ready for scoring."""
        return Batch(self.shape, notes)

    def population_bits(self, population: Float32Array, batch: Batch) -> NDArray[np.float64]:
        """Return, for each genome, −log2 P of what was played, averaged over the notes; shape (population,)."""
        totals = np.empty((len(population), len(batch.target)), dtype=np.float32)
        played = np.empty_like(totals)
        _score_population(
            np.ascontiguousarray(population),
            self._sizes,
            (batch.rows, batch.columns, batch.numbers.reshape(-1)),
            (batch.keys, batch.steps, batch.target, batch.experts.reshape(-1)),
            totals,
            played,
        )
        np.log(totals, out=totals)
        totals -= played
        bits: NDArray[np.float64] = totals.mean(axis=1, dtype=np.float64)
        return bits / _LN2


@njit(cache=True, nogil=True, error_model="numpy")
def _score_population(
    genomes: Any, sizes: Any, seen: Any, frames: Any, totals: Any, played: Any
) -> None:  # pragma: no cover
    """Enter the sum of the exponentials of all scores, and the score of what was played, for each genome and note."""
    inputs, hidden, pitches, reach, _, rest, experts = sizes
    units, width, extra = padded_twice(hidden), padded(pitches), padded_once(rest + experts)
    steps = 2 * (pitches + reach) + width
    tables = (
        np.zeros((inputs + 1) * units, dtype=np.float32),
        np.zeros((hidden + 1) * steps, dtype=np.float32),
        np.zeros((hidden + 1) * (width + 12), dtype=np.float32),
        np.zeros((hidden + 1) * (width + 12), dtype=np.float32),
        np.zeros((hidden + 1) * width, dtype=np.float32),
        np.zeros((hidden + 1) * extra, dtype=np.float32),
        np.zeros((hidden + 1) * width, dtype=np.float32),
    )
    columns = seen[1]
    last = np.zeros(len(columns) * units, dtype=np.float32)
    tile = np.zeros(TILE * units, dtype=np.float32)
    extras = np.zeros(TILE * extra, dtype=np.float32)
    scores = np.zeros(TILE * width, dtype=np.float32)
    for index in range(len(genomes)):
        _unpack(genomes[index], sizes, tables)
        for number, column in enumerate(columns):
            last[number * units : (number + 1) * units] = tables[0][column * units : (column + 1) * units]
        for start in range(0, totals.shape[1], TILE):
            stop = min(start + TILE, totals.shape[1])
            _hidden(start, stop, seen, tables[0], last, tile, units)
            _extras(stop - start, sizes, tables[5], tile, extras)
            _scores(start, stop, frames, sizes, tables, tile, extras, scores)
            _sums(start, stop, frames[2], sizes, extras, scores, totals[index], played[index])


@njit(error_model="numpy")
def _unpack(genome: Any, sizes: Any, tables: Any) -> None:  # pragma: no cover
    """Write a genome's weights as rows, one for each input or hidden unit, that can be read at any place."""
    inputs, hidden, pitches, reach, vertical, rest, experts = sizes
    first, intervals, degrees, verticals, heights, extras, _ = tables
    units, width, extra = padded_twice(hidden), padded(pitches), padded_once(rest + experts)
    steps = 2 * (pitches + reach) + width
    for unit in range(hidden):
        for column in range(inputs):
            first[column * units + unit] = genome[unit * inputs + column]
    row = hidden + 1
    for unit in range(row):
        heads = genome[hidden * inputs + unit :]
        place = unit * steps
        for step in range(2 * (pitches + reach) - 1):
            near = min(max(step - (pitches - 1) - reach, -reach), reach) + reach
            intervals[place + step] = heads[near * row]
        head = (2 * reach + 1) * row
        for turn in range(width + 12):
            degrees[unit * (width + 12) + turn] = heads[head + turn % 12 * row]
        head += 12 * row
        for pitch in range(pitches):
            heights[unit * width + pitch] = heads[head + pitch * row]
        head += pitches * row
        if vertical:
            for turn in range(width + 12):
                verticals[unit * (width + 12) + turn] = heads[head + (-turn) % 12 * row]
            head += 12 * row
        for number in range(rest + experts):
            extras[unit * extra + number] = heads[head + number * row]
    for pitch in range(pitches, width):
        heights[hidden * width + pitch] = F(NEVER)


@njit(error_model="numpy")
def _hidden(start: Any, stop: Any, seen: Any, first: Any, last: Any, tile: Any, units: Any) -> None:  # pragma: no cover
    """Compute the hidden units of some notes, two vectors of them at a time."""
    rows, columns, numbers = seen
    count = len(columns)
    choices = rows.shape[1]
    places = rows.reshape(-1)
    for note in range(start, stop):
        mine = (note - start) * units
        for unit in range(0, units, 2 * LANES):
            one, two = spread(F(0.0)), spread(F(0.0))
            more, most = spread(F(0.0)), spread(F(0.0))
            for choice in range(0, choices, 2):
                row = at(places, note * choices + choice) + unit
                one = one + load(first, row)
                two = two + load(first, row + LANES)
                row = at(places, note * choices + choice + 1) + unit
                more = more + load(first, row)
                most = most + load(first, row + LANES)
            for number in range(0, count, 2):
                row = number * units + unit
                value = spread_at(numbers, note * count + number)
                one = fma(value, load(last, row), one)
                two = fma(value, load(last, row + LANES), two)
                row += units
                value = spread_at(numbers, note * count + number + 1)
                more = fma(value, load(last, row), more)
                most = fma(value, load(last, row + LANES), most)
            store(tile, mine + unit, one + more)
            store(tile, mine + unit + LANES, two + most)
    for unit in range(0, (stop - start) * units, LANES):
        store(tile, unit, tanh(load(tile, unit)))


@njit(error_model="numpy")
def _extras(count: Any, sizes: Any, table: Any, tile: Any, extras: Any) -> None:  # pragma: no cover
    """Compute the outputs that are no pitches: the rest's score and the gates."""
    hidden, extra = sizes[1], padded_once(sizes[5] + sizes[6])
    units = padded_twice(hidden)
    for note in range(count):
        for number in range(0, extra, LANES):
            sum_ = load(table, hidden * extra + number)
            for unit in range(hidden):
                sum_ = fma(spread_at(tile, note * units + unit), load(table, unit * extra + number), sum_)
            store(extras, note * extra + number, sum_)


@njit(error_model="numpy")
def _scores(
    start: Any, stop: Any, frames: Any, sizes: Any, tables: Any, tile: Any, extras: Any, scores: Any
) -> None:  # pragma: no cover
    """Compute the scores of all pitches."""
    _, hidden, pitches, reach, vertical, rest, experts = sizes
    units, width, extra = padded_twice(hidden), padded(pitches), padded_once(rest + experts)
    steps = 2 * (pitches + reach) + width
    _, intervals, degrees, verticals, heights, _, table = tables
    keys, away, _, heard = frames
    for note in range(start, stop):
        if note == start or keys[note] != keys[note - 1]:
            _add_heads(keys[note], degrees, verticals, heights, table, hidden, width, vertical)
        mine = (note - start) * units
        gates = (note - start) * extra + rest
        for pitch in range(0, width, BLOCK):
            near = at(away, note) + pitch
            row = pitch
            one, two = spread(F(0.0)), spread(F(0.0))
            three, four = spread(F(0.0)), spread(F(0.0))
            for unit in range(hidden):
                weight = spread_at(tile, mine + unit)
                one = fma(weight, load(intervals, near) + load(table, row), one)
                two = fma(weight, load(intervals, near + LANES) + load(table, row + LANES), two)
                three = fma(weight, load(intervals, near + 2 * LANES) + load(table, row + 2 * LANES), three)
                four = fma(weight, load(intervals, near + 3 * LANES) + load(table, row + 3 * LANES), four)
                near += steps
                row += width
            one = one + (load(intervals, near) + load(table, row))
            two = two + (load(intervals, near + LANES) + load(table, row + LANES))
            three = three + (load(intervals, near + 2 * LANES) + load(table, row + 2 * LANES))
            four = four + (load(intervals, near + 3 * LANES) + load(table, row + 3 * LANES))
            place = note * experts * width + pitch
            for expert in range(experts):
                weight = spread_at(extras, gates + expert)
                one = fma(weight, load(heard, place), one)
                two = fma(weight, load(heard, place + LANES), two)
                three = fma(weight, load(heard, place + 2 * LANES), three)
                four = fma(weight, load(heard, place + 3 * LANES), four)
                place += width
            place = (note - start) * width + pitch
            store(scores, place, one)
            store(scores, place + LANES, two)
            store(scores, place + 2 * LANES, three)
            store(scores, place + 3 * LANES, four)


@njit(error_model="numpy")
def _sums(
    start: Any, stop: Any, target: Any, sizes: Any, extras: Any, scores: Any, totals: Any, played: Any
) -> None:  # pragma: no cover
    """Enter the sum of the exponentials of each note's scores, and the score of what was played."""
    pitches, rest = sizes[2], sizes[5]
    width, extra = padded(pitches), padded_once(rest + sizes[6])
    for note in range(start, stop):
        mine = (note - start) * width
        total = spread(F(0.0))
        for pitch in range(mine, mine + width, BLOCK):
            total = total + (exp(load(scores, pitch)) + exp(load(scores, pitch + LANES)))
            total = total + (exp(load(scores, pitch + 2 * LANES)) + exp(load(scores, pitch + 3 * LANES)))
        found = summed(total)
        resting = extras[(note - start) * extra]
        if rest:
            found += summed(exp(spread(resting))) / F(LANES)
        chosen = resting if target[note] < 0 else scores[mine + target[note]]
        if not (found > SMALLEST and found < LARGEST):
            found, chosen = _careful(scores[mine : mine + pitches], rest, resting, chosen)
        totals[note] = found
        played[note] = chosen


@njit(error_model="numpy")
def _add_heads(
    key: Any, degrees: Any, verticals: Any, heights: Any, table: Any, hidden: Any, width: Any, vertical: Any
) -> None:  # pragma: no cover
    """Write the sum of the heads that stay the same from note to note: heights, degrees and verticals."""
    for unit in range(hidden + 1):
        turns = unit * (width + 12)
        for pitch in range(0, width, LANES):
            row = load(heights, unit * width + pitch) + load(degrees, turns + pitch + key // 12)
            if vertical:
                row = row + load(verticals, turns + pitch + key % 12)
            store(table, unit * width + pitch, row)


@njit(error_model="numpy")
def _careful(scores: Any, rest: Any, resting: Any, chosen: Any) -> Any:  # pragma: no cover
    """Return the same where an exponential is too large or too small: all scores are lessened by the highest."""
    top = scores[0]
    for score in scores:
        top = max(top, score)
    if rest:
        top = max(top, resting)
    total = F(0.0)
    for score in scores:
        total += np.exp(score - top)
    if rest:
        total += np.exp(resting - top)
    return total, chosen - top
