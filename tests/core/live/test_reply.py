"""Replies: the rhythm of a phrase, a melody varied, and a schedule kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.replying.reply import Beat, Schedule, reply_to, varied
from improviser.core.midi.event import NoteOn
from improviser.core.music.phrase import Heard, Phrase
from improviser.core.replies.line import LONGEST_LINE


def phrase_of(*notes: tuple[int, float, float | None, int]) -> Phrase:
    heard = tuple(Heard(NoteOn(3, pitch, velocity), onset, end) for pitch, onset, end, velocity in notes)
    return Phrase(heard, 10.0, 0.5)


def test_a_reply_has_the_rhythm_of_the_phrase() -> None:
    beats = reply_to(phrase_of((60, 5.0, 5.2, 80), (62, 5.5, 5.6, 30), (64, 6.5, None, 127)))
    assert [(beat.onset_seconds, beat.velocity, beat.channel, beat.pitch) for beat in beats] == [
        (0.0, 80, 3, 60),
        (0.5, 30, 3, 62),
        (1.5, 127, 3, 64),
    ]
    assert [beat.duration_seconds for beat in beats] == pytest.approx([0.2, 0.1, 3.5])


def test_of_a_long_phrase_the_last_notes_are_replied_to() -> None:
    beats = reply_to(phrase_of(*((60 + number % 7, 0.2 * number, None, 80) for number in range(60))))
    assert len(beats) == LONGEST_LINE
    assert beats[0].onset_seconds == 0.0
    assert beats[-1].pitch == 60 + 59 % 7


@given(st.lists(st.integers(0, 127), min_size=1, max_size=40), st.integers(0, 1000))
def test_a_varied_melody_is_as_long_and_has_pitches_that_exist(pitches: list[int], seed: int) -> None:
    melody = varied(pitches, np.random.default_rng(seed))
    assert len(melody) == len(pitches)
    assert all(0 <= pitch <= 127 for pitch in melody)


def test_a_melody_is_varied_in_its_own_scale() -> None:
    tune = [67, 66, 67, 69, 71, 69, 67, 74, 71, 67]  # G major
    variations = {tuple(varied(tune, np.random.default_rng(seed))) for seed in range(40)}
    assert len(variations) >= 4
    assert tuple(tune) in variations
    assert all((pitch - 7) % 12 in (0, 2, 4, 5, 7, 9, 11) for melody in variations for pitch in melody)


def test_a_schedule_tells_what_is_due_in_order() -> None:
    beats = [Beat(0.0, 0.5, 80, 0, 60), Beat(0.25, 0.1, 80, 0, 62), Beat(0.5, 0.5, 80, 0, 64)]
    schedule = Schedule(beats, 10.0, 0.25)
    told = []
    while (due := schedule.due) is not None:
        ended = schedule.ended(due)
        begun = schedule.begun(due)
        told.append((due, ended, None if begun is None else (begun[0], begun[2])))
    assert told == [
        (10.0, [], (0, False)),
        (10.25, [], (1, False)),
        (10.35, [1], None),
        (10.5, [0], (2, True)),
        (11.0, [2], None),
    ]


def test_a_late_schedule_keeps_its_rhythm() -> None:
    schedule = Schedule([Beat(0.0, 0.5, 80, 0, 60), Beat(0.25, 0.1, 80, 0, 62)], 10.0, 0.25)
    schedule.begun(10.0)
    schedule.postpone(5.0)
    assert schedule.due == 15.25
    schedule.begun(15.25)
    assert schedule.due == pytest.approx(15.35)


@given(st.floats(0.06, 3.0), st.floats(0.03, 6.0))
def test_another_phrase_follows_on_the_pulse(pulse: float, duration: float) -> None:
    schedule = Schedule([Beat(0.0, duration, 80, 0, 60)], 0.0, pulse)
    assert pulse - 1e-9 <= schedule.following_seconds <= 8.0
