"""MPE (MIDI Polyphonic Expression 1.0): which channels belong to zones, and in a file, when.

A zone is configured by registered parameter 6 on its manager channel: the first (lower zone) or the last (upper zone);
its value is how many channels next to the manager's are members, 0 for none. A member channel plays notes, also the
tenth, which without MPE is the drums'.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

LOWER_MANAGER, UPPER_MANAGER = 0, 15
MOST_MEMBERS = 15
BOTH_MEMBERS = 14
"""Member channels that two zones share."""
DATA_ENTRY, NRPN_FINE, NRPN_COARSE, RPN_FINE, RPN_COARSE = 6, 98, 99, 100, 101
CONTROLS = frozenset((DATA_ENTRY, NRPN_FINE, NRPN_COARSE, RPN_FINE, RPN_COARSE))
CONFIGURATION = (0, 6)
UNSELECTED = (127, 127)


class ConfigurationReader:
    """Finds the configurations of zones among the control changes of one track."""

    def __init__(self) -> None:
        self._selected = {LOWER_MANAGER: UNSELECTED, UPPER_MANAGER: UNSELECTED}

    def read(self, channel: int, control: int, value: int) -> int | None:
        """Take a control change of a manager channel; return the number of members if it configures the zone."""
        coarse, fine = self._selected[channel]
        if control == RPN_COARSE:
            self._selected[channel] = value, fine
        elif control == RPN_FINE:
            self._selected[channel] = coarse, value
        elif control in (NRPN_COARSE, NRPN_FINE):
            self._selected[channel] = UNSELECTED
        elif control == DATA_ENTRY and (coarse, fine) == CONFIGURATION and value <= MOST_MEMBERS:
            return value
        return None


@dataclass(frozen=True, slots=True)
class Layout:
    """The zones at one moment: how many members the lower and the upper one have, 0 for no zone."""

    lower: int = 0
    upper: int = 0

    def configured(self, manager: int, members: int) -> "Layout":
        """Return what a configuration makes of them; a new zone takes channels from the other."""
        left = max(0, BOTH_MEMBERS - members) if members else MOST_MEMBERS
        if manager == LOWER_MANAGER:
            return Layout(members, min(self.upper, left))
        return Layout(min(self.lower, left), members)

    def has_member(self, channel: int) -> bool:
        """Say whether a channel, 0-15, is a member of a zone."""
        return self.manager_of(channel) not in (None, channel)

    def manager_of(self, channel: int) -> int | None:
        """Return the manager channel of the zone that a channel, 0-15, is part of; None if it is outside of zones."""
        if self.lower and channel <= self.lower:
            return LOWER_MANAGER
        return UPPER_MANAGER if self.upper and channel >= UPPER_MANAGER - self.upper else None


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of a file over time.

    :param steps: (tick, the zones from there on), by tick.
    """

    steps: tuple[tuple[int, Layout], ...] = ()

    @classmethod
    def configured(cls, configurations: Iterable[tuple[int, int, int]]) -> "Zones":
        """Return the zones that (tick, manager channel, members) make."""
        layout = Layout()
        steps: dict[int, tuple[int, Layout]] = {}
        for tick, manager, members in sorted(configurations, key=lambda one: one[0]):
            layout = layout.configured(manager, members)
            steps[tick] = tick, layout
        return cls(tuple(steps.values()))

    def holds(self, channel: int, tick: int) -> bool:
        """Say whether `channel` (0–15) is a member of a zone at `tick`."""
        step = bisect_right(self.steps, tick, key=lambda one: one[0]) - 1
        return step >= 0 and self.steps[step][1].has_member(channel)
