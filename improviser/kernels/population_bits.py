"""The forward pass of a whole population as one loop that Numba compiles: what evolution spends its time on, at speed.

It computes what `improviser.core.networks.population` computes, to rounding, several times as fast. Nothing but the
result leaves the processor's first two caches; choices are sums of rows instead of products with zeros; notes that
stand in the same key after the same pitch share one table of their heads, whose last columns, there to fill vectors,
hold what scores no pitch: the rest and the gates. All is in logarithms to the base of two, and the logarithm of a
tile's sums is taken once, of their product. It needs Numba (extra `fast`).
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from improviser.core.arrays import Float32Array
from improviser.core.networks.network import Shape
from improviser.core.networks.notes import Notes
from improviser.kernels.simd import (
    EXPONENT_BIAS,
    LANES,
    F,
    at,
    at_most,
    biased_exponent,
    exp2,
    fma,
    load,
    mantissa,
    put,
    spread,
    spread_at,
    store,
    summed,
    tanh_of,
)
from improviser.kernels.weight_tables import BLOCK, add_heads, add_intervals, padded, unpack

# Notes that are scored before the next step: few enough for the cache.
TILE = 256
# Notes whose numbers are multiplied at a time, each weight being read once.
TOGETHER = 4
# A sum of powers of two outside these may have lost digits.
SMALLEST, LARGEST = 1e-25, 1e35


class Batch:
    """Notes laid out for scoring, in the order of what their heads are read against, so that tables are built once."""

    def __init__(self, shape: Shape, notes: Notes) -> None:
        player = notes.player % 12 if shape.vertical else np.zeros(len(notes), dtype=np.int64)
        keys = (shape.low - notes.tonic) % 12 * 12 + (shape.low - player) % 12
        previous = np.clip(notes.previous, shape.low - shape.reach, shape.high + shape.reach)
        order = np.lexsort((-previous, keys))
        notes, self.keys = notes.take(order), keys[order]
        self.steps = (shape.high + shape.reach - previous)[order]
        changes = (np.diff(self.keys) != 0) | (np.diff(self.steps) != 0)
        self.ends = np.append(np.flatnonzero(changes) + 1, len(notes)).astype(np.int64)
        # An even number of choices; what is missing is read from a row of zeros.
        absent = np.full((len(notes), notes.choices.shape[1] % 2), -1)
        choices = np.concatenate([notes.choices, absent], axis=1)
        choices = np.where(choices < 0, shape.inputs, choices)
        self.rows = np.ascontiguousarray(choices * padded(shape.hidden, 2 * LANES), dtype=np.int64)
        self.columns = np.ascontiguousarray(notes.columns, dtype=np.int64)
        self.numbers = np.zeros((padded(len(notes), TOGETHER), len(notes.columns)), dtype=np.float32)
        self.numbers[: len(notes)] = notes.numbers
        self.target = np.where(notes.target < 0, shape.pitches, notes.target - shape.low)
        width = padded(shape.pitches + shape.rest + shape.experts, BLOCK)
        self.experts = np.zeros((len(notes), shape.experts, width), dtype=np.float32)
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
        bits = np.empty(len(population))
        _score_population(
            np.ascontiguousarray(population, dtype=np.float32).reshape(-1),
            self._sizes,
            (batch.rows, batch.columns, batch.numbers.reshape(-1)),
            (batch.keys, batch.steps, batch.ends, batch.target, batch.experts.reshape(-1)),
            bits,
        )
        return bits


@njit(cache=True, nogil=True, error_model="numpy")
def _score_population(genomes: Any, sizes: Any, seen: Any, frames: Any, bits: Any) -> None:  # pragma: no cover
    """Enter the mean bits of each genome."""
    inputs, hidden, pitches, reach, vertical, rest, experts = sizes
    units, width = padded(hidden, 2 * LANES), padded(pitches + rest + experts, BLOCK)
    far, cycle = padded(2 * (pitches + reach) + width, LANES), padded(width + 24, LANES)
    size = hidden * inputs + (2 * reach + 13 + pitches + 12 * vertical + rest + experts) * (hidden + 1)
    columns, notes = seen[1], len(frames[0])
    tables = (
        np.zeros((inputs + 1) * units, dtype=np.float32),
        np.zeros((hidden + 1) * far, dtype=np.float32),
        np.zeros((hidden + 1) * cycle, dtype=np.float32),
        np.zeros((hidden + 1) * cycle, dtype=np.float32),
        np.zeros((hidden + 1) * width, dtype=np.float32),
    )
    last = np.zeros(len(columns) * units, dtype=np.float32)
    tile = np.zeros((TILE + TOGETHER) * units, dtype=np.float32)
    base, table = np.zeros((hidden + 1) * width, dtype=np.float32), np.zeros((hidden + 1) * width, dtype=np.float32)
    scores, sums = np.zeros(TILE * width, dtype=np.float32), np.zeros(TILE + LANES, dtype=np.float32)
    heads, candidates = np.zeros(width, dtype=np.float32), np.zeros(width, dtype=np.float32)
    heads[:pitches] = 1.0
    candidates[: pitches + rest] = 1.0
    for index in range(len(bits)):
        unpack(genomes, index * size, sizes, tables, far, cycle)
        for number in range(len(columns)):
            for unit in range(0, units, LANES):
                store(last, number * units + unit, load(tables[0], at(columns, number) * units + unit))
        total = 0.0
        group = note = 0
        for start in range(0, notes, TILE):
            stop = min(start + TILE, notes)
            _hidden(start, stop, seen, tables[0], last, (inputs - 1) * units, tile, units)
            while note < stop:
                end = min(at(frames[2], group), stop)
                if note == 0 or at(frames[0], note) != at(frames[0], note - 1):
                    add_heads(at(frames[0], note), sizes, tables, heads, base, cycle)
                add_intervals(at(frames[1], note), tables[1], far, heads, base, table)
                _rows(note - start, end - start, hidden, table, tile, units, scores, width)
                group += end == at(frames[2], group)
                note = end
            total += _bits(start, stop, frames, pitches + rest, experts, candidates, scores, sums)
        bits[index] = total / notes


@njit(error_model="numpy")
def _hidden(
    start: Any, stop: Any, seen: Any, weights: Any, last: Any, constant: Any, tile: Any, units: Any
) -> None:  # pragma: no cover
    """Compute the hidden units of some notes, two vectors of them at a time."""
    choices = seen[0].shape[1]
    rows = seen[0].reshape(-1)
    for note in range(start, stop):
        for unit in range(0, units, 2 * LANES):
            one, two = load(weights, constant + unit), load(weights, constant + unit + LANES)
            more, most = spread(F(0.0)), spread(F(0.0))
            for choice in range(note * choices, (note + 1) * choices, 2):
                row = at(rows, choice) + unit
                one = one + load(weights, row)
                two = two + load(weights, row + LANES)
                row = at(rows, choice + 1) + unit
                more = more + load(weights, row)
                most = most + load(weights, row + LANES)
            store(tile, (note - start) * units + unit, one + more)
            store(tile, (note - start) * units + unit + LANES, two + most)
    for note in range(0, stop - start, TOGETHER):
        for unit in range(0, units, 2 * LANES):
            _numbers(start + note, seen[2], len(seen[1]), last, unit, tile, note * units + unit, units)


@njit(error_model="numpy", inline="always")
def _numbers(
    note: Any, numbers: Any, count: Any, last: Any, unit: Any, tile: Any, mine: Any, units: Any
) -> None:  # pragma: no cover
    """Add the numbers of TOGETHER notes to two vectors of hidden units each, and finish these."""
    yours, his, hers = mine + units, mine + 2 * units, mine + 3 * units
    one, two = load(tile, mine), load(tile, mine + LANES)
    three, four = load(tile, yours), load(tile, yours + LANES)
    five, six = load(tile, his), load(tile, his + LANES)
    seven, eight = load(tile, hers), load(tile, hers + LANES)
    first, second, third, fourth = note * count, (note + 1) * count, (note + 2) * count, (note + 3) * count
    for number in range(count):
        low, high = load(last, number * units + unit), load(last, number * units + unit + LANES)
        value = spread_at(numbers, first + number)
        one, two = fma(value, low, one), fma(value, high, two)
        value = spread_at(numbers, second + number)
        three, four = fma(value, low, three), fma(value, high, four)
        value = spread_at(numbers, third + number)
        five, six = fma(value, low, five), fma(value, high, six)
        value = spread_at(numbers, fourth + number)
        seven, eight = fma(value, low, seven), fma(value, high, eight)
    store(tile, mine, tanh_of(one))
    store(tile, mine + LANES, tanh_of(two))
    store(tile, yours, tanh_of(three))
    store(tile, yours + LANES, tanh_of(four))
    store(tile, his, tanh_of(five))
    store(tile, his + LANES, tanh_of(six))
    store(tile, hers, tanh_of(seven))
    store(tile, hers + LANES, tanh_of(eight))


@njit(error_model="numpy")
def _rows(
    note: Any, end: Any, hidden: Any, table: Any, tile: Any, units: Any, scores: Any, width: Any
) -> None:  # pragma: no cover
    """Compute all columns of the notes that share a table, two notes at a time."""
    while note + 1 < end:
        mine = note * units
        yours = mine + units
        for column in range(0, width, BLOCK):
            row = hidden * width + column
            one, two = load(table, row), load(table, row + LANES)
            three, four = load(table, row + 2 * LANES), load(table, row + 3 * LANES)
            five, six, seven, eight = one, two, three, four
            row = column
            for unit in range(hidden):
                weight, weight_too = spread_at(tile, mine + unit), spread_at(tile, yours + unit)
                some, more = load(table, row), load(table, row + LANES)
                one, two = fma(weight, some, one), fma(weight, more, two)
                five, six = fma(weight_too, some, five), fma(weight_too, more, six)
                some, more = load(table, row + 2 * LANES), load(table, row + 3 * LANES)
                three, four = fma(weight, some, three), fma(weight, more, four)
                seven, eight = fma(weight_too, some, seven), fma(weight_too, more, eight)
                row += width
            _store_block(scores, note * width + column, one, two, three, four)
            _store_block(scores, (note + 1) * width + column, five, six, seven, eight)
        note += 2
    if note < end:
        _row(tile, note * units, hidden, table, scores, note * width, width)


@njit(error_model="numpy")
def _row(
    tile: Any, mine: Any, hidden: Any, table: Any, scores: Any, place: Any, width: Any
) -> None:  # pragma: no cover
    """Compute all columns of one note."""
    for column in range(0, width, BLOCK):
        row = hidden * width + column
        one, two = load(table, row), load(table, row + LANES)
        three, four = load(table, row + 2 * LANES), load(table, row + 3 * LANES)
        row = column
        for unit in range(hidden):
            weight = spread_at(tile, mine + unit)
            one, two = fma(weight, load(table, row), one), fma(weight, load(table, row + LANES), two)
            three = fma(weight, load(table, row + 2 * LANES), three)
            four = fma(weight, load(table, row + 3 * LANES), four)
            row += width
        _store_block(scores, place + column, one, two, three, four)


@njit(error_model="numpy", inline="always")
def _store_block(array: Any, place: Any, one: Any, two: Any, three: Any, four: Any) -> None:  # pragma: no cover
    """Write four vectors."""
    store(array, place, one)
    store(array, place + LANES, two)
    store(array, place + 2 * LANES, three)
    store(array, place + 3 * LANES, four)


@njit(error_model="numpy")
def _bits(
    start: Any, stop: Any, frames: Any, gates: Any, experts: Any, candidates: Any, scores: Any, sums: Any
) -> Any:  # pragma: no cover
    """Add the experts' opinions to the scores; return −log2 P of what was played, summed over the notes."""
    heard, target, width = frames[4], frames[3], len(candidates)
    played = 0.0
    for note in range(start, stop):
        mine = (note - start) * width
        total = spread(F(0.0))
        for column in range(0, width, BLOCK):
            place = mine + column
            one, two = load(scores, place), load(scores, place + LANES)
            three, four = load(scores, place + 2 * LANES), load(scores, place + 3 * LANES)
            row = note * experts * width + column
            for expert in range(experts):
                weight = spread_at(scores, mine + gates + expert)
                one = fma(weight, load(heard, row), one)
                two = fma(weight, load(heard, row + LANES), two)
                three = fma(weight, load(heard, row + 2 * LANES), three)
                four = fma(weight, load(heard, row + 3 * LANES), four)
                row += width
            _store_block(scores, place, one, two, three, four)
            total = fma(exp2(one), load(candidates, column), total)
            total = fma(exp2(two), load(candidates, column + LANES), total)
            total = fma(exp2(three), load(candidates, column + 2 * LANES), total)
            total = fma(exp2(four), load(candidates, column + 3 * LANES), total)
        put(sums, note - start, summed(total))
        played += at(scores, mine + at(target, note))
    logarithms, sound = _logarithms(sums, stop - start)
    if not sound:
        logarithms = 0.0
        for mine in range(0, (stop - start) * width, width):
            logarithms += _careful(scores[mine : mine + gates])
    return logarithms - played


@njit(error_model="numpy")
def _logarithms(sums: Any, count: Any) -> Any:  # pragma: no cover
    """Return the sum of the logarithms to the base of two, and whether all numbers were neither too small nor large."""
    vectors = padded(count, LANES)
    for place in range(count, vectors):
        put(sums, place, F(1.0))
    product, exponents = spread(F(1.0)), spread(F(0.0))
    least, total = spread(F(1.0)), spread(F(0.0))
    for place in range(0, vectors, LANES):
        some = load(sums, place)
        product, exponents = product * mantissa(some), exponents + biased_exponent(some)
        least, total = at_most(some, least), total + some
    store(sums, 0, least)
    smallest = at(sums, 0)
    for place in range(1, LANES):
        smallest = min(smallest, at(sums, place))
    store(sums, 0, product)
    mantissas = 1.0
    for place in range(LANES):
        mantissas *= at(sums, place)
    logarithms = math.log2(mantissas) + summed(exponents) - EXPONENT_BIAS * vectors
    return logarithms, smallest > SMALLEST and summed(total) < LARGEST


@njit(error_model="numpy")
def _careful(scores: Any) -> Any:  # pragma: no cover
    """Return log2 of the sum of the powers where one is too large or too small: the highest score is taken off."""
    top = scores[0]
    for score in scores:
        top = max(top, score)
    total = 0.0
    for score in scores:
        total += 2.0 ** np.float64(score - top)
    return math.log2(total) + top
