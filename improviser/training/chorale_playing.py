"""How the terms of a chorale are fitted to what it plays by itself: what the corpus has against what it plays.

Fitted to chords that follow the corpus's own, a chorale drifts where it follows its own. So it plays the tunes by
itself, its terms are counted, and each number grows by the logarithm of how much oftener its term comes in the corpus
than there: iterative scaling again, its expectations taken from what is played. No gradient, and no rule.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from improviser.core.chorale.session import ChoraleSession
from improviser.core.chorale.terms import LOWER, MOTIONS, PAIRS, SHARED, UPPER, Place, Terms
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.evolution.randomness import generator
from improviser.training.chorale_evaluation import answered
from improviser.training.chorale_fitting import Setting

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SMOOTHING = 8.0
TEMPERATURES = (0.7, 1.0)
"""The tunes are played at these in turn."""
ALL_PAIRS = np.ones(len(PAIRS), np.bool_)


def places_of(terms: Terms, chord: Sequence[int], place: Place) -> tuple[IntArray, IntArray]:
    """Return where the terms of one chord lie: of its pairs, shape (kinds, 6), and of the whole, shape (kinds,)."""
    four = np.array(chord)[:, None]
    pairs = np.empty((len(terms.pair_kinds), len(PAIRS), 1, 1), np.int64)
    whole = np.empty((len(terms.chord_kinds), 1, 1, 1), np.int64)
    terms.of_pairs(four[UPPER], four[LOWER], place, pairs)
    terms.of_chords(four, place, whole)
    return pairs[:, :, 0, 0], whole[:, 0, 0, 0]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """How often each term came, and how often any of its kind could have.

    :param counts: shape (size,).
    :param chances: shape (size,).
    """

    counts: FloatArray
    chances: FloatArray


def count(terms: Terms, chords: Iterable[tuple[Sequence[int], Place, NDArray[np.bool_]]]) -> Counted:
    """Count the terms of chords, each with its place, and which pairs have moved with no note between."""
    counts, chances = np.zeros(terms.size), np.zeros(terms.size)
    direct_kinds = np.array([name in MOTIONS for name in terms.pair_kinds])[:, None]
    cases = np.zeros(len(PAIRS))
    total = 0
    for chord, place, direct in chords:
        pairs, whole = places_of(terms, chord, place)
        np.add.at(counts, pairs[direct | ~direct_kinds], 1.0)
        np.add.at(counts, whole, 1.0)
        cases += direct
        total += 1
    for name, where in terms.slices.items():
        if name in MOTIONS and name not in SHARED:
            chances[where] = np.repeat(cases, (where.stop - where.start) // len(PAIRS))
        elif name in MOTIONS:
            chances[where] = cases.sum()
        else:
            chances[where] = total
    return Counted(counts, chances)


def of_corpus(
    model: ChoraleVoices, settings: Iterable[Setting]
) -> Iterator[tuple[Sequence[int], Place, NDArray[np.bool_]]]:
    """Yield the corpus's chords as the model comes upon them."""
    for setting in settings:
        session = ChoraleSession(model)
        for number, note in enumerate(setting.tune):
            came = setting.chords[number]
            opinions = session.look(note.pitch, note.onset_seconds)
            chord = came.tolist()
            parts = [chord[voice] for voice in model.others]
            if not setting.rests[number]:
                moved = setting.between[number]
                chord[model.given] = opinions.given
                yield chord, opinions.place, ~(moved[UPPER] | moved[LOWER])
            session.learn(note.pitch, note.onset_seconds, parts)


def of_play(
    model: ChoraleVoices, settings: Iterable[Setting], seed: int
) -> Iterator[tuple[Sequence[int], Place, NDArray[np.bool_]]]:
    """Yield the chords that the model plays to the corpus's tunes by itself."""
    for number, setting in enumerate(settings):
        temperature = TEMPERATURES[number % len(TEMPERATURES)]
        for opinions, parts in answered(model, setting.tune, generator(seed, number), temperature):
            yield (*parts[: model.given], opinions.given, *parts[model.given :]), opinions.place, ALL_PAIRS


def fit_to_play(
    model: ChoraleVoices,
    settings: Sequence[Setting],
    theirs: Counted,
    seed: int,
    *,
    fitted: NDArray[np.bool_],
    rate: float,
) -> ChoraleVoices:
    """Return the model with its terms fitted to what it plays to some settings, by one step.

    :param theirs: what the corpus has.
    :param fitted: which numbers are, shape (size,).
    :param rate: how far the step goes, 0–1.
    """
    own = count(model.terms, of_play(model, settings, seed))
    scale = own.chances / np.maximum(theirs.chances, 1.0)
    step = rate * np.log((theirs.counts * scale + SMOOTHING) / (own.counts + SMOOTHING))
    return model.with_numbers(model.numbers + np.where(fitted, step, 0.0).astype(np.float32))
