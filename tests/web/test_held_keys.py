"""What pages hold is let go of when they go, whatever they did, and nothing that others hold."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.event import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    RESET_ALL_CONTROLLERS,
    SUSTAIN,
    ChannelPressure,
    ControlChange,
    Event,
    NoteOff,
    NoteOn,
    PitchBend,
)
from improviser.web.held_keys import HeldKeys

CHANNELS, PITCHES = st.integers(0, 1), st.integers(60, 62)
EVENTS = st.one_of(
    st.builds(NoteOn, CHANNELS, PITCHES, st.just(80)),
    st.builds(NoteOff, CHANNELS, PITCHES),
    st.builds(ControlChange, CHANNELS, st.sampled_from([1, 64, 66, 67]), st.sampled_from([0, 30, 64, 127])),
    st.builds(
        ControlChange,
        CHANNELS,
        st.sampled_from([ALL_SOUND_OFF, RESET_ALL_CONTROLLERS, ALL_NOTES_OFF]),
        st.just(0),
    ),
    st.builds(PitchBend, CHANNELS, st.sampled_from([-100, 0, 100])),
    st.builds(ChannelPressure, CHANNELS, st.sampled_from([0, 90])),
)


class Instrument:
    """What is down on an instrument that hears all this, by channel."""

    def __init__(self) -> None:
        self.down: dict[tuple[str, int, int], int] = {}

    def hear(self, event: Event) -> None:
        match event:
            case NoteOn(channel, pitch):
                self.down["key", channel, pitch] = 1
            case NoteOff(channel, pitch):
                self.down.pop(("key", channel, pitch), None)
            case ControlChange(channel, control) if control in (ALL_SOUND_OFF, ALL_NOTES_OFF, RESET_ALL_CONTROLLERS):
                kind = control == RESET_ALL_CONTROLLERS
                for place in [*self.down]:
                    if place[1] == channel and (place[0] != "key") == kind:
                        del self.down[place]
            case ControlChange(channel, control, value):
                self._move("control", channel, control, value if control == 1 or value >= 64 else 0)
            case PitchBend(channel, value):
                self._move("bend", channel, 0, value)
            case ChannelPressure(channel, value):
                self._move("pressure", channel, 0, value)
            case _:
                raise AssertionError(event)

    def _move(self, kind: str, channel: int, number: int, value: int) -> None:
        if value:
            self.down[kind, channel, number] = value
        else:
            self.down.pop((kind, channel, number), None)


@given(st.lists(st.tuples(st.sampled_from("ab"), EVENTS), max_size=30))
def test_when_all_have_gone_nothing_is_down(acts: list[tuple[str, Event]]) -> None:
    held, instrument = HeldKeys(), Instrument()
    for page, event in acts:
        for each in held.admit(page, event):
            instrument.hear(each)
    for page in "ab":
        for each in held.release(page):
            instrument.hear(each)
        assert not held.holds(page)
    assert instrument.down == {}


@given(st.lists(EVENTS, max_size=15), st.lists(st.builds(NoteOn, CHANNELS, PITCHES, st.just(80)), max_size=6))
def test_what_another_holds_stays_down(acts: list[Event], others: list[NoteOn]) -> None:
    held, instrument = HeldKeys(), Instrument()
    ends = (ALL_SOUND_OFF, ALL_NOTES_OFF)
    for event in (*acts, *others):
        page = "b" if event in others else "a"
        if not (isinstance(event, ControlChange) and event.control in ends):
            for each in held.admit(page, event):
                instrument.hear(each)
    for each in held.release("a"):
        instrument.hear(each)
    assert {place for place in instrument.down if place[0] == "key"} >= {("key", on.channel, on.pitch) for on in others}


def test_what_was_never_held_is_not_let_go_of() -> None:
    held = HeldKeys()
    assert held.admit("a", NoteOff(0, 60)) == []  # a keyboard elsewhere may hold it
    assert held.release("a") == []
    held.admit("a", ControlChange(0, SUSTAIN, 127))
    held.forget()
    assert held.release("a") == []
