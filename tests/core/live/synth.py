"""A synthesizer for the tests: it knows what MIDI 1.0 says of notes, pedals and bends, and so what sounds."""

from collections.abc import Iterable

from improviser.core.midi.event import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    SOSTENUTO,
    SUSTAIN,
    ControlChange,
    Event,
    NoteOff,
    NoteOn,
    PitchBend,
)

RESET_ALL_CONTROLLERS = 121
MONO_AND_OMNI = range(124, 128)


class Synth:
    """Sixteen channels; a note sounds while its key is down, or a pedal keeps it.

    It takes no releases on trust: CC 120 and 123 are counted as unheard (`obeys_panic=False`), as by many real synths.
    Starting a key that is down, without a note-off between, is an error of the sender.
    """

    def __init__(self, *, obeys_panic: bool = False) -> None:
        self.keys: set[tuple[int, int]] = set()
        self.kept: set[tuple[int, int]] = set()
        self.sustained: set[int] = set()
        self.sostenuto: dict[int, frozenset[int]] = {}
        self.bent: set[int] = set()
        self.errors: list[Event] = []
        self._obeys_panic = obeys_panic

    def take(self, events: Iterable[Event]) -> None:
        """Play what comes in."""
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, NoteOn):
            key = event.channel, event.pitch
            if key in self.keys:
                self.errors.append(event)
            self.keys.add(key)
            self.kept.discard(key)
        elif isinstance(event, NoteOff):
            key = event.channel, event.pitch
            if key not in self.keys:
                self.errors.append(event)
            self.keys.discard(key)
            if event.channel in self.sustained or event.pitch in self.sostenuto.get(event.channel, ()):
                self.kept.add(key)
        elif isinstance(event, PitchBend):
            (self.bent.add if event.value else self.bent.discard)(event.channel)
        elif isinstance(event, ControlChange):
            self._control(event)

    def _control(self, event: ControlChange) -> None:
        channel = event.channel
        if event.control == SUSTAIN:
            (self.sustained.add if event.value else self.sustained.discard)(channel)
        elif event.control == SOSTENUTO and event.value:
            self.sostenuto.setdefault(channel, frozenset(pitch for on, pitch in self.keys if on == channel))
        elif event.control == SOSTENUTO:
            self.sostenuto.pop(channel, None)
        elif event.control in (ALL_SOUND_OFF, ALL_NOTES_OFF) and self._obeys_panic:
            self.keys = {key for key in self.keys if key[0] != channel}
        self.kept = {
            (on, pitch)
            for on, pitch in self.kept
            if on in self.sustained or pitch in self.sostenuto.get(on, frozenset())
        }

    @property
    def sounding(self) -> set[tuple[int, int]]:
        """The (channel, pitch) of every note that can be heard."""
        return self.keys | self.kept

    @property
    def at_rest(self) -> bool:
        """Whether nothing sounds, no pedal is down and no bend is off its centre."""
        return not (self.keys or self.kept or self.sustained or self.sostenuto or self.bent)

    def copy(self) -> "Synth":
        """Return another one in the same state."""
        other = Synth(obeys_panic=self._obeys_panic)
        other.keys, other.kept, other.sustained = self.keys.copy(), self.kept.copy(), self.sustained.copy()
        other.sostenuto, other.bent = self.sostenuto.copy(), self.bent.copy()
        return other
