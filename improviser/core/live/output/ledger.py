"""The ledger: what sounds at an output, written so that whoever outlives the sender can end it.

Every message on its way out passes through here. The order is what makes the promise hold: a note-on, pedal or bend is
entered *before* it is sent and struck out *after* its end was sent, so at any instant, and wherever the sender is
killed, the ledger names at least all that sounds. It lives in a buffer of `SIZE` bytes, which may be shared memory.

Several messages may be admitted before the first of them is sent (a note's end and its new start, say). Which of them
are still on their way is known to the sender alone; whoever outlives it needs only the facts.
"""

from collections.abc import Iterator

from improviser.core.midi.event import ALL_NOTES_OFF, HELD_PEDALS, ControlChange, Event, NoteOff, NoteOn, PitchBend
from improviser.core.music.note import CHANNELS, PITCHES

NOTES = CHANNELS * PITCHES
PEDALS = NOTES
BENDS = PEDALS + CHANNELS * len(HELD_PEDALS)
USED = BENDS + CHANNELS
LATELY = USED + CHANNELS
SIZE = LATELY + USED
"""Bytes of a ledger: a flag for each note of each channel, for each pedal, for a bend, and for use at all; and one for
each of these but the last that has been started lately."""


class Ledger:
    """What sounds, one byte a fact, in `buffer` (a bytearray, memoryview or mmap of at least `SIZE` bytes)."""

    def __init__(self, buffer: "bytearray | memoryview | None" = None) -> None:
        self._facts = memoryview(bytearray(SIZE) if buffer is None else buffer)
        if len(self._facts) < SIZE:
            raise ValueError(f"a ledger needs {SIZE} bytes, not {len(self._facts)}")
        # The notes that sound once all that was admitted has been sent, and how many starts are on their way.
        self._notes = {place for place, fact in enumerate(bytes(self._facts[:NOTES])) if fact}
        self._coming: dict[int, int] = {}

    def admit(self, event: Event) -> tuple[Event, ...]:
        """Enter `event` and return what to send for it, in order; call `sent` with each part once it is sent.

        A note-on of a pitch that sounds is preceded by its note-off (a retrigger); a note-off of a pitch that does not
        sound is dropped.
        """
        if isinstance(event, NoteOn):
            place = event.channel * PITCHES + event.pitch
            retriggered = place in self._notes
            self._notes.add(place)
            self._start(place, event.channel)
            return (NoteOff(event.channel, event.pitch), event) if retriggered else (event,)
        if isinstance(event, NoteOff):
            place = event.channel * PITCHES + event.pitch
            if place not in self._notes:
                return ()
            self._notes.discard(place)
            return (event,)
        if (held := _held(event)) is not None:
            place, value = held
            if value:
                self._start(place, event.channel)
        elif isinstance(event, ControlChange):
            self._facts[USED + event.channel] = 1
        return (event,)

    def foretell(self, event: NoteOn) -> tuple[Event, ...]:
        """Return what `admit` would return; changes nothing."""
        retriggered = event.channel * PITCHES + event.pitch in self._notes
        return (NoteOff(event.channel, event.pitch), event) if retriggered else (event,)

    def expect(self, event: Event) -> None:
        """Enter a note that is sent before it is admitted, for whoever outlives us; it is to be admitted soon."""
        if isinstance(event, NoteOn):
            place = event.channel * PITCHES + event.pitch
            self._facts[place] = self._facts[LATELY + place] = 1
            self._facts[USED + event.channel] = 1

    def _start(self, place: int, channel: int) -> None:
        self._coming[place] = self._coming.get(place, 0) + 1
        self._facts[place] = self._facts[LATELY + place] = 1
        self._facts[USED + channel] = 1

    def sent(self, event: Event) -> None:
        """Strike out what the sending of `event` has ended."""
        found = place_of(event)
        if found is None:
            return
        place, starts = found
        if starts and (coming := self._coming.get(place, 0)) > 1:
            self._coming[place] = coming - 1
        elif starts:
            self._coming.pop(place, None)
        elif place not in self._coming:  # else it starts again at once, and stays entered
            self._facts[place] = 0

    @property
    def sounding(self) -> list[tuple[int, int]]:
        """The (channel, pitch) of every note that sounds."""
        notes = bytes(self._facts[:NOTES])
        return [divmod(place, PITCHES) for place, fact in enumerate(notes) if fact] if any(notes) else []

    @property
    def silent(self) -> bool:
        """Whether no note sounds, no pedal is down and no bend is off its centre."""
        return not any(self._facts[:USED])

    def releases(self) -> tuple[Event, ...]:
        """Return what ends all that sounds: note-offs, pedals up, bends to the centre, then CC 123 where in use."""
        return tuple(self._releases(bytes(self._facts[:USED])))

    def take_lately(self) -> tuple[Event, ...]:
        """Return what ends all that has sounded since this was called last; for one other process that looks on."""
        lately = bytes(self._facts[LATELY:SIZE])
        self._facts[LATELY:SIZE] = bytes(SIZE - LATELY)
        # What starts just now may be struck out there, but is here: it is entered here first.
        now = bytes(self._facts[:USED])
        facts = bytes(then | fact for then, fact in zip(lately, now, strict=True)) if any(lately) else now
        return tuple(self._releases(facts)) if any(facts) else ()

    def _releases(self, facts: bytes) -> Iterator[Event]:
        """Yield what ends all that `facts` name: notes, pedals and bends."""
        for place, fact in enumerate(facts[:NOTES]):
            if fact:
                yield NoteOff(*divmod(place, PITCHES))
        for channel in range(CHANNELS):
            for number, pedal in enumerate(HELD_PEDALS):
                if facts[PEDALS + channel * len(HELD_PEDALS) + number]:
                    yield ControlChange(channel, pedal, 0)
            if facts[BENDS + channel]:
                yield PitchBend(channel, 0)
        for channel in range(CHANNELS):
            if self._facts[USED + channel]:
                yield ControlChange(channel, ALL_NOTES_OFF, 0)

    def snapshot(self) -> bytes:
        """Return a copy of the facts, from which another ledger can be made."""
        return bytes(self._facts[:SIZE])

    def silence(self) -> tuple[Event, ...]:
        """Return the `releases`, and forget what was on its way; call `sent` with each of them once it is sent."""
        self._notes.clear()
        self._coming.clear()
        return self.releases()

    def clear(self) -> None:
        """Strike out everything."""
        self._notes.clear()
        self._coming.clear()
        self._facts[:SIZE] = bytes(SIZE)

    def close(self) -> None:
        """Let go of the buffer, so that its owner may close it."""
        self._facts.release()


def place_of(event: Event) -> tuple[int, bool] | None:
    """Return where in a ledger a note, pedal or bend is entered, and whether `event` starts it; None for others."""
    if isinstance(event, NoteOn | NoteOff):
        return event.channel * PITCHES + event.pitch, isinstance(event, NoteOn)
    held = _held(event)
    return None if held is None else (held[0], held[1] != 0)


def _held(event: Event) -> tuple[int, int] | None:
    """Return where a pedal or a bend is entered and its value (0: at rest), None for anything else."""
    if isinstance(event, PitchBend):
        return BENDS + event.channel, event.value
    if isinstance(event, ControlChange) and event.control in HELD_PEDALS:
        return PEDALS + event.channel * len(HELD_PEDALS) + HELD_PEDALS.index(event.control), event.value
    return None
