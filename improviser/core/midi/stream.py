"""A stream of bytes, as it comes over a wire, cut into complete MIDI messages (MIDI 1.0, pages 4-6 and appendix A).

Whatever comes in, nothing is raised, and what is not valid costs no message that is: data bytes that belong to no
status, statuses that MIDI 1.0 does not define, and messages that another status cuts short, are left out. SysEx is
left out, too, and kept nowhere: any status but a real-time one ends it.
"""

from collections.abc import Iterable

CHANNEL_DATA = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
"""How many data bytes follow the status of a channel message, by its upper four bits."""
COMMON_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
"""How many data bytes follow the status of a system common message that is defined (and no SysEx)."""
REAL_TIME = {0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF}
"""The real-time messages that are defined: one byte each, and they may stand in the middle of any other."""
FIRST_STATUS, FIRST_SYSTEM, FIRST_REAL_TIME = 0x80, 0xF0, 0xF8


def length_of(status: int) -> int | None:
    """Return how many bytes a message of this status has, itself included; None for SysEx and what is no message."""
    if status in REAL_TIME:
        return 1
    data = CHANNEL_DATA.get(status & 0xF0, COMMON_DATA.get(status))
    return None if data is None else 1 + data


def is_message(data: bytes) -> bool:
    """Say whether bytes are one channel message with two data bytes, such as a note, and nothing else."""
    return len(data) == 3 and CHANNEL_DATA.get(data[0] & 0xF0) == 2 and data[1] < FIRST_STATUS > data[2]


class MidiStream:
    """Reads one wire: bytes in, in pieces of any size; complete messages out.

    Each message that comes out begins with its status (also where the wire used running status), has exactly the
    length of its kind, and data bytes 0-127.
    """

    def __init__(self) -> None:
        self._message = bytearray()
        """The message that has begun, or the status that still runs; empty where data bytes belong to nothing."""
        self._length = 0

    def feed(self, data: Iterable[int]) -> list[bytes]:
        """Take in bytes (0-255); return the messages that they complete, in order."""
        messages: list[bytes] = []
        for byte in data:
            if byte >= FIRST_REAL_TIME:
                if byte in REAL_TIME:
                    messages.append(bytes((byte,)))
                continue
            if byte >= FIRST_STATUS:
                self._begin(byte)
            elif self._message:
                self._message.append(byte)
            else:
                continue
            if self._message and len(self._message) == self._length:
                messages.append(bytes(self._message))
                self._go_on()
        return messages

    def _begin(self, status: int) -> None:
        """Take in a status: whatever had begun is over."""
        self._message.clear()
        self._length = length_of(status) or 0
        if self._length:
            self._message.append(status)

    def _go_on(self) -> None:
        """Keep the status of a channel message, which runs on; that of a system message does not."""
        if self._message[0] < FIRST_SYSTEM:
            del self._message[1:]
        else:
            self._message.clear()
