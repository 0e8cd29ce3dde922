"""A player and listener in one, on real MIDI ports: how long from a note sent to the note that comes back.

A process of its own, as another program would be: `python -m improviser.ports.round_trip API CLIENT NOTES GAP_SECONDS`.
It plays to the ports of CLIENT and hears what they play; with CLIENT `-` its output goes straight into its own input,
which shows what the way alone takes. It prints a line for each note, and then one of JSON, a `Way`.

PipeWire's connections carry nothing for a while after they are made. So it begins with notes that count for nothing,
until one comes back.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from improviser.core.midi.codec import decode, encode
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.ports.backends import JACK, Backend, backends_for
from improviser.ports.interface import JACK_APIS
from improviser.ports.jack_client import JackPorts
from improviser.ports.jack_library import load_jack, share_library
from improviser.ports.polled_input import PolledInput
from improviser.ports.rtmidi_backend import open_input, quiet
from improviser.ports.rtmidi_library import load_rtmidi

LOST_SECONDS, MOST_LOST = 1.0, 10
"""How long a note is waited for, and how many in a row may be lost."""
CARRIED_SECONDS, TRY_SECONDS, STILL_SECONDS = 20.0, 0.3, 0.3
"""How long the first note that comes back is waited for, and each one before it, and how long none may come then."""
ITSELF = "-"
APPEARING_SECONDS, POLL_SECONDS = 10.0, 0.01
PITCH, VELOCITY = 60, 80
WARM_UP = 20
"""Notes before those that count."""


@dataclass(frozen=True, slots=True)
class Way:
    """What was measured.

    :param seconds: from sending a note to the note that came back, for each that did.
    :param lost: how many never came back.
    :param period_seconds: the same from the beginning of the period that the note left in; only on JACK.
    :param same_period: how many came back in the period that their notes had left in; None where nothing tells.
    """

    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    period_seconds: list[float] = field(default_factory=list)
    same_period: int | None = None


class RoundTrip(Protocol):
    """An output and an input of our own, connected to the peer's, or to each other."""

    left: tuple[bool, float] | None
    """Whether what came in last has come back in the period that it left in, and when that had begun."""

    def send(self, message: bytes) -> None:
        """Send a raw message."""

    def close(self) -> None:
        """Close both ports."""


Arrive = Callable[[bytes], None]


class OverRtMidi:
    """A round trip through RtMidi, which opens a client for each port."""

    left: tuple[bool, float] | None = None

    def __init__(self, backend: Backend, client: str, arrive: Arrive) -> None:
        rtmidi = load_rtmidi()
        name = own_name()
        with quiet():
            self._in: Any = open_input(rtmidi, backend, f"{name}-in")
            self._out: Any = rtmidi.MidiOut(getattr(rtmidi, backend.constant), f"{name}-out")
            if client == ITSELF:
                self._in.open_virtual_port("in")
                self._out.open_port(_find(self._out, f"{name}-in"), "out")
            else:
                self._in.open_port(_find(self._in, client), "in")
                self._out.open_port(_find(self._out, client), "out")
        self._polled = PolledInput(self._in, arrive) if backend.name in JACK_APIS else None
        if self._polled is None:
            self._in.set_callback(lambda timed, _: arrive(bytes(timed[0])))

    def send(self, message: bytes) -> None:
        """Send a raw message."""
        self._out.send_message(message)

    def close(self) -> None:
        """Close both ports."""
        if self._polled is not None:
            self._polled.close()
        for port in (self._out, self._in):
            port.close_port()
            port.delete()


class OverJack:
    """A round trip on JACK, with a client for each end, as a keyboard and a synthesiser are."""

    def __init__(self, client: str, arrive: Arrive) -> None:
        jack, name = load_jack(), own_name()
        self._keyboard, self._synth = JackPorts(jack, f"{name}-keys"), JackPorts(jack, f"{name}-synth")
        self.left: tuple[bool, float] | None = None

        def hear(message: bytes, _age: float, _input: int) -> None:
            self.left = self._keyboard.left_in == self._synth.period, self._keyboard.left_at
            arrive(message)

        self._synth.listen(hear)
        into, out_of = self._synth.own("in"), self._keyboard.own("out")
        if client == ITSELF:
            self._synth.connect(out_of, into)
        else:
            self._synth.connect(out_of, self._synth.find(client, "in"))
            self._synth.connect(self._synth.find(client, "out"), into)

    def send(self, message: bytes) -> None:
        """Send a raw message."""
        self._keyboard.send(message)

    def close(self) -> None:
        """Close both clients."""
        self._keyboard.close()
        self._synth.close()


def own_name() -> str:
    """Return a name for our clients that no other has."""
    return f"improviser-wire-{random.getrandbits(32):08x}"


def _find(port: Any, client: str) -> int:
    """Return the number of the first port of a client whose name begins so; PipeWire shows new ones after a while."""
    end = time.monotonic() + APPEARING_SECONDS
    while time.monotonic() < end:
        for number, name in enumerate(port.get_ports()):
            if name.startswith(client):
                return number
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"there is no port of {client}")


class Stopwatch:
    """Plays notes over a round trip, and times them."""

    def __init__(self, api: str, client: str) -> None:
        self._arrived = threading.Event()
        self._at = 0.0
        self._left: tuple[bool, float] | None = None
        (backend,) = backends_for(api)
        self._trip: RoundTrip = (
            OverJack(client, self._arrive) if api == JACK else OverRtMidi(backend, client, self._arrive)
        )

    def _arrive(self, message: bytes) -> None:
        if isinstance(decode(message), NoteOn):
            self._at = time.perf_counter()
            self._left = self._trip.left
            self._arrived.set()

    def time(self, pitch: int, hold_seconds: float) -> tuple[float, float, bool] | None:
        """Play a note; None if none came back.

        :return: how many seconds after it was sent one came back, and after its period began (on JACK, else 0); and
            whether in that period.
        """
        self._arrived.clear()
        sent = time.perf_counter()
        self._trip.send(encode(NoteOn(0, pitch, VELOCITY)))
        came = self._arrived.wait(LOST_SECONDS)
        time.sleep(hold_seconds)
        self._trip.send(encode(NoteOff(0, pitch)))
        same, began = self._left or (False, self._at)
        return (self._at - sent, self._at - began, same) if came else None

    def await_way(self) -> None:
        """Play until a note comes back, and then until all have.

        :raises SystemExit: if none does.
        """
        end = time.monotonic() + CARRIED_SECONDS
        self._arrived.clear()
        while not self._arrived.is_set():
            if time.monotonic() > end:
                raise SystemExit(f"no note came back within {CARRIED_SECONDS:g} s")
            self._trip.send(encode(NoteOn(0, PITCH, VELOCITY)))
            self._arrived.wait(TRY_SECONDS)
            self._trip.send(encode(NoteOff(0, PITCH)))
        while self._arrived.wait(STILL_SECONDS):
            self._arrived.clear()
            time.sleep(STILL_SECONDS)

    def close(self) -> None:
        """Close the ports."""
        self._trip.close()


def play(stopwatch: Stopwatch, notes: int, gap_seconds: float) -> list[tuple[float, float, bool] | None]:
    """Play notes, after some that do not count; say so on stdout of each. Return what became of them.

    :raises SystemExit: if notes do not come back any more.
    """
    times: list[tuple[float, float, bool] | None] = []
    for number in range(WARM_UP + notes):
        pause = gap_seconds * random.uniform(2 / 3, 4 / 3)  # noqa: S311
        times.append(stopwatch.time(60 + number * 7 % 24, pause / 2))
        time.sleep(pause / 2)
        print(number, flush=True)
        if times[-MOST_LOST:] == [None] * MOST_LOST:
            raise SystemExit("notes do not come back any more")
    return times[WARM_UP:]


def main() -> None:
    """Play, and print what was measured."""
    api, client, notes, gap = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    if api != JACK:
        share_library()
    stopwatch = Stopwatch(api, client)
    print("open", flush=True)
    stopwatch.await_way()
    came = [timed for timed in play(stopwatch, notes, gap) if timed is not None]
    way = Way([timed[0] for timed in came], notes - len(came))
    if api == JACK:
        way = Way(way.seconds, way.lost, [timed[1] for timed in came], sum(timed[2] for timed in came))
    print(json.dumps(asdict(way)), flush=True)
    stopwatch.close()  # last: whoever reads this does not wait for it


if __name__ == "__main__":
    main()
