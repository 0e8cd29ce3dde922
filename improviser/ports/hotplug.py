"""Ports that an engine has opened by name, on a system that does not tell of devices that come and go: looked after."""

from improviser.core.addresses.port_choice import VIRTUAL
from improviser.executors import SerialExecutor
from improviser.ports.interface import LOOPBACK
from improviser.ports.survey import ports_present


class NamedPorts:
    """Remembers which of a session's ports are unplugged."""

    def __init__(self) -> None:
        self._unplugged: set[str] = set()
        self._looking = SerialExecutor("named ports")
        """One thread for all looks: CoreMIDI tells of changes the one that has looked first, and no other."""

    async def look(self, api: str, input_name: str, output_name: str) -> tuple[tuple[str, ...], bool]:
        """Look at open ports; return the inputs that are gone since the last look, and whether one is back."""
        if api == LOOPBACK or {input_name, output_name} == {VIRTUAL}:
            return (), False
        hears, plays = await self._looking.call(ports_present, api, input_name, output_name)
        gone = {name for name, there in ((input_name, hears), (output_name, plays)) if not there}
        lost = (input_name,) if input_name in gone - self._unplugged else ()
        back = self._unplugged - gone
        self._unplugged = gone
        return lost, bool(back)
