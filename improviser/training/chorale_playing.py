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
END = 4.0
"""A chord with which a phrase ends counts for so many: they are few, and what is heard of a phrase most."""
ALL_PAIRS = np.ones(len(PAIRS), np.bool_)


def places_of(terms: Terms, chord: Sequence[int], place: Place) -> tuple[IntArray, IntArray]:
    """Return where the terms of one chord lie: of its pairs, shape (kinds, 6), and of the whole, shape (kinds,)."""
    four = np.array(chord)[:, None]
    pairs = np.empty((len(terms.pair_kinds), len(PAIRS), 1, 1), np.int64)
    whole = np.empty((len(terms.chord_kinds), 1), np.int64)
    terms.of_pairs(four[UPPER], four[LOWER], place, pairs)
    terms.of_chords(four, place, whole)
    return pairs[:, :, 0, 0], whole[:, 0]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """How often each term came, and how often any of its kind could have.

    :param counts: shape (size,).
    :param chances: shape (size,).
    """

    counts: FloatArray
    chances: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """A chord that was come upon.

    :param chord: what sounds, the soprano first.
    :param direct: which pairs of voices have moved with no note between, shape (6,).
    :param weight: how often it counts.
    """

    chord: Sequence[int]
    place: Place
    direct: NDArray[np.bool_]
    weight: float


def count(terms: Terms, chords: Iterable[Met]) -> Counted:
    """Count the terms of chords."""
    counts, chances = np.zeros(terms.size), np.zeros(terms.size)
    direct_kinds = np.array([name in MOTIONS for name in terms.pair_kinds])[:, None]
    cases = np.zeros(len(PAIRS))
    total = 0.0
    for met in chords:
        pairs, whole = places_of(terms, met.chord, met.place)
        np.add.at(counts, pairs[met.direct | ~direct_kinds], met.weight)
        np.add.at(counts, whole, met.weight)
        cases += met.weight * met.direct
        total += met.weight
    for name, where in terms.slices.items():
        if name in MOTIONS and name not in SHARED:
            chances[where] = np.repeat(cases, (where.stop - where.start) // len(PAIRS))
        elif name in MOTIONS:
            chances[where] = cases.sum()
        else:
            chances[where] = total
    return Counted(counts, chances)


def of_corpus(model: ChoraleVoices, settings: Iterable[Setting]) -> Iterator[Met]:
    """Yield the corpus's chords as the model comes upon them."""
    for setting in settings:
        session, weights = ChoraleSession(model), _weights(setting)
        for number, note in enumerate(setting.tune):
            came = setting.chords[number]
            opinions = session.look(note.pitch, note.onset_seconds)
            chord = came.tolist()
            parts = [chord[voice] for voice in model.others]
            if not setting.rests[number]:
                moved = setting.between[number]
                chord[model.given] = opinions.given
                yield Met(chord, opinions.place, ~(moved[UPPER] | moved[LOWER]), weights[number])
            session.learn(note.pitch, note.onset_seconds, parts)


def of_play(model: ChoraleVoices, settings: Iterable[Setting], seed: int) -> Iterator[Met]:
    """Yield the chords that the model plays to the corpus's tunes by itself."""
    for number, setting in enumerate(settings):
        temperature = TEMPERATURES[number % len(TEMPERATURES)]
        played = answered(model, setting.tune, generator(seed, number), temperature)
        for (opinions, parts), weight in zip(played, _weights(setting), strict=True):
            chord = (*parts[: model.given], opinions.given, *parts[model.given :])
            yield Met(chord, opinions.place, ALL_PAIRS, weight)


def _weights(setting: Setting) -> list[float]:
    """Return how often the chord to each note counts."""
    return [1.0] * len(setting.tune) if setting.ends is None else (1 + (END - 1) * setting.ends).tolist()


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
