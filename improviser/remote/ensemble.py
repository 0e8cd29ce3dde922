"""Improvisers that hear each other: notes as JSON, to publish and to take in, so that none goes round in circles.

Every note that is published names those it came `via`: who played it, and from whom that one had heard the note it
answers, and so on. Who finds its own name there ignores the note. What another holds when it, or the way to it, is gone
is released.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from improviser.core.midi.codec import encode
from improviser.core.midi.event import Event, NoteOff, NoteOn
from improviser.engine.protocol import Hear

REMEMBERED = 1000
RECENT_SECONDS = 30.0
MOST_HOPS = 8
TICK_SECONDS = 1e-6
LARGEST_EVENT = 1024

Seven = Annotated[int, Meta(ge=0, le=127)]


class Sounding(msgspec.Struct, frozen=True):
    """A note that begins or ends, as it is published; `seconds` count from the session's beginning."""

    type: Literal["note_on", "note_off"]
    channel: Annotated[int, Meta(ge=0, le=15)]
    pitch: Seven
    velocity: Seven
    seconds: float = 0.0
    via: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=2 * MOST_HOPS)] = []


class Missing(msgspec.Struct, frozen=True):
    """What is published after events were lost: whatever sounds may have ended."""

    count: int
    type: Literal["lost"] = "lost"


_decoder = msgspec.json.Decoder(Sounding)
_json = msgspec.json.Encoder()


def published(event: Event, seconds: float, via: Iterable[str]) -> bytes | None:
    """Return a note as JSON; None if the event is none."""
    if not isinstance(event, NoteOn | NoteOff):
        return None
    kind: Literal["note_on", "note_off"] = "note_on" if isinstance(event, NoteOn) else "note_off"
    return _json.encode(Sounding(kind, event.channel, event.pitch, event.velocity, round(seconds, 6), list(via)))


def missing(count: int) -> bytes:
    """Return as JSON that events were lost."""
    return _json.encode(Missing(count))


class Ears:
    """Hears what another improviser plays; `name` is ours.

    `circles` counts the notes that came back to us and were ignored, `unreadable` those that were none.
    """

    def __init__(self, name: str) -> None:
        self.circles = self.unreadable = 0
        self._name = name
        self._held: dict[tuple[int, int], None] = {}
        self._via: OrderedDict[float, tuple[str, ...]] = OrderedDict()
        self._recent: dict[str, float] = {}
        self._latest = 0.0

    def hear(self, payload: bytes, now: float) -> list[Hear]:
        """Return what the engine is to hear of an event published by the other, at `now` in our session."""
        try:
            if len(payload) > LARGEST_EVENT:
                raise msgspec.ValidationError("too large")
            sounding = _decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
            if b'"lost"' not in payload[:LARGEST_EVENT]:
                self.unreadable += 1
            return self.release(now)
        key = sounding.channel, sounding.pitch
        if sounding.type == "note_off" or not sounding.velocity:
            if key not in self._held:
                return []
            del self._held[key]
            return [self._heard(NoteOff(*key, sounding.velocity), now, ())]
        if self._name in sounding.via or len(sounding.via) > MOST_HOPS:
            self.circles += 1
            return []
        ended = [self._heard(NoteOff(*key), now, ())] if key in self._held else []
        self._held[key] = None
        return [*ended, self._heard(NoteOn(*key, sounding.velocity), now, sounding.via)]

    def release(self, now: float) -> list[Hear]:
        """End what the other holds: it, or the way to it, is gone."""
        held, self._held = self._held, {}
        return [self._heard(NoteOff(*key), now, ()) for key in held]

    def via(self, stamp: float) -> tuple[str, ...]:
        """Return through whom a note came that the engine says it heard at `stamp`; nobody if from our own player."""
        return self._via.pop(stamp, ())

    def recently(self, now: float) -> tuple[str, ...]:
        """Return through whom all came that was heard lately: what is played later may be due to it."""
        return tuple(sorted(name for name, stamp in self._recent.items() if now - stamp < RECENT_SECONDS))

    def _heard(self, event: NoteOn | NoteOff, now: float, via: Iterable[str]) -> Hear:
        # By its stamp we know a note again when the engine reports it: so no two have the same.
        stamp = self._latest = max(now, self._latest + TICK_SECONDS)
        names = tuple(via)
        if names:
            self._via[stamp] = names
            self._recent.update(dict.fromkeys(names, stamp))
        while len(self._via) > REMEMBERED:
            self._via.popitem(last=False)
        while len(self._recent) > REMEMBERED:
            del self._recent[next(iter(self._recent))]
        return Hear(stamp, encode(event))
