"""Ports that an engine has opened by name, on a system that does not tell of devices that come and go: looked after."""

from collections.abc import Sequence
from dataclasses import dataclass

from improviser.core.addresses.port_choice import ABSENT, AUTO, VIRTUAL, pick, without_client_number
from improviser.errors import PortError
from improviser.executors import SerialExecutor
from improviser.ports.interface import LOOPBACK
from improviser.ports.survey import ports_there


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed since the last look.

    :param inputs, outputs: those that are gone, each with its number, counted from 0.
    :param back: whether one is there that was not.
    """

    inputs: tuple[tuple[int, str], ...] = ()
    outputs: tuple[tuple[int, str], ...] = ()
    back: bool = False


class NamedPorts:
    """Remembers which of a session's ports are unplugged.

    :param inputs, outputs: what was chosen for each.
    """

    def __init__(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self._inputs = _Side(inputs, "input")
        self._outputs = _Side(outputs, "output")
        self._looking = SerialExecutor("named ports")
        """One thread for all looks: CoreMIDI tells of changes the one that has looked first, and no other."""

    async def look(self, api: str, inputs: Sequence[str], outputs: Sequence[str]) -> Changes:
        """Look at the ports that are open, or `ABSENT`; return what has changed."""
        if api == LOOPBACK or {*inputs, *outputs} == {VIRTUAL}:
            return Changes()
        there = await self._looking.call(ports_there, api)
        (hears, input_back), (plays, output_back) = (
            side.look(names, present)
            for side, names, present in zip((self._inputs, self._outputs), (inputs, outputs), there, strict=True)
        )
        return Changes(hears, plays, input_back or output_back)


class _Side:
    """The inputs or the outputs."""

    def __init__(self, choices: Sequence[str], direction: str) -> None:
        self._choices = choices
        self._direction = direction
        self._unplugged: set[int] = set()

    def look(self, names: Sequence[str], present: Sequence[str]) -> tuple[tuple[tuple[int, str], ...], bool]:
        """Return which are gone since the last look, and whether one is back, or there at last."""
        # ALSA's client numbers, at the end of a name, may be others after a device was plugged in again.
        there = {without_client_number(name) for name in present}
        opened = {number: name for number, name in enumerate(names) if name not in (VIRTUAL, ABSENT)}
        gone = {number for number, name in opened.items() if without_client_number(name) not in there}
        lost = tuple((number, names[number]) for number in sorted(gone - self._unplugged))
        back = bool(self._unplugged - gone) or any(
            name == ABSENT and self._can_open(self._choices[number], present, set(opened.values()))
            for number, name in enumerate(names)
        )
        self._unplugged = gone
        return lost, back

    def _can_open(self, choice: str, present: Sequence[str], taken: set[str]) -> bool:
        try:
            return choice != AUTO and pick(choice, present, [], self._direction, taken) is not None
        except PortError:
            return False
