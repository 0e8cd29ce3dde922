"""Drums on channel 10: a pulse, never answered as pitches."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import improviser
from improviser.core.music.drums import DrumPulse

DRUM_ON, DRUM_OFF = 0x99, 0x89


def performer(**parameters: object) -> improviser.Performer:
    return improviser.Performer([improviser.load_model("bach-melody")], seed=1, **parameters)


def beats(performer: improviser.Performer, first: float, count: int, gap: float) -> Iterator[tuple[float, list[bytes]]]:
    for number in range(count):
        now = first + number * gap
        yield now, performer.hear(bytes((DRUM_ON, 36, 100)), now) + performer.hear(bytes((DRUM_OFF, 36, 64)), now)


@pytest.mark.parametrize("mode", ["shadow", "answer", "solo"])
def test_drums_alone_are_never_answered(mode: str) -> None:
    playing = performer(mode=mode)
    assert not any(sent for _, sent in beats(playing, 0.5, 40, 0.25))
    assert playing.deadline is None


def test_drums_are_notes_if_one_says_so() -> None:
    playing = performer(mode="shadow", drums="notes")
    (_, sent), *_ = beats(playing, 0.5, 1, 0.25)
    assert [message[0] & 0xF0 for message in sent] == [0x90, 0x80]


@pytest.mark.parametrize(("drums", "passed"), [("pulse", 2), ("ignore", 0)])
def test_thru_passes_drums_on_unless_they_are_ignored(drums: str, passed: int) -> None:
    playing = performer(mode="shadow", drums=drums, thru=True)
    (_, sent), *_ = beats(playing, 0.5, 1, 0.25)
    assert len(sent) == passed
    assert not any(message[0] & 0xE0 == 0x80 for message in playing.panic())  # nothing sounds


def test_drums_change_no_answer() -> None:
    def answers(*, drums: bool) -> list[bytes]:
        playing, sent = performer(mode="shadow"), []
        for number, pitch in enumerate((60, 62, 64, 65, 67, 69, 67)):
            now = 0.4 * number
            if drums:
                assert not any(more for _, more in beats(playing, now, 1, 0.1))
            sent += playing.hear(bytes((0x90, pitch, 80)), now)
            sent += playing.hear(bytes((0x80, pitch, 64)), now + 0.3)
        return sent

    assert answers(drums=True) == answers(drums=False)


@pytest.mark.parametrize("gap", [0.4, 0.5, 0.62])
def test_a_reply_begins_on_the_drums_pulse(gap: float) -> None:
    playing = performer(mode="answer")
    moments = [(0.1 + gap * number, bytes((DRUM_ON, 36 + 6 * (number % 2), 90))) for number in range(20)]
    for number, pitch in enumerate((60, 64, 67, 65, 62)):
        start = 3.17 + 0.31 * number
        moments += [(start, bytes((0x90, pitch, 80))), (start + 0.23, bytes((0x80, pitch, 64)))]
    begun: list[float] = []
    for now, message in sorted(moments):
        while not begun and (due := playing.deadline) is not None and due <= now:
            begun += [due for sent in playing.advance(due) if sent[0] & 0xF0 == 0x90]
        playing.hear(message, now)
    assert begun
    off = (begun[0] - 0.1) % gap
    assert min(off, gap - off) < 0.03


def test_no_drum_holds_a_phrase_up() -> None:
    """Whoever drums on for ever is replied to all the same, and a pedal of the drums' channel holds nothing."""
    playing = performer(mode="answer")
    playing.hear(bytes((0xB9, 64, 127)), 0.0)
    for number, pitch in enumerate((60, 64, 67)):
        playing.hear(bytes((0x90, pitch, 80)), 0.1 + 0.3 * number)
        playing.hear(bytes((0x80, pitch, 64)), 0.3 + 0.3 * number)
    for now, sent in beats(playing, 1.0, 40, 0.1):
        if any(message[0] == 0x90 for message in sent):
            assert now < 3.5
            return
    raise AssertionError("there was no reply")


@given(st.lists(st.floats(0, 5), max_size=60), st.floats(0, 1e4))
def test_the_next_pulse_is_neither_past_nor_far(gaps: list[float], later: float) -> None:
    pulse, now = DrumPulse(), 0.0
    for gap in gaps:
        now += gap
        pulse.strike(now)
        upcoming = pulse.next_after(now + later)
        if upcoming is not None and pulse.seconds is not None:
            assert 0.06 <= pulse.seconds <= 1.5
            assert now + later - 0.06 * pulse.seconds <= upcoming <= now + later + pulse.seconds


def test_eighths_are_the_pulse_of_quarters() -> None:
    pulse = DrumPulse()
    for number in range(12):
        pulse.strike(0.2 * number)
        pulse.strike(0.2 * number + 0.01)  # two drums at once
    assert pulse.seconds == pytest.approx(0.4)
