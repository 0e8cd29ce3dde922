"""Which wires at a port of ours were cut since the last look: JACK tells of each, and what it shows tells the rest.

Neither is enough. What is connected, played and pulled out between two looks is never shown, JACK tells of it all the
same; but a busy one tells late. It tells before it shows, too: until it shows that a wire is cut, it may still carry.
"""

from collections.abc import Set

GONE = "a port that is gone"
"""Stands for a port of which JACK tells no name any more."""


class CutWires:
    """The wires between one port of ours and those of others, by the others' names; each cut is found once.

    `tell` may be called from another thread than the rest.
    """

    def __init__(self) -> None:
        self._shown: Set[str] = frozenset()
        self._told: dict[str, bool] = {}
        """Of whose cut JACK has told, and whether they were connected again since."""
        self._untold: set[str] = set()
        """Whose cut was seen before JACK has told of it."""

    def tell(self, peer: str, *, connected: bool) -> None:
        """Take in what JACK tells: `peer` (or `GONE`) is `connected` to our port now, or is no longer."""
        if connected:
            if peer in self._told:
                self._told[peer] = True
        elif peer in self._untold:
            self._untold.discard(peer)
        else:
            self._told.setdefault(peer, False)

    def look(self, shown: Set[str]) -> set[str]:
        """Return whose wires were cut, by those that JACK shows now; among them may be some that are there again."""
        told = {peer for peer, again in [*self._told.items()] if again or peer not in shown}
        for peer in told:
            self._told.pop(peer, None)
        seen = self._shown - shown - told
        if GONE in told and seen:  # it is one of these
            told.discard(GONE)
        else:
            self._untold |= seen
        self._untold -= shown
        self._shown = shown
        return told | seen

    def rename(self, old: str, new: str) -> None:
        """Know a peer by another name from now on."""
        if old in self._shown:
            self._shown = (self._shown - {old}) | {new}
        if old in self._told:
            self._told[new] = self._told.pop(old)
        if old in self._untold:
            self._untold = (self._untold - {old}) | {new}
