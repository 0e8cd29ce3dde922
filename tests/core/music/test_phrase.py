"""Phrases: which notes belong together, and when the player is taken to have stopped."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.event import NoteOn
from improviser.core.music.phrase import HELD_PATIENCE, PATIENCE, REMEMBERED_NOTES, REMEMBERED_PHRASES, PhraseTracker


def played(gaps: Sequence[float], *, length: float = 0.5, tracker: PhraseTracker | None = None) -> PhraseTracker:
    """Return a tracker that heard notes `gaps` apart, each held for `length` of the gap after it."""
    tracker = tracker or PhraseTracker()
    now = 0.0
    for number, gap in enumerate([*gaps, gaps[-1]]):
        tracker.press(NoteOn(0, 60 + number % 12, 80), now)
        tracker.release(0, 60 + number % 12, now + length * gap)
        now += gap
    return tracker


def silence_of(tracker: PhraseTracker, last_onset: float) -> float:
    end = tracker.end()
    assert end is not None
    return end - last_onset


def test_nothing_is_over_before_it_has_begun() -> None:
    assert PhraseTracker().end() is None
    assert PhraseTracker().turn() is None
    assert PhraseTracker().close(1.0) is None


def test_an_even_player_is_answered_two_beats_after_the_last_note() -> None:
    tracker = played([0.3] * 8)
    assert tracker.turn() == pytest.approx(8 * 0.3 + 0.6)


@given(st.floats(0.2, 1.4), st.integers(2, 40))
def test_fast_players_are_answered_sooner_than_slow_ones(gap: float, count: int) -> None:
    silence = silence_of(played([gap] * count), gap * count)
    assert silence == pytest.approx(max(PATIENCE[0], min(PATIENCE[1], 2 * gap)), rel=0.01)


@given(st.lists(st.floats(0.07, 20.0), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_however_one_plays_the_end_comes_within_bounds(gaps: list[float], length: float) -> None:
    tracker = played(gaps, length=length)
    onset = sum(gaps)
    released = onset + length * gaps[-1]
    end, turn = tracker.end(), tracker.turn()
    assert end is not None
    assert turn is not None
    assert PATIENCE[0] <= end - onset + 1e-9
    assert end <= max(onset + PATIENCE[1], released + 0.6) + 1e-9
    assert end <= turn <= end + 0.4 + 1e-9


def test_a_silence_that_was_bridged_lately_ends_no_phrase() -> None:
    tracker = played([0.25, 0.25, 0.25, 0.25, 0.9, 0.25, 0.25])
    assert silence_of(tracker, 2.4) > 0.9


def test_who_was_interrupted_is_waited_for() -> None:
    tracker = played([0.25] * 6)
    patience = tracker.patience_seconds
    tracker.close(2.0)
    tracker.press(NoteOn(0, 60, 80), 2.4, interrupts=True)
    assert tracker.patience_seconds > patience


def test_who_begins_anew_long_after_is_not() -> None:
    tracker = played([0.25] * 6)
    patience = tracker.patience_seconds
    tracker.close(2.0)
    tracker.press(NoteOn(0, 60, 80), 1.5 + 2.5, interrupts=True)
    assert tracker.patience_seconds == patience


def test_a_pause_while_somebody_else_plays_is_no_interval_of_the_player() -> None:
    tracker = played([0.25] * 6)
    patience = tracker.patience_seconds
    tracker.close(2.0)
    tracker.press(NoteOn(0, 60, 80), 3.5)
    assert tracker.patience_seconds == patience


def test_a_held_key_holds_the_turn_but_not_for_ever() -> None:
    tracker = played([0.3] * 4)
    tracker.press(NoteOn(0, 60, 80), 1.5)
    end = tracker.end()
    assert end is not None
    assert 1.5 + HELD_PATIENCE[0] <= end <= 1.5 + HELD_PATIENCE[1]
    tracker.release(0, 60, 2.9)
    assert tracker.end() == pytest.approx(2.9 + 0.15)


def test_a_held_pedal_holds_the_turn_and_the_notes_in_it() -> None:
    tracker = PhraseTracker()
    tracker.pedal(0, down=True, now=0.0)
    tracker.press(NoteOn(0, 60, 80), 0.1)
    tracker.release(0, 60, 0.2)
    assert tracker.end() == pytest.approx(0.1 + 3.0)
    tracker.pedal(0, down=False, now=1.1)
    phrase = tracker.close(2.0)
    assert phrase is not None
    assert phrase.notes[0].end_seconds == 1.1


def test_after_a_silence_another_phrase_begins_by_itself() -> None:
    tracker = played([0.3] * 4)
    tracker.press(NoteOn(0, 72, 80), 30.0)
    assert [len(phrase.notes) for phrase in tracker.phrases] == [5]
    phrase = tracker.close(31.0)
    assert phrase is not None
    assert [heard.note.pitch for heard in phrase.notes] == [72]


def test_a_chord_is_its_highest_note_at_its_first_onset() -> None:
    tracker = PhraseTracker()
    for pitch, onset in ((60, 0.0), (67, 0.01), (64, 0.02), (59, 0.5), (55, 0.55)):
        tracker.press(NoteOn(0, pitch, 80), onset)
    phrase = tracker.close(2.0)
    assert phrase is not None
    assert [(heard.note.pitch, heard.onset_seconds) for heard in phrase.melody()] == [(67, 0.0), (59, 0.5)]


def test_a_panic_forgets_the_phrase_and_what_is_held() -> None:
    tracker = played([0.3] * 4)
    tracker.press(NoteOn(0, 60, 80), 1.5)
    tracker.pedal(0, down=True, now=1.6)
    tracker.forget()
    assert tracker.end() is None
    tracker.press(NoteOn(0, 61, 80), 2.0)
    tracker.release(0, 61, 2.1)
    end = tracker.end()
    assert end is not None
    assert end < 2.0 + HELD_PATIENCE[0]


def test_memory_does_not_grow() -> None:
    tracker = PhraseTracker()
    tracker.pedal(0, down=True, now=0.0)
    for number in range(1000):
        tracker.press(NoteOn(0, number % 128, 80), number * 0.1)
        tracker.release(0, number % 128, number * 0.1 + 0.05)
    phrase = tracker.close(200.0)
    assert phrase is not None
    assert len(phrase.notes) == REMEMBERED_NOTES
    for number in range(50):
        tracker.press(NoteOn(0, 60, 80), 300.0 + 20 * number)
    assert len(tracker.phrases) == REMEMBERED_PHRASES
