"""Ends of notes that a destination could not be sent, because it was not there: kept until it is back.

A synthesiser behind a port may sound on while the port is gone: one that PipeWire's session manager bridges, while that
is started again, or any while the server is.
"""

from collections.abc import Iterable, Sequence, Set


class OwedReleases:
    """What each destination is owed.

    In the moment in which a destination goes, notes may end that it still plays. So what it is owed is the end of all
    that has sounded since the look before the one that was the last to find it there.
    """

    def __init__(self) -> None:
        self._owed: dict[str, list[bytes]] = {}
        self._absent: Set[str] = frozenset()
        self._lately: Sequence[bytes] = ()

    def owe(self, destinations: Iterable[str], messages: Sequence[bytes]) -> None:
        """Owe messages that end notes to destinations that are not there."""
        for destination in destinations:
            owed = self._owed.setdefault(destination, [])
            owed += [message for message in messages if message not in owed]

    def look(self, absent: Set[str], back: Iterable[str], lately: Sequence[bytes]) -> None:
        """Take in which destinations are not there and which have just come back.

        :param lately: what ends all that has sounded since the look before.
        """
        self.owe((absent | set(back)) - self._absent, self.ends(lately))
        self._absent, self._lately = absent, lately

    def ends(self, lately: Sequence[bytes]) -> list[bytes]:
        """Return what ends all that has sounded `lately`, and between the two looks before."""
        return list(dict.fromkeys((*self._lately, *lately)))

    def due(self, present: Set[str], sounding: Sequence[bytes]) -> dict[str, list[bytes]]:
        """Return what is owed to destinations that are there but for ends of what sounds now, and owe it no more."""
        due = {name: self._owed.pop(name) for name in [*self._owed] if name in present}
        kept = {name: [message for message in messages if message not in sounding] for name, messages in due.items()}
        return {name: messages for name, messages in kept.items() if messages}

    def rename(self, old: str, new: str) -> None:
        """Know a destination by another name from now on."""
        if old in self._owed:
            self.owe([new], self._owed.pop(old))
