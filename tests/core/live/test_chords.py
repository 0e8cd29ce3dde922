"""A chord is drawn as bits are counted: from the combinations, or, rarely, each part by itself."""

import math
from collections import Counter

import numpy as np
import pytest

from improviser.core.chorale.session import DOUBT, ChoraleSession, combine
from improviser.core.live.answering.chords import draw_chord
from improviser.core.live.answering.decoding import wheel
from improviser.training.chorale_evaluation import chance_of
from tests.core.chorale.test_terms import chorale

DRAWS = 20_000


def test_chords_come_as_often_as_bits_are_counted_of_them() -> None:
    model = chorale()
    opinions = ChoraleSession(model).look(67, 0.0)
    found = combine(model, opinions)
    sums = wheel(found.scores, 1.0)
    drawn = Counter(draw_chord(found, opinions, sums, 1.0, (number + 0.5) / DRAWS) for number in range(DRAWS))
    for chord, count in drawn.most_common(20):
        assert count / DRAWS == pytest.approx(chance_of(model, opinions, chord)[0], abs=2 / DRAWS + 0.02 * DOUBT)
    outside = sum(count for chord, count in drawn.items() if found.number_of(chord) is None)
    assert 0 < outside / DRAWS <= DOUBT
    apart = [draw_chord(found, opinions, sums, 1.0, DOUBT * (number + 0.5) / DRAWS) for number in range(DRAWS)]
    for part, logs in enumerate(opinions.logs):
        chances = np.exp(logs - logs.max())
        chances /= chances.sum()
        heard = np.bincount([chord[part] for chord in apart], minlength=len(logs)) / DRAWS
        np.testing.assert_allclose(heard, chances, atol=0.01)


def test_coldest_it_takes_the_likeliest_and_forbidden_parts_leave_it_to_the_combinations() -> None:
    model = chorale()
    opinions = ChoraleSession(model).look(67, 0.0)
    found = combine(model, opinions)
    likeliest = found.pitches_of(int(found.scores.argmax()))
    assert draw_chord(found, opinions, wheel(found.scores, 0.0), 0.0, 0.0) == likeliest
    silent = opinions.logs.copy()
    silent[1] = -math.inf
    chord = draw_chord(found, opinions._replace(logs=silent), wheel(found.scores, 1.0), 1.0, DOUBT / 2)
    assert found.number_of(chord) is not None
