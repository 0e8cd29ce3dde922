"""Which keys are held on which input: where inputs are shown as one, a key ends when no input holds it any more."""

from improviser.core.midi.event import ALL_NOTES_OFF, ALL_SOUND_OFF, ControlChange, Event, NoteOff, NoteOn


class HeldKeys:
    """The keys that are down, by input, each as (channel, pitch)."""

    def __init__(self) -> None:
        self._held: dict[int, dict[tuple[int, int], None]] = {}

    def take(self, number: int, event: Event | None) -> bool:
        """Take in what was heard on input `number`; return whether it ends a key that another input holds as well."""
        held = self._held.setdefault(number, {})
        if isinstance(event, NoteOn):
            held[event.channel, event.pitch] = None
        elif isinstance(event, NoteOff):
            held.pop((event.channel, event.pitch), None)
            return self._is_held(event.channel, event.pitch)
        elif isinstance(event, ControlChange) and (event.control == ALL_SOUND_OFF or event.control >= ALL_NOTES_OFF):
            self._held[number] = {key: None for key in held if key[0] != event.channel}
        return False

    def lose(self, number: int) -> list[tuple[int, int]] | None:
        """Take in that input `number` is gone; return the keys that nobody holds now, None if it is all of them."""
        lost = self._held.pop(number, {})
        return [key for key in lost if not self._is_held(*key)] if any(self._held.values()) else None

    def _is_held(self, channel: int, pitch: int) -> bool:
        return any((channel, pitch) in held for held in self._held.values())
