"""Note-ons and their note-offs."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn, TimedEvent
from improviser.core.midi.pairing import held_by_pedal, notes_of, pair
from improviser.core.music.note import Note


def test_first_started_ends_first() -> None:
    first, second = NoteOn(0, 60, 10), NoteOn(0, 60, 20)
    events: list[TimedEvent] = [(0.0, first), (1.0, second), (2.0, NoteOff(0, 60)), (3.0, NoteOff(0, 60))]
    assert list(pair(events, 9.0)) == [(0.0, 2.0, first), (1.0, 3.0, second)]


def test_channels_are_apart_and_strays_are_nothing() -> None:
    low, high = NoteOn(0, 60, 10), NoteOn(1, 60, 20)
    events: list[tuple[int, Event]] = [
        (0, NoteOff(0, 60)),
        (1, low),
        (2, high),
        (3, ControlChange(0, 64, 127)),
        (4, NoteOff(1, 60)),
        (5, NoteOff(2, 60)),
    ]
    assert list(pair(events, 7)) == [(2, 4, high), (1, 7, low)]


def test_an_end_before_the_start_is_no_end() -> None:
    assert list(pair([(5, NoteOn(0, 60, 1))], 3)) == [(5, 5, NoteOn(0, 60, 1))]


def test_notes_are_in_order() -> None:
    events: list[TimedEvent] = [(0.0, NoteOn(0, 72, 9)), (0.0, NoteOn(0, 60, 8)), (1.0, NoteOff(0, 72))]
    assert notes_of(events, 2.0) == (Note(60, 0.0, 2.0, 8), Note(72, 0.0, 1.0, 9))


EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(0, 1), st.integers(60, 62), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(0, 1), st.integers(60, 62)),
)


@given(st.lists(EVENTS, max_size=30))
def test_every_note_on_is_paired_once(events: list[Event]) -> None:
    timed = list(enumerate(events))
    pairs = list(pair(timed, len(events)))
    assert sorted(start for start, _, _ in pairs) == [at for at, event in timed if isinstance(event, NoteOn)]
    ends = [end for _, end, _ in pairs if end < len(events)]
    assert len(set(ends)) == len(ends)
    assert all(start < end for start, end, _ in pairs)


def test_pedal_moves_note_offs_to_its_release() -> None:
    down, up = ControlChange(0, 64, 100), ControlChange(0, 64, 10)
    events: list[TimedEvent] = [
        (0.0, NoteOn(0, 60, 9)),
        (0.1, down),
        (0.2, NoteOff(0, 60)),
        (0.3, NoteOn(1, 60, 9)),
        (0.4, NoteOff(1, 60)),
        (0.5, up),
        (0.6, NoteOn(0, 62, 9)),
        (0.7, NoteOff(0, 62)),
    ]
    moved = list(held_by_pedal(events))
    assert (0.5, NoteOff(0, 60)) in moved
    assert (0.4, NoteOff(1, 60)) in moved
    assert [note.duration_seconds for note in notes_of(moved, 1.0)] == [0.5, 0.4 - 0.3, 0.7 - 0.6]


def test_a_key_struck_again_under_the_pedal_ends_what_it_held() -> None:
    events: list[TimedEvent] = [
        (0.0, ControlChange(0, 64, 127)),
        (0.0, NoteOn(0, 60, 9)),
        (1.0, NoteOff(0, 60)),
        (2.0, NoteOn(0, 60, 9)),
        (3.0, NoteOff(0, 60)),
    ]
    assert [(start, end) for start, end, _ in pair(held_by_pedal(events), 5.0)] == [(0.0, 2.0), (2.0, 5.0)]
