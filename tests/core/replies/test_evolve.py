"""Evolution of a reply: any phrase gets one, the same dice make the same, and it is better than what it began with."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.networks.responder import LogProbabilities
from improviser.core.replies import evolve
from improviser.core.replies.evolve import Evolution
from improviser.core.replies.fitness import Fitness
from improviser.core.replies.line import LONGEST_LINE, Line, steps_of
from improviser.core.replies.vocabulary import FIGURE, grams
from tests.core.replies.briefs import LINES, TUNE, brief_of, dice, line

EARLIER = tuple(
    line(pitches)
    for pitches in (
        (67, 69, 71, 72, 71, 69, 67, 64, 65, 62, 60),
        (72, 71, 67, 69, 65, 67, 64, 62, 64, 60),
        (60, 62, 64, 67, 64, 69, 67, 65, 64),
    )
)


def stepwise(pitches: Sequence[int]) -> LogProbabilities:
    """Foresee steps."""
    last = pitches[-1] if pitches else 64
    logs = -0.5 * np.abs(np.arange(128) - last)
    return np.asarray(logs - np.logaddexp.reduce(logs), np.float64)


@settings(max_examples=10, deadline=None)
@given(LINES, st.lists(LINES, max_size=3), st.integers(0, 1000), st.booleans(), st.floats(0, 1), st.floats(0, 4))
def test_any_phrase_gets_a_reply_that_can_be_played(
    phrase: Line, earlier: list[Line], seed: int, keeps: bool, kinship: float, temperature: float
) -> None:
    brief = brief_of(phrase, *earlier, keeps_rhythm=keeps, kinship=kinship, temperature=temperature)
    replies = [Evolution(brief, stepwise, dice(seed)).finish(80) for _ in range(2)]
    assert replies[0] == replies[1]
    (reply, _) = replies
    assert 1 <= len(reply) <= LONGEST_LINE
    assert all(brief.ladder.pitches[0] <= pitch <= brief.ladder.pitches[-1] for pitch in reply.pitches)
    assert all(touch.duration_seconds > 0 and 1 <= touch.velocity <= 127 for touch in reply.touches)
    assert reply.onsets == sorted(reply.onsets)
    assert not keeps or reply.touches == phrase.touches


def test_it_can_be_stopped_at_any_time_and_gets_better() -> None:
    brief = brief_of(line(TUNE), *EARLIER)
    thought = Evolution(brief, stepwise, dice(4))
    fitness, points = Fitness(brief, None), [-1e9]
    for pieces in (0, 30, 200):
        while thought.pieces < pieces and thought.think():
            pass
        assert Evolution(brief, stepwise, dice(4)).finish(thought.pieces) == thought.best
        points.append(fitness.rate(thought.best))
    assert points[-1] > points[1] + 1
    best = thought.finish()
    assert thought.best == best
    assert not thought.think()
    assert thought.finish(1) == best


def test_other_dice_make_other_replies() -> None:
    brief = brief_of(line(TUNE), *EARLIER)
    assert len({Evolution(brief, None, dice(seed)).finish(120) for seed in range(4)}) == 4


@pytest.mark.parametrize(("kinship", "low", "high"), [(0.0, 0.0, 0.3), (0.5, 0.3, 0.75), (1.0, 0.7, 1.0)])
def test_kinship_is_how_much_of_the_players_it_has(kinship: float, low: float, high: float) -> None:
    brief = brief_of(line(TUNE), *EARLIER, kinship=kinship)
    shares = []
    for seed in range(4):
        figures = grams(steps_of(Evolution(brief, stepwise, dice(seed)).finish().pitches), FIGURE)
        shares.append(sum(figure in brief.known.figures for figure in figures) / len(figures))
    assert low <= sum(shares) / len(shares) <= high


def test_a_reply_ends_well_and_is_no_copy() -> None:
    brief = brief_of(line(TUNE), *EARLIER)
    for seed in range(3):
        reply = Evolution(brief, stepwise, dice(seed)).finish()
        assert reply.pitches[-1] % 12 in (0, 4, 7)
        steps = steps_of(reply.pitches)
        assert all(steps not in grams(steps_of(said.pitches), len(steps)) for said in (line(TUNE), *EARLIER))


def test_it_tires_of_its_own_replies() -> None:
    said = [Evolution(brief_of(line(TUNE), *EARLIER), None, dice()).finish()]
    for _ in range(3):
        said.append(Evolution(brief_of(line(TUNE), *EARLIER, replies=said), None, dice()).finish())
    figures = Counter(figure for reply in said for figure in {*grams(reply.pitches, 6)})
    assert sum(times for times in figures.values() if times > 1) <= 0.35 * sum(figures.values())


def test_what_is_foreseen_counts_the_more_the_colder_it_is() -> None:
    """Whoever foresees wide leaps alone is not listened to where it is hot."""

    def leaps(pitches: Sequence[int]) -> LogProbabilities:
        return np.asarray(-np.abs(np.abs(np.arange(128) - (pitches[-1] if pitches else 64)) - 9.0), np.float64)

    sizes = []
    for temperature in (0.0, 4.0):
        brief = brief_of(line(TUNE), *EARLIER, temperature=temperature, kinship=0.0)
        thought = Evolution(brief, leaps, dice())
        thought._breeding._fitness._usual = 0.0
        thought._breeding._fitness.expect = lambda _: None  # type: ignore[method-assign, assignment]
        steps = steps_of(thought.finish().pitches)
        sizes.append(sum(map(abs, steps)) / len(steps))
    assert sizes[0] > sizes[1] + 1


def test_models_are_asked_so_often_and_no_more() -> None:
    asked = []

    def count(pitches: Sequence[int]) -> LogProbabilities:
        asked.append(pitches)
        return stepwise(pitches)

    Evolution(brief_of(line(TUNE), *EARLIER), count, dice()).finish()
    assert 20 < len(asked) <= evolve.IMAGININGS + 2 * len(TUNE)


def test_pitch_classes_come_about_as_often_as_the_player_has_them() -> None:
    phrase, before = line(TUNE), [line([48, 76, 72, 64, 84, 60, 52, 60])] * 6
    plain, tired = (Fitness(brief_of(phrase, replies=replies), None) for replies in ([], before))
    homely, other = line([60, 64, 60, 60, 64, 60]), line([65, 69, 67, 65, 69, 67])
    assert tired.rate(homely) - tired.rate(other) < plain.rate(homely) - plain.rate(other) - 0.5
