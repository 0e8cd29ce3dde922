"""The voice: who holds each sounding note; every note-on gets its note-off.

An answer sounds as long as the player's key is down: the key is its owner. A note may have several owners (two keys
answered by the same pitch, or the player's own note sent on): then it ends when the last of them lets go.
"""

from collections.abc import Hashable, Iterable, Iterator

from improviser.core.midi.event import KeyPressure, NoteOff, NoteOn


class Voice:
    """The sounding notes, by owner."""

    def __init__(self) -> None:
        self._held: dict[Hashable, list[tuple[int, int]]] = {}
        self._owners: dict[tuple[int, int], int] = {}

    def start(self, owner: Hashable, note: NoteOn) -> NoteOn:
        """Let `owner` hold `note`, and return it, to be sent; if it sounds already, it starts anew."""
        sounding = (note.channel, note.pitch)
        self._held.setdefault(owner, []).append(sounding)
        self._owners[sounding] = self._owners.get(sounding, 0) + 1
        return note

    def stop(self, owner: Hashable, velocity: int = 64) -> list[NoteOff]:
        """Take from `owner` all it holds; return the note-offs of what nobody holds any more."""
        return list(self._stop(owner, velocity)) if owner in self._held else []

    def _stop(self, owner: Hashable, velocity: int) -> Iterator[NoteOff]:
        for sounding in self._held.pop(owner):
            self._owners[sounding] -= 1
            if not self._owners[sounding]:
                del self._owners[sounding]
                yield NoteOff(*sounding, velocity)

    def share(self, owner: Hashable, sounding: tuple[int, int]) -> None:
        """Let `owner` hold a note, as (channel, pitch), that sounds for others; without them it is none."""
        if sounding in self._owners and sounding not in self._held.get(owner, ()):
            self._held.setdefault(owner, []).append(sounding)
            self._owners[sounding] += 1

    def leave(self, owner: Hashable, sounding: tuple[int, int], velocity: int = 64) -> list[NoteOff]:
        """Take a note from `owner`; return its note-off if nobody holds it any more."""
        if sounding not in self._held.get(owner, ()):
            return []
        self._held[owner].remove(sounding)
        if not self._held[owner]:
            del self._held[owner]
        self._owners[sounding] -= 1
        if self._owners[sounding]:
            return []
        del self._owners[sounding]
        return [NoteOff(*sounding, velocity)]

    def holders(self, sounding: tuple[int, int]) -> list[Hashable]:
        """Return who holds a note."""
        return [owner for owner, held in self._held.items() if sounding in held]

    def press_harder(self, owners: Iterable[Hashable], value: int) -> list[KeyPressure]:
        """Return the aftertouch, 0–127, of all notes that `owners` hold, each once."""
        sounding = dict.fromkeys(sounds for owner in owners for sounds in self._held.get(owner, ()))
        return [KeyPressure(channel, pitch, value) for channel, pitch in sounding]

    def clear(self) -> None:
        """Forget everything (the ledger's releases end what sounds)."""
        self._held.clear()
        self._owners.clear()

    @property
    def owners(self) -> tuple[Hashable, ...]:
        """Everyone who holds a note."""
        return tuple(self._held)

    @property
    def sounding(self) -> tuple[tuple[int, int], ...]:
        """The (channel, pitch) of every note that is held."""
        return tuple(self._owners)
