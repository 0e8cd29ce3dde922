"""What pages hold: keys, pedals and wheels, so that a page that goes lets go of them, and of nothing that others hold.

All pages play one instrument together: a key that two of them hold is up when the second lets go, and so is a pedal.
"""

from collections.abc import Iterator

from improviser.core.midi.event import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    HELD_PEDALS,
    RESET_ALL_CONTROLLERS,
    SOFT,
    ChannelPressure,
    ControlChange,
    Event,
    NoteOff,
    NoteOn,
    PitchBend,
)
from improviser.core.midi.pairing import PEDAL_DOWN

PEDALS = (*HELD_PEDALS, SOFT)
MODULATION = 1
Place = tuple[str, int, int]
"""What can be held: its kind, its channel, and its number where a channel has several."""


class HeldKeys:
    """Which pages (any hashable names of theirs) hold what."""

    def __init__(self) -> None:
        self._holders: dict[Place, set[object]] = {}

    def holds(self, page: object) -> bool:
        """Say whether a page holds anything."""
        return any(page in pages for pages in self._holders.values())

    def admit(self, page: object, event: Event) -> list[Event]:
        """Take in what a page does; return what is to be heard of it."""
        match event:
            case NoteOn(channel, pitch):
                self._hold(("key", channel, pitch), page)
            case NoteOff(channel, pitch):
                return self._let_go(("key", channel, pitch), page, event, else_heard=False)
            case ControlChange(channel, control, value) if control in PEDALS and value < PEDAL_DOWN:
                return self._let_go(("pedal", channel, control), page, event)
            case ControlChange(channel, control, value) if control in PEDALS:
                self._hold(("pedal", channel, control), page)
            case ControlChange(channel, control) if control == MODULATION or control >= ALL_SOUND_OFF:
                self._control(page, event)
            case PitchBend(channel, value):
                self._turn(("bend", channel, 0), page, value)
            case ChannelPressure(channel, value):
                self._turn(("pressure", channel, 0), page, value)
            case _:
                pass
        return [event]

    def _control(self, page: object, event: ControlChange) -> None:
        if event.control == MODULATION:
            self._turn(("wheel", event.channel, MODULATION), page, event.value)
        for place in [*self._holders]:
            kind, channel, _ = place
            ends_keys = event.control == ALL_SOUND_OFF or event.control >= ALL_NOTES_OFF
            if channel == event.channel and (
                (ends_keys and kind == "key") or (event.control == RESET_ALL_CONTROLLERS and kind != "key")
            ):
                del self._holders[place]

    def _hold(self, place: Place, page: object) -> None:
        self._holders.setdefault(place, set()).add(page)

    def _turn(self, place: Place, page: object, value: int) -> None:
        if value:
            self._hold(place, page)
        else:
            self._forget(place, page)

    def _forget(self, place: Place, page: object) -> bool:
        """Take in that a page holds something no more; say whether it did, and nobody else does."""
        pages = self._holders.get(place, set())
        held = page in pages
        pages.discard(page)
        if not pages:
            self._holders.pop(place, None)
        return held and not pages

    def _let_go(self, place: Place, page: object, event: Event, *, else_heard: bool = True) -> list[Event]:
        """Return the event if nobody holds it any more.

        :param else_heard: whether it is heard as well if nobody held it.
        """
        if place not in self._holders:
            return [event] if else_heard else []
        return [event] if self._forget(place, page) else []

    def release(self, page: object) -> list[Event]:
        """Take in that a page holds nothing any more; return what is to be heard of it."""
        return [*self._released(page)]

    def _released(self, page: object) -> Iterator[Event]:
        for place in sorted(place for place, pages in self._holders.items() if page in pages):
            if not self._forget(place, page):
                continue
            kind, channel, number = place
            if kind == "key":
                yield NoteOff(channel, number)
            elif kind == "bend":
                yield PitchBend(channel, 0)
            elif kind == "pressure":
                yield ChannelPressure(channel, 0)
            else:
                yield ControlChange(channel, number, 0)

    def forget(self) -> None:
        """Take all for let go: a panic."""
        self._holders.clear()
