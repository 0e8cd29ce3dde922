"""Frequency-rank decoding: raw outputs of a whole piece → numbers of notes, and how well these follow the input.

The outputs' range is cut into as many steps as the piece has different notes (K). The level that occurs most often
becomes the note that occurs most often in the input, the second the second, and so on. There are K + 1 levels (0 … K):
a level without a note left becomes number 0. Among equally frequent ones the first to appear comes first.
"""

import numpy as np

from improviser.core.arrays import Float64Array
from improviser.core.echo.encoding import IntArray, by_frequency


def levels_of(raw: Float64Array, steps: int) -> IntArray:
    """Return the level of each raw output, same shape as `raw` (…, notes): 0 … `steps`; ties round to even.

    Rows whose range is not a finite number, or none at all, are all zero.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        levels = raw - raw.min(axis=-1, keepdims=True)
        step = levels.max(axis=-1, keepdims=True) / steps
        sound = np.isfinite(step) & (step > 0)
        levels /= np.where(sound, step, 1.0)
    np.rint(levels, out=levels)
    if not sound.all():
        levels[~sound[..., 0]] = 0.0
    np.minimum(levels, steps, out=levels)  # a range of denormal numbers may overshoot
    whole: IntArray = levels.astype(np.int64)
    return whole


def decode_whole(raw: Float64Array, ranked: IntArray) -> IntArray:
    """Return the note numbers for the raw outputs of one piece, shape (notes,).

    :param raw: the network's output at each note, shape (notes,), finite.
    :param ranked: the input's K note numbers, the most frequent first.
    """
    if not len(raw):
        return np.zeros(0, np.int64)
    levels = levels_of(raw, len(ranked))
    decoded: IntArray = notes_of_levels(levels[None], ranked)[0][levels]
    return decoded


def notes_of_levels(levels: IntArray, ranked: IntArray) -> IntArray:
    """Return which note number each level stands for: shape (rows, K + 1) for `levels` of shape (rows, notes)."""
    bins = len(ranked) + 1
    places = _places(levels, bins)
    return _match(_counts(levels, places, bins), _first(levels, places, bins), ranked)


def rate_population(raw: Float64Array, numbers: IntArray, ranked: IntArray) -> Float64Array:
    """Return the rating of each row of `raw`: Pearson's correlation of the input's numbers with the decoded ones.

    The decoded notes are never written out: the counts of each level, and the sum of the input's numbers at each
    level, are enough, and being whole numbers they lose nothing.

    :param raw: outputs, shape (population, notes).
    :param numbers: the input's notes, shape (notes,).
    :param ranked: the input's K note numbers, the most frequent first.
    :returns: shape (population,); NaN where a row's outputs are not finite or all decode to one note.
    """
    notes = len(numbers)
    bins = len(ranked) + 1
    levels = levels_of(raw, len(ranked))
    places = _places(levels, bins)
    counts = _counts(levels, places, bins)
    outputs = _match(counts, _first(levels, places, bins), ranked).astype(np.float64)
    inputs = np.broadcast_to(numbers.astype(np.float64), levels.shape).ravel()
    sums = np.bincount(places, inputs, minlength=counts.size).reshape(counts.shape)
    total = (counts * outputs).sum(axis=1)
    squares = (counts * outputs * outputs).sum(axis=1)
    products = (sums * outputs).sum(axis=1)
    own = float(numbers.sum())
    spread = (notes * float(numbers @ numbers) - own * own) * (notes * squares - total * total)
    covariance = notes * products - own * total
    rating = np.full(len(raw), np.nan)
    sound = (spread > 0) & np.isfinite(raw).all(axis=1)
    rating[sound] = covariance[sound] / np.sqrt(spread[sound])
    return rating


def _places(levels: IntArray, bins: int) -> IntArray:
    """Number the levels of all rows through: shape (rows * notes,)."""
    return np.asarray(levels + np.arange(len(levels))[:, None] * bins).ravel()


def _counts(levels: IntArray, places: IntArray, bins: int) -> IntArray:
    """Count each level of each row: shape (rows, bins)."""
    return np.asarray(np.bincount(places, minlength=len(levels) * bins)).reshape(-1, bins)


def _first(levels: IntArray, places: IntArray, bins: int) -> IntArray:
    """Find where each level of each row appears first: shape (rows, bins)."""
    rows, notes = levels.shape
    first = np.full(rows * bins, notes)
    # Written back to front: of several notes on one place the first one stays.
    first[places[::-1]] = np.broadcast_to(np.arange(notes - 1, -1, -1), levels.shape).ravel()
    return first.reshape(rows, bins)


def _match(counts: IntArray, first: IntArray, ranked: IntArray) -> IntArray:
    """Give each level the note of its own rank; levels beyond the last note get number 0."""
    bins = counts.shape[1]
    notes = int(counts[0].sum())
    order = by_frequency(counts * (notes + 1) - first)
    matched = np.zeros_like(counts)
    np.put_along_axis(matched, order, np.append(ranked, 0)[None, :bins], axis=1)
    return matched
