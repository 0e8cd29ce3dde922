"""The demo's tune and its player."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.note import Note
from improviser.core.music.player import (
    LARGEST_JITTER_SECONDS,
    QUARTER_SECONDS,
    cut,
    demo_tune,
    humanise,
    note_events,
    performance,
)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def steps(notes: tuple[Note, ...]) -> list[int]:
    return [following.pitch - note.pitch for note, following in pairwise(notes)]


def test_the_tune_begins_as_everybody_knows_it() -> None:
    tune = demo_tune()
    assert [note.pitch for note in tune[:7]] == [63, 67, 70, 70, 70, 70, 72]
    assert len(tune) == 28
    assert tune[0].onset_seconds == 0
    assert tune[-1].end_seconds == pytest.approx(31 * QUARTER_SECONDS)
    assert 14 < tune[-1].end_seconds < 20
    assert {note.pitch for note in tune} <= set(range(60, 80))


def test_longer_it_takes_bar_form_and_starts_again() -> None:
    stollen, whole = demo_tune(), demo_tune(10_000)
    assert [note.pitch for note in whole[:56]] == [note.pitch for note in stollen] * 2
    again = next(
        index for index in range(57, 200) if whole[index].pitch == 63 and steps(whole[index:])[:27] == steps(stollen)
    )
    assert again == 28 + 62
    length = whole[again].onset_seconds
    assert length == pytest.approx((4 * 26) * QUARTER_SECONDS)
    assert whole[again * 2].onset_seconds == pytest.approx(2 * length)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 5.0, 17.9, 200.0])
def test_a_performance_is_cut_to_the_second(seconds: float) -> None:
    notes = performance(rng(), seconds)
    assert all(note.end_seconds <= seconds + 1e-9 for note in notes)
    if seconds:
        assert notes[-1].end_seconds > seconds - 1.5
    else:
        assert notes == ()


def test_same_seed_same_notes() -> None:
    assert performance(rng(3)) == performance(rng(3))
    assert performance(rng(3)) != performance(rng(4))


def test_a_human_plays_the_tune_and_not_a_machine() -> None:
    written, played = demo_tune(), performance(rng())
    assert [note.pitch for note in played] == [note.pitch for note in written]
    late = np.array([one.onset_seconds - other.onset_seconds for one, other in zip(played, written, strict=True)])
    assert np.abs(late).max() < 0.5
    distances = np.diff([note.onset_seconds for note in played]) / np.diff([note.onset_seconds for note in written])
    assert 0.02 < distances.std() < 0.12
    velocities = [note.velocity for note in played]
    assert 60 < min(velocities) < max(velocities) < 110
    assert len(set(velocities)) > 10
    assert abs(played[-1].end_seconds - written[-1].end_seconds) < 1.0


def test_phrases_swell() -> None:
    velocities = np.mean([[note.velocity for note in humanise(demo_tune(), rng(seed))] for seed in range(20)], axis=0)
    assert velocities[4] > velocities[0]
    assert velocities[13:16].mean() > velocities[8:10].mean()


NOTES = st.lists(
    st.builds(Note, st.integers(0, 127), st.floats(0, 20), st.floats(0, 5), st.integers(1, 127)), max_size=30
).map(lambda notes: tuple(sorted(notes, key=lambda note: note.onset_seconds)))


@given(NOTES, st.integers(0, 99))
def test_humans_keep_notes_and_order(notes: tuple[Note, ...], seed: int) -> None:
    played = humanise(notes, rng(seed))
    assert [note.pitch for note in played] == [note.pitch for note in notes]
    assert all(one.onset_seconds <= other.onset_seconds for one, other in pairwise(played))
    if notes:
        assert played[0].onset_seconds == notes[0].onset_seconds
        assert all(note.onset_seconds >= notes[0].onset_seconds for note in played)


@given(NOTES, st.integers(0, 99))
def test_no_key_is_struck_while_it_is_down(notes: tuple[Note, ...], seed: int) -> None:
    ends: dict[int, float] = {}
    for note in humanise(notes, rng(seed)):
        assert note.onset_seconds >= ends.get(note.pitch, 0.0)
        ends[note.pitch] = note.end_seconds


def test_jitter_is_small() -> None:
    # Two notes far from each other in one phrase of constant tempo would show rubato; notes of one chord show jitter.
    chord = tuple(Note(60 + index, 0.0, 1.0) for index in range(12))
    played = humanise(chord, rng())
    assert max(note.onset_seconds for note in played) <= LARGEST_JITTER_SECONDS


@given(NOTES)
def test_events_are_in_order_and_balanced(notes: tuple[Note, ...]) -> None:
    events = note_events(notes, channel=3)
    assert [seconds for seconds, _ in events] == sorted(seconds for seconds, _ in events)
    assert {event.channel for _, event in events} <= {3}
    sounding: dict[int, int] = {}
    for _, event in events:
        sounding[event.pitch] = sounding.get(event.pitch, 0) + (1 if isinstance(event, NoteOn) else -1)
        assert sounding[event.pitch] >= 0
    assert not any(sounding.values())


def test_a_note_ends_before_the_next_starts_at_that_moment() -> None:
    events = note_events([Note(60, 0.0, 1.0, 70), Note(60, 1.0, 1.0, 80)])
    assert events == [
        (0.0, NoteOn(0, 60, 70)),
        (1.0, NoteOff(0, 60)),
        (1.0, NoteOn(0, 60, 80)),
        (2.0, NoteOff(0, 60)),
    ]


def test_cut() -> None:
    assert cut([Note(60, 0.0, 2.0), Note(62, 1.0, 2.0), Note(64, 2.0, 2.0)], 2.0) == (
        Note(60, 0.0, 2.0),
        Note(62, 1.0, 1.0),
    )
