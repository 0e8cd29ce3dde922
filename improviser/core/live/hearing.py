"""What a raw MIDI message says to a performer: the one way in, for the engine and for `improviser.Performer`."""

from collections.abc import Iterator, Sequence

from improviser.core.live.performer import Performer
from improviser.core.midi.codec import ACTIVE_SENSING, decode, decode_transport
from improviser.core.midi.event import Event, Tick, Transport
from improviser.core.midi.stream import MidiStream, is_message


def messages_of(data: bytes) -> list[bytes]:
    """Return the complete messages in bytes that came in together; what is no message is left out."""
    if is_message(data):  # as nearly all are
        return [data]
    return MidiStream().feed(data)


def heeds_clock(performer: Performer) -> bool:
    """Say whether a MIDI clock matters to what is played."""
    return performer.parameters.quantise != "off"


def understand(message: Sequence[int], performer: Performer, now: float, number: int = 0) -> Event | Transport | None:
    """Tell `performer` that a message came at `now` on input `number`; return what is to be heard in it, if anything.

    Of active sensing nobody else need know: what counts is when it ends.
    """
    sensing = len(message) == 1 and message[0] == ACTIVE_SENSING
    performer.sense(now, number, promised=sensing)
    if sensing:
        return None
    event = decode_transport(message) or decode(message)
    return None if isinstance(event, Tick) and not heeds_clock(performer) else event


def moments_due(performer: Performer, now: float, patience: float) -> Iterator[float]:
    """Yield the moments until `now` at which something is due, each its own time; `advance` to it before the next.

    What is due for longer than `patience` seconds (the machine slept) is taken up at `now`.
    """
    while (due := performer.deadline) is not None and due <= now:
        yield due if now - due <= patience else now
