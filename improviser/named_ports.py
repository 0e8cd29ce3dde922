"""Ports that an engine has opened by name, on a system that does not tell of devices that come and go: looked after."""

import asyncio

from improviser.core.addresses.port_choice import VIRTUAL
from improviser.midi import ports_present
from improviser.pipe import Ready
from improviser.ports import LOOPBACK


class NamedPorts:
    """Remembers which of a session's ports are unplugged."""

    def __init__(self) -> None:
        self._unplugged: set[str] = set()

    async def look(self, ready: Ready) -> tuple[tuple[str, ...], bool]:
        """Look at an engine's ports; return the inputs that are gone since the last look, and whether one is back."""
        if ready.api == LOOPBACK or {ready.input, ready.output} == {VIRTUAL}:
            return (), False
        hears, plays = await asyncio.to_thread(ports_present, ready.api, ready.input, ready.output)
        gone = {name for name, there in ((ready.input, hears), (ready.output, plays)) if not there}
        lost = (ready.input,) if ready.input in gone - self._unplugged else ()
        back = self._unplugged - gone
        self._unplugged = gone
        return lost, bool(back)
