"""Choral answers: all parts of a chorale answer a note of the player's line at once, as one chord.

What the player strikes together with a note is no further note of his line: the chord stays, and ends with the last of
these keys. Parts may meet on one pitch; it is struck once. Where the player plays legato, parts may hold notes over;
and where that is asked for, a part may move by step between two of his notes, half a pulse after the first: if he is
late then, it moves back. His next note ends all that at once.
"""

from dataclasses import dataclass
from typing import Final

from improviser.core.chorale.phrase_ends import Pulse
from improviser.core.live.answering.band import Band
from improviser.core.live.answering.held_over import HeldOver
from improviser.core.live.answering.together import Ornament, Together
from improviser.core.live.output.postponed import Owner, earliest
from improviser.core.live.output.sounding import Sounding
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.chords import Key
from improviser.core.midi.event import Event, NoteOn
from improviser.core.music.note import PITCHES
from improviser.core.music.parts import Sung
from improviser.core.music.phrase import CHORD_SECONDS

HALF, LATE = 0.5, 1.5
"""A part moves so many pulses after the player's note, and back after so many."""
FASTEST, SLOWEST = 0.24, 3.0
"""Pulses, in seconds, that parts move in."""

Struck = tuple[NoteOn, int | None]
"""A note that sounds, and the part that it is of."""


@dataclass(slots=True)
class Movement:
    """A part that has moved, and is to move back.

    :param struck: what it sounds now; `before`: the pitch before.
    """

    choir: Together
    ornament: Ornament
    struck: NoteOn
    before: int


class Choral:
    """Knows the chord that was struck last."""

    def __init__(self, band: Band, sounding: Sounding) -> None:
        self._band: Final = band
        self._sounding: Final = sounding
        self._held_over: Final = HeldOver(sounding)
        self._pulse = Pulse()
        self._parameters = Parameters()
        self._struck: tuple[Owner, float] | None = None
        """The key that was answered last, and when."""
        self._chord: list[Struck] = []
        """What sounds since then."""
        self._moves: float | None = None
        """When a part moves, or moves back."""
        self._moved: Movement | None = None

    def adopt(self, parameters: Parameters) -> None:
        """Play with these parameters from now on."""
        self._parameters = parameters

    def forget(self) -> None:
        """Forget what sounds: a panic."""
        self._struck, self._chord, self._moves, self._moved = None, [], None, None
        self._held_over.clear()

    @property
    def due(self) -> float | None:
        """When a part moves, or what is held over has been for long enough."""
        return earliest(self._moves, self._held_over.due)

    def joins(self, now: float) -> bool:
        """Say whether a note that begins now is struck together with the one that was answered last."""
        if self._struck is None or not 0 <= now - self._struck[1] < CHORD_SECONDS:
            return False
        owner = self._struck[0]
        return any(owner in self._sounding.holders(note.channel, note.pitch) for note, _ in self._chord)

    def join(self, key: Key, now: float) -> list[Event]:
        """Take in such a note: its key holds the chord, too, as long as anything is held over."""
        self._band.overhear(key[1], now)
        self._held_over.strike(key)
        for note, _ in self._chord:
            self._held_over.hold(key, (note.channel, note.pitch), now)
        return []

    def strike(self, owner: Owner, key: Key, answer: list[tuple[NoteOn, Sung]], now: float) -> list[NoteOn]:
        """Take in what the parts answer to a key; return the notes to strike."""
        struck, held = self._told(answer)
        self._held_over.strike(key)
        for note in held:
            self._held_over.hold(key, (note.channel, note.pitch), now)
        self._struck = owner, now
        kept = {(note.channel, note.pitch) for note in (*struck, *held)}
        self._chord = [(note, sung.part) for note, sung in answer if (note.channel, note.pitch) in kept]
        self._pulse.hear(now)
        pulse, self._moved = self._pulse.seconds, None
        moves = self._parameters.ornament > 0 and pulse is not None and FASTEST <= pulse <= SLOWEST
        self._moves = now + self._parameters.delay + HALF * pulse if moves and pulse is not None else None
        return struck

    def told(self, answer: list[tuple[NoteOn, Sung]]) -> list[NoteOn]:
        """Return the notes that `strike` would strike; changes nothing."""
        return self._told(answer)[0]

    def _told(self, answer: list[tuple[NoteOn, Sung]]) -> tuple[list[NoteOn], list[NoteOn]]:
        """Return which notes of an answer are struck, and which go on to sound."""
        if not self._parameters.hold:
            return once([note for note, _ in answer]), []
        goes_on = [sung.holds and bool(self._sounding.holders(note.channel, note.pitch)) for note, sung in answer]
        struck = once([note for (note, _), held in zip(answer, goes_on, strict=True) if not held])
        new = {(note.channel, note.pitch) for note in struck}
        held = once([note for (note, _), held in zip(answer, goes_on, strict=True) if held])
        return struck, [note for note in held if (note.channel, note.pitch) not in new]

    def advance(self, now: float) -> list[Event]:
        """Do what is due by `now`."""
        events = self._held_over.expire(now)
        if self._moves is not None and self._moves <= now:
            self._moves = None
            events += self._move_back(now) if self._moved is not None else self._move(now)
        return events

    def _move(self, now: float) -> list[Event]:
        """Let a part move, if one does; it moves back if nothing comes for long."""
        found = self._band.ornament() if self._parameters.ornament > 0 else None
        if found is None or self._struck is None:
            return []
        choir, ornament = found
        mine = [note for note, part in self._chord if part == ornament.part]
        others = {(note.channel, note.pitch) for note, part in self._chord if part != ornament.part}
        if not mine or (mine[0].channel, mine[0].pitch) in others:  # parts that have met stay together
            return []
        note, pitch = mine[0], mine[0].pitch + ornament.step
        low, high = self._parameters.register_of_part(ornament.part)
        allowed = self._band.drawing.allowed
        if not (low <= pitch <= high and 0 <= pitch < PITCHES) or (allowed is not None and not allowed[pitch]):
            return []
        events = self._sound(note, pitch, now)
        if events:
            self._band.move(choir, ornament)
            struck = NoteOn(note.channel, pitch, note.velocity)
            self._moved = Movement(choir, ornament, struck, note.pitch)
            self._moves = self._struck[1] + LATE * (self._pulse.seconds or SLOWEST)
        return events

    def _move_back(self, now: float) -> list[Event]:
        moved, self._moved = self._moved, None
        if moved is None:
            return []
        self._band.move(moved.choir, moved.ornament, back=True)
        return self._sound(moved.struck, moved.before, now)

    def _sound(self, note: NoteOn, pitch: int, now: float) -> list[Event]:
        """Let another pitch sound in the place of a note, for the same keys; nothing, if it does not sound any more."""
        holders, after = self._sounding.holders(note.channel, note.pitch), NoteOn(note.channel, pitch, note.velocity)
        if not holders or self._sounding.sounds(note.channel, pitch):
            return []
        events = [event for holder in holders for event in self._sounding.leave(holder, note.channel, note.pitch)]
        events += self._sounding.start(holders[0], [after], now)
        for holder in holders[1:]:
            self._sounding.share(holder, note.channel, pitch)
        self._held_over.move((note.channel, note.pitch), (note.channel, pitch))
        self._chord = [(after if each == note else each, part) for each, part in self._chord]
        return events

    def foretell(self, pitch: int, channel: int, now: float, *, think: bool) -> tuple[list[Sung], bool] | None:
        """Return what is struck with a note of one line; see `Band.foretell`. None if anything is unusual."""
        return None if self.joins(now) else self._band.foretell(pitch, channel, now, 1, think=think)


def once(notes: list[NoteOn]) -> list[NoteOn]:
    """Return notes of which none is of the channel and the pitch of another one before it."""
    found: dict[tuple[int, int], NoteOn] = {}
    for note in notes:
        found.setdefault((note.channel, note.pitch), note)
    return [*found.values()]
