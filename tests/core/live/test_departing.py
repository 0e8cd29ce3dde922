"""After a note foreign to the key, a bass leaves what may not belong to the next key."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import improviser
from improviser.core.live.answering.departing import AFTER, departing
from improviser.core.live.answering.tonality import Tonality
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.home import MODES, HomeTracker

EVEN = np.zeros(128)
C_MAJOR = (60, 62, 64, 65, 67, 69, 71, 72)


def heard(*pitches: int) -> Tonality:
    tonality = Tonality()
    for number, pitch in enumerate(pitches):
        tonality.count()
        tonality.hear(pitch, 0.4 * number)
    return tonality


def left_alone(tonality: Tonality, pitch: int) -> bool:
    return bool((tonality.departing(EVEN, pitch) == EVEN).all())


@given(arrays(np.float64, 12, elements=st.floats(0, 1)), arrays(np.float64, 128, elements=st.floats(-30, 0)))
def test_what_surely_belongs_is_left_as_it_is_and_nothing_becomes_likelier_or_impossible(
    belonging: np.ndarray[tuple[int], np.dtype[np.float64]], logs: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    found = departing(logs, belonging)
    sure = np.resize(belonging >= 1.0, 128)
    assert np.array_equal(found[sure], logs[sure])
    assert (found <= logs).all()
    assert np.isfinite(found).all()


def test_a_key_that_goes_on_changes_nothing() -> None:
    tonality = heard(*C_MAJOR * 3)
    assert all(left_alone(tonality, pitch) for pitch in C_MAJOR)


@pytest.mark.parametrize("foreign", [61, 63, 66, 70])
def test_after_a_foreign_note_what_the_old_key_alone_has_is_less_likely(foreign: int) -> None:
    tonality = heard(*C_MAJOR * 3)
    assert not left_alone(tonality, foreign)
    e_major = (61, 63, 64, 66, 68)
    tonality = heard(*C_MAJOR * 3, *e_major)
    fallen = tonality.departing(EVEN, 69)
    assert max(fallen[60], fallen[65], fallen[67]) < -0.5 < fallen[64]


def test_that_ends_some_notes_later() -> None:
    new = (64, 66, 68, 69, 71, 73, 75, 76)
    tonality = heard(*C_MAJOR * 3, *new * 4)
    assert len(new) * 4 > AFTER
    assert left_alone(tonality, 64)


def test_belonging_is_what_the_keys_say() -> None:
    tracker = HomeTracker()
    assert tracker.belonging() == pytest.approx([
        sum(mode.share * ((pitch - tonic) % 12 in mode.wide) / 12 for mode in MODES for tonic in range(12))
        for pitch in range(12)
    ])  # fmt: skip
    for number, pitch in enumerate(C_MAJOR * 2):
        foreseen = tracker.belonging(pitch)
        tracker.hear(pitch, 0.4 * number)  # of even lengths, none is rested on
        assert tracker.belonging() == pytest.approx(foreseen)


def test_when_a_note_was_thought_of_makes_no_difference() -> None:
    notes = [*C_MAJOR, *C_MAJOR, *(pitch + 6 for pitch in C_MAJOR), *(pitch + 1 for pitch in C_MAJOR)]
    sent = []
    for thinks in (False, True):
        playing = Performer([improviser.load_model("bach-bass")], Parameters(), np.random.default_rng(3))
        answers = []
        for number, pitch in enumerate(notes):
            now = 0.4 * number + 0.013 * (number * number % 5)
            while thinks and playing.foresee(now - 0.1):
                pass
            answers.append(playing.hear(NoteOn(0, pitch, 80), now).events)
            playing.settle()
            playing.hear(NoteOff(0, pitch, 64), now + 0.3)
            playing.settle()
        sent.append(answers)
    assert sent[0] == sent[1]
