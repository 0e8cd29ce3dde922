"""Votes: a few of them move what is played, they are bounded, and they can be taken back."""

from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.player.knobs import Knobs
from improviser.core.live.player.votes import BAD, FORGET, GOOD, Votes
from improviser.core.midi.event import ControlChange, NoteOn
from improviser.errors import ConfigError
from improviser.library.catalogue import load_model
from tests.core.live.desk import Desk, notes

TUNE = [67, 69, 71, 72, 74, 72, 71, 69]
EVEN = np.zeros(128)
PEDAL = 20


def phrase(desk: Desk) -> list[int]:
    """Play a phrase; return what is played to it, and after it."""
    heard = []
    for pitch in TUNE:
        heard += notes(desk.down(pitch, after=0.3))
        desk.up(pitch)
    return heard + notes([event for _, event in desk.wait(6.0)])


def voted(*pitches: int, good: bool = False, count: int = 1) -> Votes:
    """Return votes on a phrase of these pitches."""
    votes = Votes()
    for number, pitch in enumerate(pitches):
        votes.play(0, pitch, number * 0.25)
    for _ in range(count):
        votes.vote(good=good)
    return votes


@pytest.mark.parametrize(("model", "mode"), [("bach-bass", "shadow"), ("bach-melody", "answer"), ("auto", "answer")])
def test_ten_votes_against_a_register_move_it(model: str, mode: str) -> None:
    far = []
    for votes in (0, 10):
        desk = Desk(load_model(model), mode=mode)
        register = mean(phrase(desk))
        for _ in range(votes):
            if abs(mean(phrase(desk)) - register) < 5:
                desk.send(desk.performer.do(BAD, desk.now))
        after = phrase(desk) + phrase(desk)
        far.append(mean(abs(pitch - register) for pitch in after))
    assert far[1] > 1.5 * far[0]


def register_after_votes(seed: int, *, votes: bool) -> float:
    """Return the mean pitch of a bass after ten phrases, with votes for its high notes or without."""
    desk = Desk(load_model("bach-bass"), seed=seed)
    for number in range(10):
        played = phrase(desk)
        if votes:
            middle = 52 - number  # which few of its notes reach
            desk.send(desk.performer.do(GOOD if mean(played) > middle else BAD, desk.now))
    return mean(phrase(desk) + phrase(desk))


def test_votes_for_high_notes_bring_higher_ones() -> None:
    without, with_votes = (
        mean(register_after_votes(seed, votes=votes) for seed in range(5)) for votes in (False, True)
    )
    assert with_votes > without + 1


def test_a_vote_is_about_the_register_of_the_phrase() -> None:
    liked, disliked = (voted(60, 62, 64, good=good).weigh(1, EVEN) for good in (True, False))
    assert liked[62] > 0.3
    assert liked[62] == pytest.approx(-disliked[62], abs=0.2)
    assert abs(liked[90]) < 0.2  # only its pitch class


def test_a_figure_that_was_liked_is_likelier_to_be_completed() -> None:
    votes = voted(60, 64, 67, 60, 64, 67, good=True, count=3)
    for number, pitch in enumerate((72, 76)):
        votes.play(0, pitch, 60.0 + number / 4)
    weighed = votes.weigh(0, EVEN)
    assert weighed[79] > weighed[78] + 1
    assert weighed[79] > weighed[80] + 1


def test_what_is_usual_is_not_to_blame() -> None:
    """Of a phrase as all before it were, only register and figures are avoided."""
    votes = Votes()
    for number in range(400):
        votes.play(0, 60 + 2 * (number % 4), number * 0.25)
    for number in range(4):
        votes.play(0, 60 + 2 * number, 110 + number * 0.25)
    votes.vote(good=False)
    weighed = votes.weigh(1, EVEN)
    assert weighed[24 + 60] == pytest.approx(0, abs=0.05)


def test_who_votes_as_a_phrase_begins_means_the_one_before() -> None:
    votes = Votes()
    for number, pitch in enumerate((60, 61, 62)):
        votes.play(0, pitch, number * 0.25)
    votes.play(0, 90, 30.0)
    votes.vote(good=False)
    weighed = votes.weigh(1, EVEN)
    assert weighed[61] < weighed[90]


def test_votes_before_anything_was_played_are_none() -> None:
    votes = Votes()
    assert not votes.vote(good=True)
    assert votes.weigh(0, EVEN) is EVEN


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 127), st.sampled_from([None, GOOD, BAD])), max_size=200),
    st.integers(0, 3),
)
def test_whatever_is_voted_nothing_becomes_impossible(told: list[tuple[int, int, str | None]], part: int) -> None:
    votes = Votes()
    for number, (voice, pitch, vote) in enumerate(told):
        votes.play(voice, pitch, number * 0.3)
        if vote is not None:
            votes.vote(good=vote == GOOD)
    weighed = votes.weigh(part, EVEN)
    assert weighed.shape == (128,)
    assert np.abs(weighed).max() <= 6 + 2 + 2 + 4
    votes.forget()
    assert votes.weigh(part, EVEN) is EVEN


def test_forgetting_takes_all_back() -> None:
    plain, forgotten = Desk(load_model("bach-bass")), Desk(load_model("bach-bass"))
    for desk in (plain, forgotten):
        phrase(desk)
    for command in (BAD, BAD, GOOD, FORGET):
        forgotten.send(forgotten.performer.do(command, forgotten.now))
    assert phrase(plain) == phrase(forgotten)


def test_a_pedal_votes_once_each_time_it_goes_down() -> None:
    plain, desk = (Desk(load_model("bach-bass"), controls={BAD: PEDAL}) for _ in range(2))
    assert phrase(plain) == phrase(desk)
    done = []
    for value in (10, 127, 100, 64, 0, 0, 90, 63):
        assert desk.pedal(value, control=PEDAL) == []
        done.append(desk.last.done)
        plain.now = desk.now
    assert [each for each in done if each] == [BAD, BAD]
    for _ in range(2):
        plain.send(plain.performer.do(BAD, plain.now))
    assert phrase(plain) == phrase(desk)


def test_a_spare_pedal_can_vote_and_turn_nothing_else() -> None:
    Knobs({GOOD: 66, BAD: 67})
    for controls in ({"low": 66}, {GOOD: 64}):
        with pytest.raises(ConfigError, match="pedal"):
            Knobs(controls)


def test_there_are_no_other_commands() -> None:
    with pytest.raises(ConfigError, match="good, bad, forget"):
        Desk().performer.do("superb", 0.0)


def test_what_is_foretold_heeds_votes() -> None:
    desk = Desk(load_model("bach-bass"), foretells=True, follow="every")
    phrase(desk)
    desk.send(desk.performer.do(BAD, desk.now))
    phrase(desk)
    assert desk.foretold > 8
    assert any(isinstance(event, NoteOn) for _, event in desk.sent)
    assert ControlChange(0, PEDAL, 1) not in [event for _, event in desk.sent]
