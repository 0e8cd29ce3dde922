"""A player and listener in one, on real MIDI ports: how long from a note sent to the note that comes back.

A process of its own, as another program would be: `python -m improviser.ports.round_trip API CLIENT NOTES GAP_SECONDS`.
It plays to the ports of CLIENT and hears what they play; with CLIENT `-` its output goes straight into its own input,
which shows what the way alone takes. It prints one line of JSON: the seconds each note took, and how many never came
back.
"""

import json
import random
import sys
import threading
import time
from typing import Any

from improviser.ports.rtmidi_backend import backends_for, quiet

LOST_SECONDS = 1.0
ITSELF = "-"
WARM_UP = 20
"""Notes before those that count."""


class Wire:
    """Two ports of our own, connected to the peer's, or to each other."""

    def __init__(self, api: str, client: str) -> None:
        import rtmidi

        (backend,) = backends_for(api)
        constant = getattr(rtmidi, backend.constant)
        name = f"improviser-wire-{random.getrandbits(32):08x}"
        self._arrived = threading.Event()
        self._at = 0.0
        with quiet():
            self._in: Any = rtmidi.MidiIn(constant, f"{name}-in")
            self._out: Any = rtmidi.MidiOut(constant, f"{name}-out")
            if client == ITSELF:
                self._in.open_virtual_port("in")
                self._out.open_port(_find(self._out, f"{name}-in"), "out")
            else:
                self._in.open_port(_find(self._in, client), "in")
                self._out.open_port(_find(self._out, client), "out")
        self._in.set_callback(self._hear)

    def _hear(self, timed: tuple[list[int], float], _: object) -> None:
        if timed[0][0] & 0xF0 == 0x90:
            self._at = time.perf_counter()
            self._arrived.set()

    def time(self, pitch: int, hold_seconds: float) -> float | None:
        """Play a note; return how many seconds later one came back, None if none did."""
        self._arrived.clear()
        sent = time.perf_counter()
        self._out.send_message((0x90, pitch, 80))
        came = self._arrived.wait(LOST_SECONDS)
        time.sleep(hold_seconds)
        self._out.send_message((0x80, pitch, 64))
        return self._at - sent if came else None

    def close(self) -> None:
        """Close both ports."""
        for port in (self._in, self._out):
            port.close_port()
            port.delete()


def _find(port: Any, client: str) -> int:
    """Return the number of the first port of a client whose name begins so."""
    for number, name in enumerate(port.get_ports()):
        if name.startswith(client):
            return number
    raise SystemExit(f"there is no port of {client}")


def main() -> None:
    """Play, and print what was measured."""
    api, client, notes, gap = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    wire = Wire(api, client)
    times = []
    for number in range(WARM_UP + notes):
        pause = gap * random.uniform(2 / 3, 4 / 3)  # noqa: S311
        times.append(wire.time(60 + number * 7 % 24, pause / 2))
        time.sleep(pause / 2)
    wire.close()
    came = [seconds for seconds in times[WARM_UP:] if seconds is not None]
    print(json.dumps({"seconds": came, "lost": notes - len(came)}))


if __name__ == "__main__":
    main()
