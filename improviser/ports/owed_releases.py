"""Ends of notes that a destination could not be sent, because it was not there: kept until it is back.

A synthesiser behind a port may sound on while the port is gone: one that PipeWire's session manager bridges, while that
is started again, or any while the server is.
"""

from collections.abc import Iterable, Sequence, Set

LATE_SECONDS = 2.0
"""How late the daemon may hear that a destination has gone: a busy machine's JACK tells others sooner."""


class OwedReleases:
    """What each destination is owed.

    Around the moment in which a destination goes, notes may end that it still plays. So what it is owed is the end of
    all that has sounded in the `LATE_SECONDS` before the look that was the first not to find it there.
    """

    def __init__(self) -> None:
        self._owed: dict[str, list[bytes]] = {}
        self._absent: Set[str] = frozenset()
        self._lately: dict[bytes, float] = {}
        """What ends what has sounded, and at which look it was told last."""

    def owe(self, destinations: Iterable[str], messages: Sequence[bytes]) -> None:
        """Owe messages that end notes to destinations that are not there."""
        for destination in destinations:
            owed = self._owed.setdefault(destination, [])
            owed += [message for message in messages if message not in owed]

    def sounded(self, lately: Sequence[bytes], now: float) -> None:
        """Take in what ends all that has sounded since the look before; `now` is seconds on any steady clock."""
        recent = {message: then for message, then in self._lately.items() if now - then <= LATE_SECONDS}
        self._lately = recent | dict.fromkeys(lately, now)

    def look(self, absent: Set[str], back: Iterable[str]) -> None:
        """Take in which destinations are not there and which have just come back."""
        self.owe((absent | set(back)) - self._absent, self.ends)
        self._absent = absent

    @property
    def ends(self) -> list[bytes]:
        """What ends all that has sounded lately."""
        return list(self._lately)

    def due(self, present: Set[str], sounding: Sequence[bytes]) -> dict[str, list[bytes]]:
        """Return what is owed to destinations that are there but for ends of what sounds now, and owe it no more."""
        due = {name: self._owed.pop(name) for name in [*self._owed] if name in present}
        kept = {name: [message for message in messages if message not in sounding] for name, messages in due.items()}
        return {name: messages for name, messages in kept.items() if messages}

    def rename(self, old: str, new: str) -> None:
        """Know a destination by another name from now on."""
        if old in self._owed:
            self.owe([new], self._owed.pop(old))
