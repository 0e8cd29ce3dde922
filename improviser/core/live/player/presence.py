"""Whether the player is still there: a source that stops its active sensing is gone; another limit is the user's.

Active sensing (MIDI 1.0): a source that has sent FE once sends something at least every 300 ms from then on, FE if
there is nothing else. When nothing comes, the cable is out, and the releases of the notes that it held will not come.
`SENSING_SECONDS` is twice that time and a little more: one FE may be lost to an xrun, and what comes late from a busy
machine is no sign of anything.

The other limit is a parameter, `release_after`: the seconds since the last message of the player's own hands.
"""

from collections.abc import Callable
from functools import partial

from improviser.core.live.output.postponed import earliest

SENSING_SECONDS = 0.65


class Presence:
    """Knows when the player was last heard of. All times are seconds of the session.

    :param holds: says whether the player holds anything; if not, nobody need be missed.
    """

    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds
        self._sensed: float | None = None
        """When anything came last, of a source that has promised to go on sending; None if none has."""
        self._played: float | None = None

    def senses(self, now: float, *, promised: bool = False) -> None:
        """Take in that anything came from the source; `promised`: it was active sensing."""
        gone = self._sensed is None or now - self._sensed > SENSING_SECONDS
        self._sensed = now if promised or not gone else None

    def plays(self, now: float) -> None:
        """Take in that the player has done something."""
        self._played = now

    @property
    def sensing_ends(self) -> float | None:
        """When the source is gone unless something comes; None if it has promised nothing."""
        return self._sensed + SENSING_SECONDS if self._sensed is not None and self._holds() else None

    def ends(self, release_after: float) -> float | None:
        """Return when the player is to be taken for gone: also after `release_after` seconds of silence, if not 0."""
        silent = self._played + release_after if release_after and self._played is not None else None
        if silent is None:
            return self.sensing_ends
        return earliest(silent, self.sensing_ends) if self._holds() else None

    def is_lost(self, now: float) -> bool:
        """Say whether the source is gone by `now`."""
        ends = self.sensing_ends
        return ends is not None and ends <= now

    def forget(self) -> None:
        """Wait for nothing until something comes again."""
        self._sensed = self._played = None


class Presences:
    """The players at all inputs, counted from 0.

    :param holds: says whether anything is held on an input.
    """

    def __init__(self, holds: Callable[[int], bool]) -> None:
        self._holds = holds
        self._all: list[Presence] = []
        self.at(0)

    def at(self, number: int) -> Presence:
        """Return who plays at an input."""
        while number >= len(self._all):
            self._all.append(Presence(partial(self._holds, len(self._all))))
        return self._all[number]

    @property
    def sensing_ends(self) -> float | None:
        """When a source is gone unless something comes; None if none has promised anything."""
        return earliest(*(presence.sensing_ends for presence in self._all))

    @property
    def promised(self) -> list[int]:
        """The inputs whose sources have promised to go on sending."""
        return [number for number, presence in enumerate(self._all) if presence.sensing_ends is not None]

    def ends(self, release_after: float) -> float | None:
        """Return when the first of the inputs counts as gone if nothing more comes from it."""
        if len(self._all) == 1:
            return self._all[0].ends(release_after)
        return earliest(*(presence.ends(release_after) for presence in self._all))

    def leaves_by(self, now: float, release_after: float) -> int | None:
        """Return an input whose player is gone by `now`, None if there is none; one whose source is lost comes last."""
        ends = [(number, each, each.ends(release_after)) for number, each in enumerate(self._all)]
        leaving = [(each.is_lost(now), number) for number, each, end in ends if end is not None and end <= now]
        return min(leaving)[1] if leaving else None

    def forget(self) -> None:
        """Wait for nothing until something comes again."""
        for presence in self._all:
            presence.forget()
