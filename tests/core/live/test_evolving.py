"""Evolved replies in a session: thinking early changes nothing, who goes on is heard, and solos have a form."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.harmony.context import INNER
from improviser.core.live.playing import AHEAD_SECONDS
from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, PitchBend
from improviser.core.replies import evolve
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import ImaginativeModel, RuleModel
from tests.core.live.test_answering import TUNE, play, sounded

LONGER = tuple((60 + step, 0.3 * place, 0.25, 80) for place, step in enumerate((0, 4, 2, 5, 4, 7, 5, 9, 7, 4, 0)))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Breed less: what a reply is like is tested elsewhere."""
    monkeypatch.setattr(evolve, "CHILDREN", 40)
    monkeypatch.setattr(evolve, "IMAGININGS", 20)


def test_a_phrase_gets_one_reply_about_as_long_and_where_it_was() -> None:
    desk = Desk(ImaginativeModel(), mode="answer")
    last = play(desk, LONGER)
    assert desk.performer.deadline is not None
    assert desk.performer.deadline - last <= 3.0
    reply = sounded(desk.wait(30.0))
    assert 0.5 * len(LONGER) <= len(reply) <= 1.6 * len(LONGER)
    assert all(48 <= pitch <= 81 for _, _, pitch, _ in reply)
    assert [pitch for _, _, pitch, _ in reply] != [pitch for pitch, *_ in LONGER]
    assert desk.synth.at_rest
    assert desk.performer.deadline is None


def test_one_note_is_answered_by_two_or_three() -> None:
    desk = Desk(ImaginativeModel(), mode="answer")
    for _ in range(3):
        play(desk, LONGER[:1])
        assert len(sounded(desk.wait(30.0))) in (2, 3)


def test_thinking_early_changes_nothing_that_is_played() -> None:
    played = []
    for early in (0, 5, 10_000):
        desk = Desk(ImaginativeModel(), mode="solo")
        for _ in range(2):
            play(desk, LONGER)
            for _ in range(6):
                due = desk.performer.deadline
                assert due is not None
                desk.wait(due - 0.01 - desk.now)
                for _ in range(early):
                    if not desk.performer.foresee(due):
                        break
                desk.hear(PitchBend(0, 100), 0.0)
                desk.wait(0.02)
            desk.wait(5.0)
        desk.change("mode", "mute")
        played.append(desk.sent)
    assert played[0] == played[1] == played[2]
    assert len(notes([event for _, event in played[0]])) > 20


def test_it_thinks_only_shortly_before_and_to_an_end() -> None:
    desk = Desk(ImaginativeModel(), mode="answer")
    assert not desk.performer.foresee(100.0)
    play(desk)
    desk.wait(0.2)
    due = desk.performer.deadline
    assert due is not None
    assert not desk.performer.foresee(due - AHEAD_SECONDS - 0.01)
    assert desk.performer.unfinished(due - 0.01) is None  # nothing begins by then
    assert desk.performer.unfinished(due) == 0
    pieces = 0
    while desk.performer.foresee(due - 0.1):
        pieces += 1
        assert pieces < 2000
    assert pieces > 40
    assert desk.performer.unfinished(due) is None


def test_whoever_goes_on_is_heard_and_the_thought_is_thrown_away() -> None:
    desk = Desk(ImaginativeModel(), mode="answer")
    play(desk)
    due = desk.performer.deadline
    assert due is not None
    while desk.performer.foresee(due):
        pass
    desk.down(72, after=0.05)
    assert desk.performer.unfinished(1e9) == 0
    desk.up(72)
    reply = sounded(desk.wait(30.0))
    assert len(reply) >= 4


def test_the_best_so_far_is_played_where_there_is_no_time() -> None:
    replies = []
    for pieces in (0, 30, 30, None):
        desk = Desk(ImaginativeModel(), mode="answer")
        play(desk, LONGER)
        due = desk.performer.deadline
        assert due is not None
        desk.now = due
        desk.send(desk.performer.advance(due, pieces).events)
        desk.wait(30.0)
        replies.append(sounded(desk.sent))
    assert replies[1] == replies[2]
    assert len({str(reply) for reply in replies}) == 3
    assert all(len(reply) >= 6 for reply in replies)


def test_others_play_to_what_is_sung() -> None:
    desk = Desk(RuleModel(lambda pitch: pitch - 12), ImaginativeModel(), mode="answer", temperature=0.0)
    play(desk, LONGER)
    pitches = notes([event for _, event in desk.wait(30.0)])
    assert [below + 12 for below in pitches[1::2]] == pitches[::2]


def test_two_hands_get_two_back_in_the_tunes_rhythm() -> None:
    class Both(ImaginativeModel):
        """Sings, and weighs all that sounds."""

        is_bass, context = False, INNER

    desk = Desk(Both(), mode="answer")
    tune = [(72 + step, 0.5 * place, 0.4, 90) for place, step in enumerate((0, 4, 2, 5, 4, 7, 5, 0))]
    chords = [(pitch, 1.0 * place, 0.9, 60) for place in range(4) for pitch in (48, 52, 55)]
    play(desk, sorted([*tune, *chords], key=lambda note: note[1]))
    reply = sounded(desk.wait(30.0))
    high = [(onset, pitch) for onset, _, pitch, velocity in reply if velocity == 90]
    assert [onset - high[0][0] for onset, _ in high] == pytest.approx([onset for _, onset, _, _ in tune])
    assert len([pitch for _, _, pitch, velocity in reply if velocity == 60]) >= 8
    assert desk.synth.at_rest


def test_a_reply_keeps_to_its_register_scale_and_transposition() -> None:
    desk = Desk(ImaginativeModel(), mode="answer", low=76, high=88, scale="C minor-pentatonic", transpose=2)
    play(desk, LONGER)
    pitches = notes([event for _, event in desk.wait(30.0)])
    assert len(pitches) > 5
    assert all(76 <= pitch <= 88 and pitch % 12 in (0, 3, 5, 7, 10) for pitch in pitches)


def test_a_solo_is_phrases_and_rests() -> None:
    desk = Desk(ImaginativeModel(), mode="solo")
    play(desk, LONGER)
    desk.wait(90.0)
    onsets = [onset for onset, _, _, _ in sounded(desk.sent)]
    desk.change("mode", "mute")
    gaps = np.diff(onsets)
    assert len(onsets) > 60
    assert (gaps > 0.55).sum() >= 8
    assert max(gaps) < 10
    pitches = notes([event for _, event in desk.sent])
    assert max(pitches) - min(pitches) >= 14


def test_a_change_takes_the_thought_back() -> None:
    desk = Desk(ImaginativeModel(), mode="answer")
    play(desk, LONGER)
    due = desk.performer.deadline
    assert due is not None
    desk.wait(due - desk.now - 0.05)
    while desk.performer.foresee(due):
        pass
    desk.change("high", 65)
    assert desk.performer.unfinished(due) == 0
    assert max(notes([event for _, event in desk.wait(30.0)])) <= 65


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((0, 21, 60, 61, 64, 72, 127)),
            st.sampled_from((0.0, 0.02, 0.2, 0.7, 2.5, 9.0)),
            st.sampled_from(("down", "up", "pedal", "panic", "mode", "swap")),
        ),
        max_size=25,
    )
)
def test_whatever_is_played_nothing_hangs(deeds: list[tuple[int, float, str]]) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(evolve, "CHILDREN", 10)
    patch.setattr(evolve, "IMAGININGS", 5)
    with patch.context():
        desk = Desk(ImaginativeModel(), RuleModel(), mode="solo", check_every_send=True, thru=True)
        for number, (pitch, wait, deed) in enumerate(deeds):
            desk.wait(wait)
            if deed in ("down", "up"):
                desk.hear(NoteOn(0, pitch, 80) if deed == "down" else NoteOff(0, pitch), 0.0)
            elif deed == "pedal":
                desk.hear(ControlChange(0, 64, 127 * (pitch % 2)), 0.0)
            elif deed == "panic":
                desk.panic()
            elif deed == "mode":
                desk.change("mode", ("answer", "solo", "shadow")[number % 3])
            else:
                desk.swap(*((ImaginativeModel(),) if number % 2 else (RuleModel(task="echo"),)))
        desk.wait(20.0)
        desk.panic()
        assert desk.synth.at_rest
    patch.undo()


def test_replies_to_the_same_phrase_differ() -> None:
    desk = Desk(ImaginativeModel(), mode="answer")
    replies = []
    for _ in range(4):
        play(desk, TUNE)
        replies.append(notes([event for _, event in desk.wait(20.0)]))
    assert all(one != other for one, other in pairwise(replies))
