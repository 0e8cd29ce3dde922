"""All notes of ours that sound, or are to sound later: each has an owner, who ends it.

An owner is a key of the player's, as (`ANSWER` or `THRU`, channel, pitch), or a beat of a reply, as (`REPLY`, number).
"""

from collections.abc import Hashable, Sequence
from typing import TypeGuard

from improviser.core.live.output.postponed import Owner, Postponed
from improviser.core.live.output.voice import Voice
from improviser.core.midi.event import Event, KeyPressure, NoteOn

ANSWER, THRU, REPLY = "answer", "thru", "reply"


class Sounding:
    """Starts notes for owners and ends them, at once or as late as they were started."""

    def __init__(self) -> None:
        self._voice = Voice()
        self._postponed = Postponed()

    @property
    def due(self) -> float | None:
        """When something starts or ends next that had to wait."""
        return self._postponed.due

    def start(self, owner: Owner, notes: Sequence[NoteOn], now: float, delay: float = 0.0) -> list[Event]:
        """Start notes of an owner, in `delay` seconds."""
        if not delay:
            return [self._voice.start(owner, note) for note in notes]
        self._postponed.start(owner, tuple(notes), now, delay)
        return []

    def stop(self, owner: Owner, now: float, velocity: int = 64) -> list[Event]:
        """End what an owner started, now or as late as it started."""
        self._postponed.stop(owner, now, velocity)
        return [*self._voice.stop(owner, velocity)]

    def release(self, channel: int, pitch: int, now: float, velocity: int = 64) -> list[Event]:
        """End what a key of the player's has started."""
        return self.stop((THRU, channel, pitch), now, velocity) + self.stop((ANSWER, channel, pitch), now, velocity)

    def share(self, owner: Owner, channel: int, pitch: int) -> None:
        """Let `owner` hold a note that sounds for others, too."""
        self._voice.share(owner, (channel, pitch))

    def holders(self, channel: int, pitch: int) -> list[Owner]:
        """Return the keys of the player's whose answer sounds so."""
        holders = self._voice.holders((channel, pitch))
        return [owner for owner in holders if isinstance(owner, tuple) and owner[0] == ANSWER]

    def sounds(self, channel: int, pitch: int) -> bool:
        """Say whether a note sounds, for whomever."""
        return bool(self._voice.holders((channel, pitch)))

    def leave(self, owner: Owner, channel: int, pitch: int) -> list[Event]:
        """Take a note from `owner`, which ends it if nobody else holds it."""
        return [*self._voice.leave(owner, (channel, pitch))]

    def stop_all(self, *beginning: object) -> list[Event]:
        """End what sounds for owners that begin with these items: a kind, and a channel perhaps."""
        size = len(beginning)
        owners = [owner for owner in self._voice.owners if isinstance(owner, tuple) and owner[:size] == beginning]
        return [off for owner in owners for off in self._voice.stop(owner)]

    def drop(self, *beginning: object) -> None:
        """Forget what is to start, and to end, later for such owners."""
        self._postponed.drop(*beginning)

    def take(self, now: float) -> list[Event]:
        """Start and end what is due by `now`."""
        events: list[Event] = []
        for due in self._postponed.take(now):
            events += self._voice.stop(due.owner, due.velocity)
            events += [self._voice.start(due.owner, note) for note in due.notes]
        return events

    def press_harder(self, channel: int, pitch: int, value: int) -> list[KeyPressure]:
        """Return the aftertouch of all that sounds for a key of the player's."""
        return self._voice.press_harder([(kind, channel, pitch) for kind in (THRU, ANSWER)], value)

    @property
    def keys(self) -> set[tuple[int, int]]:
        """The (channel, pitch) of the player's keys that hold something, sounding or to come."""
        return {(owner[1], owner[2]) for owner in (*self._voice.owners, *self._postponed.owners) if _is_key(owner)}

    def clear(self) -> None:
        """Forget everything (the ledger's releases end what sounds)."""
        self._voice.clear()
        self._postponed.clear()


def _is_key(owner: Hashable) -> TypeGuard[tuple[str, int, int]]:
    return isinstance(owner, tuple) and len(owner) == 3
