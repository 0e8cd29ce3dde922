"""What the engine asks of an open input and output, whichever MIDI system they are on; and a pair without any."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LOOPBACK = "loopback"
JACK_APIS = ("jack", "jack-rtmidi")
"""JACK by our own client, and through RtMidi."""

Listener = Callable[[bytes, float, int], None]
"""Takes a raw message, how many seconds ago it came in by the stamp of its system (0 if it has none), and the number of
its input, counted from 0."""


class Answered(Protocol):
    """What the listener's side does when all is answered."""

    def __call__(self, *, heard: bool, again: bool = False) -> None:
        """Take that in.

        :param heard: whether there was anything.
        :param again: whether this is called in each of the system's periods, whatever comes in.
        """


@dataclass(frozen=True, slots=True)
class Receipts:
    """What a system that may lose messages tells of those that were sent; its threads append, the engine takes.

    :param left: how many messages have left together, and when (`time.perf_counter`).
    :param doubts: when it was noticed that what had left shortly before may be lost.
    """

    left: deque[tuple[int, float]] = field(default_factory=deque)
    doubts: deque[float] = field(default_factory=deque)


class Ports(Protocol):
    """Open inputs and outputs; what is sent is sent to all outputs."""

    api: str
    inputs: Sequence[str]
    """What each is connected to, `port_choice.ABSENT` if that is not there yet."""
    outputs: Sequence[str]
    client: str
    """The name of our client where the system gives it one, else empty."""
    remarks: Sequence[str]
    """What the user should know of the choice of ports, each in one line."""
    receipts: Receipts | None
    """None where what is sent is sure to arrive, or nothing is known of it."""

    def listen(self, listener: Listener, answered: Answered) -> None:
        """Call `listener` with every message that comes in, from a thread of the backend's own; SysEx stays out.

        Call `answered` when what was sent to those that came in together has left: time for all else.
        """

    def heed_clock(self, *, heed: bool) -> None:
        """Let MIDI clock in, or keep it out (as it is at first)."""

    def send(self, message: bytes) -> None:
        """Send a raw message."""

    def hand_over(self) -> None:
        """Wait until the listener has all that came in together with what it may just be told; that takes no time."""

    @property
    def lost(self) -> bool:
        """Whether the system is known to have gone."""

    @property
    def loses(self) -> bool:
        """Whether the system is known to lose messages now and then."""

    @property
    def hurried(self) -> bool:
        """Whether others would be late if another message were answered in the backend's thread now."""

    @property
    def mute(self) -> bool:
        """Whether the system has silently ceased to serve us."""

    def close(self) -> None:
        """Close both; what was sent has left, as far as the system lets us know."""


class LoopbackPorts:
    """Ports without a MIDI system: what goes in comes from the daemon, what goes out is what the engine reports."""

    lost = loses = hurried = mute = False

    def __init__(self) -> None:
        self.api = LOOPBACK
        self.inputs: Sequence[str] = [LOOPBACK]
        self.outputs: Sequence[str] = [LOOPBACK]
        self.client = ""
        self.remarks: Sequence[str] = ()
        self.receipts: Receipts | None = None

    def listen(self, listener: Listener, answered: Answered) -> None:
        """Nothing comes in but what the daemon sends as commands."""

    def heed_clock(self, *, heed: bool) -> None:
        """Nothing comes in by itself."""

    def send(self, message: bytes) -> None:
        """Do nothing: the engine reports what it played."""

    def hand_over(self) -> None:
        """Nothing comes in by itself."""

    def close(self) -> None:
        """Nothing is open."""
