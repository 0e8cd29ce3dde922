"""Notes of ours that are held over by keys that did not strike them, each for a while only.

A note ends with the key that struck it. Where two improvisers hear each other, or one hears itself, each note held by
the next could hold the one before: so nothing but the key that struck a note holds it for longer than `HELD_SECONDS`.
"""

from collections import OrderedDict
from typing import Final

from improviser.core.live.output.sounding import ANSWER, Sounding
from improviser.core.live.player.chords import Key
from improviser.core.midi.event import Event

HELD_SECONDS = 4.0


class HeldOver:
    """Lets keys hold notes that others struck, and takes those from them in time."""

    def __init__(self, sounding: Sounding) -> None:
        self._sounding: Final = sounding
        self._notes: OrderedDict[Key, tuple[float, list[Key]]] = OrderedDict()
        """When what a key holds over is taken from it, and what that is; the earliest first."""

    @property
    def due(self) -> float | None:
        """When `expire` has something to do."""
        return next(iter(self._notes.values()))[0] if self._notes else None

    def strike(self, key: Key) -> None:
        """Take in that a key is struck anew: it holds nothing over yet."""
        self._notes.pop(key, None)

    def hold(self, key: Key, note: Key, now: float) -> None:
        """Let a key that is struck at `now` hold a note that sounds."""
        self._sounding.share((ANSWER, *key), *note)
        self._notes.setdefault(key, (now + HELD_SECONDS, []))[1].append(note)

    def move(self, before: Key, after: Key) -> None:
        """Take in that another note sounds in the place of one."""
        for _, notes in self._notes.values():
            notes[:] = [after if note == before else note for note in notes]

    def expire(self, now: float) -> list[Event]:
        """Take from the keys what they have held over for long enough; return the ends of what nothing else holds."""
        events: list[Event] = []
        while self._notes:
            key, (expires, notes) = next(iter(self._notes.items()))
            if expires > now:
                break
            del self._notes[key]
            for note in notes:
                events += self._sounding.leave((ANSWER, *key), *note)
        return events

    def clear(self) -> None:
        """Forget everything: a panic."""
        self._notes.clear()
