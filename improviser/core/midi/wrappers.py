"""Finds the MIDI file in what it comes wrapped in: RIFF (`.rmi`), a MacBinary header, stray bytes before its header."""

from improviser.core.midi.repairs import Repairs

HEADER = b"MThd"
MAC_HEADER_SIZE = 128
MOST_STRAY_BYTES = 4096
"""Before a header; a letter that speaks of one further down is no MIDI file."""


def unwrapped(data: bytes, repairs: Repairs) -> bytes:
    """Return the bytes from the MIDI file's header on; what is no MIDI file is returned as it is.

    RIFF is a standard (RP-029), so there is nothing to say of it; of all else there is.
    """
    if not data.startswith(HEADER) and _is_mac_binary(data):
        repairs.add("wrapper", "a MacBinary header stands before it; passed over")
        data = _data_fork(data)
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        return _riff_data(data, repairs)
    place = data.find(HEADER, 0, MOST_STRAY_BYTES + len(HEADER))
    if place > 0:
        repairs.add("stray", f"{_bytes(place)} before its header; passed over")
        return data[place:]
    return data


def _is_mac_binary(data: bytes) -> bool:
    """Say whether there is a header of MacBinary I–III: its fixed zeros, and a name of 1–63 bytes."""
    return len(data) > MAC_HEADER_SIZE and data[0] == data[74] == data[82] == 0 and 1 <= data[1] <= 63


def _data_fork(data: bytes) -> bytes:
    """Return the file itself, without the resource fork behind it if the header says how long it is.

    Each part takes a multiple of 128 bytes; a second header may follow the first.
    """
    second = int.from_bytes(data[120:122])
    start = MAC_HEADER_SIZE + -(-second // MAC_HEADER_SIZE) * MAC_HEADER_SIZE
    if not data[start:].startswith((HEADER, b"RIFF")):
        start = MAC_HEADER_SIZE
    size = int.from_bytes(data[83:87])
    whole = 0 < size <= len(data) - start
    return data[start : start + size] if whole else data[start:]


def _riff_data(data: bytes, repairs: Repairs) -> bytes:
    """Return what is in the chunk `data`, wherever it stands; chunks of odd size are padded, by most programs."""
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"data":
            start = position + 8
            if data.startswith(HEADER, start):
                if size == 0 or start + size > len(data):
                    repairs.add("riff", "its RIFF wrapper says a wrong length; read to the file's end")
                    return data[start:]
                return data[start : start + size]
        position += 8 + size
        if size % 2 and not (data[position : position + 1].isalpha() and data[position : position + 4].isalnum()):
            position += 1
    place = data.find(HEADER)
    if place >= 0:
        repairs.add("riff", "its RIFF wrapper is damaged; read from the MIDI file's header on")
        return data[place:]
    return data


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count:,} bytes"
