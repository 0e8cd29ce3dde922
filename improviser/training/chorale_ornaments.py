"""Counts the ornaments of a corpus in four voices (`core.chorale.ornaments`)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from improviser.core.chorale.ornaments import CAME, REACH, SHAPES, STEPS, Ornaments
from improviser.core.chorale.session import ChoraleSession
from improviser.core.chorale.terms import VOICES, Place
from improviser.core.chorale.voices import ChoraleVoices
from improviser.training.chorale_fitting import Setting

OF_RATES, OF_FACTORS, OF_LEADS = 8.0, 20.0, 10.0
"""So many cases each number is taken to have come as often as all of its kind."""

Case = tuple[Sequence[int], Sequence[int], Place, Sequence[int]]
"""A chord, the one before it, its place, and the steps that its voices take before the next (none: −1)."""


def cases_of(model: ChoraleVoices, settings: Iterable[Setting]) -> list[Case]:
    """Return the chords of the corpus as the model comes upon them; after the last of a piece nothing follows."""
    found: list[Case] = []
    for setting in settings:
        session = ChoraleSession(model)
        for number, note in enumerate(setting.tune):
            chord = setting.chords[number].tolist()
            place = session.place(note.pitch, note.onset_seconds)
            if number + 1 < len(setting.tune) and place.before is not None:
                found.append((chord, setting.chords[number + 1].tolist(), place, setting.steps[number].tolist()))
            session.learn(note.pitch, note.onset_seconds, [chord[voice] for voice in model.others])
    return found


def count_ornaments(model: ChoraleVoices, settings: Iterable[Setting]) -> Ornaments:
    """Count rates and moves, then the factors: what came, beside what the rates expect."""
    cases = cases_of(model, settings)
    came = np.zeros((VOICES, 12, CAME, len(STEPS)))
    could = np.zeros((VOICES, 12, CAME, 1))
    moves = np.zeros((len(STEPS), 2 * REACH + 1))
    anywhere = np.ones(2 * REACH + 1)
    for chord, following, place, steps in cases:
        for voice in model.others:
            at = voice, (chord[voice] - place.tonic) % 12, _came(chord, place, voice)
            move = int(np.clip(following[voice] - chord[voice], -REACH, REACH)) + REACH
            could[at] += 1
            anywhere[move] += 1
            if steps[voice] >= 0:
                came[(*at, steps[voice])] += 1
                moves[steps[voice], move] += 1
    of_voice = came.sum(axis=(1, 2), keepdims=True) / np.maximum(could.sum(axis=(1, 2), keepdims=True), 1)
    rates = (came + OF_RATES * of_voice) / (could + OF_RATES)
    share = anywhere / anywhere.sum()
    likely = (moves + OF_LEADS * share) / (moves.sum(axis=1, keepdims=True) + OF_LEADS)
    leads = np.log(likely / share)
    plain = Ornaments(rates, np.ones(SHAPES["rhythm"]), np.ones(SHAPES["intervals"]), leads)
    return _with_factors(plain, model, cases)


def _with_factors(plain: Ornaments, model: ChoraleVoices, cases: Sequence[Case]) -> Ornaments:
    rhythm = np.full((2, *SHAPES["rhythm"]), OF_FACTORS)
    intervals = np.full((2, *SHAPES["intervals"]), OF_FACTORS)
    for chord, _, place, steps in cases:
        expected = plain.weights(chord, place, model.given)
        for voice in model.others:
            at = place.beat, place.gap
            rhythm[(0, *at)] += steps[voice] >= 0
            rhythm[(1, *at)] += expected[voice].sum()
            for number, step in enumerate(STEPS):
                for other, sounds in enumerate(chord):
                    if other != voice:
                        interval = (sounds - chord[voice] - step) % 12
                        intervals[0, interval] += steps[voice] == number
                        intervals[1, interval] += expected[voice, number]
    found = Ornaments(plain.rates, rhythm[0] / rhythm[1], intervals[0] / intervals[1], plain.leads)
    # One part moves at a time: as often as any does in the corpus.
    wanted = sum(any(steps[voice] >= 0 for voice in model.others) for *_, steps in cases)
    likely = sum(min(1.0, float(found.weights(chord, place, model.given).sum())) for chord, _, place, _ in cases)
    return replace(found, rates=found.rates * (wanted / likely)) if likely else found


def _came(chord: Sequence[int], place: Place, voice: int) -> int:
    before = chord if place.before is None else place.before
    return int(np.sign(chord[voice] - before[voice])) + 1
