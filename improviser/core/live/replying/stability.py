"""Where a reply may end: on the stable notes of home, by all that the player has said, phrase by phrase.

The key finder hears one note after the other, and is sure of itself soon: after a phrase that ends open it is often
elsewhere. A reply can wait for more. So what the key finder said after each phrase counts together with where the
player's phrases end and begin, which notes they use, and, with two hands, the chords that they begin and end on: each
speaks for the tonics of which it is a degree. Where two keys are about as likely, what both rest on is the most
stable. After a modulation, phrases that are foreign to the present scale hardly count.

The constants are bred, without gradients, on players and folk tunes: `tests/benchmarks/stability_fit.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from improviser.core.music.functional_keys import Chord, tonic_nats
from improviser.core.music.home import MODES

Floats = NDArray[np.float64]

PHRASES: Final = 24
"""The last phrases whose ends and beginnings count."""
BASS_PHRASES: Final = 8
"""The last phrases of two hands whose basses count."""
FADE, HOME_FADE, NOTE_FADE = 0.93, 0.85, 0.985
"""What is left of a phrase's weight one phrase later, of what the key finder said after it, and of a note's."""
NOTES: Final = 256
FOREIGN, LEEWAY = 50.0, 0.05
"""Nats by which a phrase counts less for notes foreign to the scale, if all are, beyond the share that the last has."""
FINDER: Final = 0.2
"""How much of the judgement on one line is the key finder's alone: where all else is in doubt, it decides."""
ALIKE: Final = 3
"""Phrases that end, or begin, with the same notes, so many, say that again, and count for the root of their number."""

_DEGREES: Final = (np.arange(12)[None, :] + np.arange(12)[:, None]) % 12
"""The pitch class of each degree, in semitones, of each tonic; shape (12, 12)."""
_STABLE: Final = np.array(
    [[[(pitch - tonic) % 12 in mode.stable for pitch in range(12)] for tonic in range(12)] for mode in MODES],
    np.float64,
)
"""Which pitch classes each key may end on, shape (modes, 12, 12)."""
_INSIDE: Final = np.array(
    [
        [[(pitch - tonic) % 12 in (*mode.steps, *mode.visitors) for pitch in range(12)] for tonic in range(12)]
        for mode in MODES
    ],
    np.float64,
)
"""Which pitch classes belong to each key, or visit it, shape (modes, 12, 12)."""
_SHARES: Final = 1e-12 * np.array([[mode.share] for mode in MODES])
"""How usual each mode is, for a tonic that the key finder has no opinion of."""
_NEVER: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Said:
    """What a player has said, the latest last.

    :param homes: how likely each key was after each of the last phrases, shape (modes, 12), see `HomeTracker.chances`.
    :param tunes: the pitches of the last phrases' tunes.
    :param basses: with two hands, what each chord of the last phrases is built on, a pitch or pitch class; else empty.
    :param chords: with two hands, what the left hand struck together in these phrases; else empty.
    """

    homes: Sequence[Floats]
    tunes: Sequence[Sequence[int]]
    basses: Sequence[Sequence[int]] = ()
    chords: Sequence[Sequence[Chord]] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What each hint is worth: nats for a tonic, by the degree of it that the hint is, in semitones, shape (12,).

    :param now, before: for the logarithm of the key finder's chance of it, after the last phrase, and on average.
    :param doubt: the least of these logarithms that counts.
    :param ends, begins: for a phrase that ends, or begins, there.
    :param two_hands_end: the same for a tune that a left hand goes with.
    :param notes: for the share of the player's notes.
    :param bass_begins, bass_ends: for what a phrase's first, and last, chord is built on.
    :param harmony: for a nat by which a tonic goes better with each chord of four notes (`functional_keys`).
    """

    now: float
    before: float
    doubt: float
    ends: Floats
    begins: Floats
    notes: Floats
    bass_begins: Floats
    bass_ends: Floats
    two_hands_end: Floats
    harmony: float


def by_degree(degrees: Mapping[int, float], others: float = 0.0) -> Floats:
    """Return a table by degrees, shape (12,)."""
    table = np.full(12, others)
    table[[*degrees]] = [*degrees.values()]
    return table


BRED: Final = Judgement(
    now=0.21,
    before=0.09,
    doubt=-6.4,
    ends=by_degree({0: 0.8, 2: 0.02, 3: -0.64, 4: -0.64, 5: -0.86, 7: -0.02, 10: -1.11, 11: -0.25}, -1.16),
    begins=by_degree({0: 0.37, 3: 0.3, 4: 0.3, 7: 0.53}),
    notes=by_degree({0: 2.52, 3: 1.63, 4: 1.63, 7: 3.18}),
    bass_begins=by_degree({0: 0.84, 7: -0.52, 8: -0.42, 9: -0.42}),
    bass_ends=by_degree({0: 0.26, 7: -0.12, 10: 0.52}),
    two_hands_end=by_degree({0: 0.36, 2: -0.03, 3: 0.72, 4: 0.72, 7: -0.39}),
    harmony=6.0,
)


def stability(said: Said, judgement: Judgement = BRED) -> list[float]:
    """Return how likely each pitch class, 0-11, is one to end on.

    :param said: of at least one phrase.
    """
    likely = _shares_of(tonics(said, judgement))
    if not said.basses:
        finder = np.maximum(np.log(said.homes[-1].sum(axis=0) + _NEVER), judgement.doubt)
        likely = (1 - FINDER) * likely + FINDER * _shares_of(finder)
    modes = said.homes[-1] + _SHARES
    modes /= modes.sum(axis=0)
    stable: list[float] = np.einsum("mt,mtp->p", modes * likely, _STABLE).tolist()
    return [max(1e-3, each) for each in stable]


def _shares_of(nats: Floats) -> Floats:
    """Return chances, shape (12,), that sum to 1."""
    chances: Floats = np.exp(nats - nats.max())
    return chances / float(chances.sum())


def tonics(said: Said, judgement: Judgement) -> Floats:
    """Return what speaks for each tonic, in nats, shape (12,)."""
    homes, weights = said.homes[-PHRASES:], _weights(said)
    heard = np.array([np.maximum(np.log(each.sum(axis=0) + _NEVER), judgement.doubt) for each in homes])
    both = min(len(homes), len(weights))
    fading = HOME_FADE ** np.arange(both) * weights[:both]
    worth: Floats = judgement.now * heard[-1] + judgement.before * (fading @ heard[::-1][:both]) / fading.sum()
    for degrees, spoken in _hints(said, weights, judgement):
        worth += spoken[_DEGREES] @ degrees
    functions = tonic_nats([chord for chords in said.chords[-BASS_PHRASES:] for chord in chords])
    return worth if functions is None else worth + judgement.harmony * functions


def _weights(said: Said) -> Floats:
    """Return how much each phrase counts, as its notes go with the present scale, 0-1, the latest first."""
    scale = np.einsum("mt,mtp->p", said.homes[-1], _INSIDE)
    foreign = np.array([1 - np.mean(scale[[pitch % 12 for pitch in tune]]) for tune in reversed(said.tunes)])
    weights: Floats = np.exp(-FOREIGN * np.maximum(0.0, foreign - foreign[0] - LEEWAY))
    return weights


def _hints(said: Said, weights: Floats, judgement: Judgement) -> Iterator[tuple[Floats, Floats]]:
    """Yield each hint: what it is worth by degree, and how much of it each pitch class has, both of shape (12,)."""
    tunes = said.tunes[::-1]
    ends = judgement.two_hands_end if said.basses else judgement.ends
    yield ends, _often([tune[-ALIKE:] for tune in tunes], weights)
    yield judgement.begins, _often([tune[:ALIKE][::-1] for tune in tunes], weights)
    yield judgement.notes, _shares(tunes, weights)
    if said.basses:
        basses = said.basses[-BASS_PHRASES:][::-1]
        yield judgement.bass_begins, _often([each[:ALIKE][::-1] for each in basses], weights)
        yield judgement.bass_ends, _often([each[-ALIKE:] for each in basses], weights)


def _often(notes: Sequence[Sequence[int]], weights: Floats) -> Floats:
    """Return how often each pitch class is the last of some notes, those of the latest phrase first; it fades."""
    counts: dict[tuple[int, ...], float] = {}
    for age, (some, weight) in enumerate(zip(notes[:PHRASES], weights.tolist(), strict=False)):
        key = tuple(some)
        counts[key] = counts.get(key, 0.0) + weight * FADE**age
    often = np.zeros(12)
    for key, count in counts.items():
        often[key[-1] % 12] += count**0.5 if count > 1 else count
    return often


def _shares(tunes: Sequence[Sequence[int]], weights: Floats) -> Floats:
    """Return each pitch class's share of the last notes, those of the latest phrase first; it fades."""
    shares, fading = np.zeros(12), 1.0
    latest = ((pitch, weight) for tune, weight in zip(tunes, weights.tolist(), strict=True) for pitch in reversed(tune))
    for pitch, weight in islice(latest, NOTES):
        shares[pitch % 12] += weight * fading
        fading *= NOTE_FADE
    shares /= shares.sum()
    return shares
