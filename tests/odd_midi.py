"""MIDI files as people have them, byte by byte: whole ones, and ones that are wrong in one way."""

import random
import re
from collections.abc import Sequence

END = b"\x00\xff\x2f\x00"
CONDUCTOR = b"\x00\xff\x51\x03\x07\xa1\x20"
EIGHTH = b"\x81\x70"
"""240 ticks."""


def header(count: int, *, kind: int = 1, division: int = 480) -> bytes:
    """Return a header that counts so many tracks."""
    return b"MThd" + (6).to_bytes(4) + kind.to_bytes(2) + count.to_bytes(2) + division.to_bytes(2)


def chunk(content: bytes, more: int = 0) -> bytes:
    """Return a track's chunk that claims `more` bytes more than there are."""
    return b"MTrk" + (len(content) + more).to_bytes(4) + content


def notes(pitches: Sequence[int], channel: int = 0) -> bytes:
    """Return eighth notes, without an End of Track."""
    return b"".join(
        bytes([0, 0x90 | channel, pitch, 80]) + EIGHTH + bytes([0x80 | channel, pitch, 64]) for pitch in pitches
    )


def chunks(*contents: bytes) -> bytes:
    """Return a file of these tracks."""
    return header(len(contents)) + b"".join(map(chunk, contents))


TUNE = (60, 62, 64, 65, 67, 69, 71, 72)
SECOND = tuple(pitch - 24 for pitch in TUNE)
WHOLE = chunks(CONDUCTOR + END, notes(TUNE) + END, notes(SECOND, 1) + END)
"""A file that is right: a conductor's track, and two of eight notes each."""
FIRST, OTHER = notes(TUNE) + END, notes(SECOND, 1) + END


def configuration(members: int, manager: int = 0) -> bytes:
    """Return the message that makes a zone of MPE: registered parameter 6."""
    return b"".join(bytes([0, 0xB0 | manager, control, value]) for control, value in ((101, 0), (100, 6), (6, members)))


def mac_binary(data: bytes, *, fork: int | None = None, resources: bytes = b"", second: int = 0) -> bytes:
    """Return a file as a Macintosh archived it; `fork` is the length that its header claims."""
    fork = len(data) if fork is None else fork
    top = bytearray(128)
    top[1:10] = b"\x08tune.mid"
    top[83:87], top[87:91], top[120:122] = fork.to_bytes(4), len(resources).to_bytes(4), second.to_bytes(2)
    parts = (bytes(top), bytes(second), data, resources)
    return b"".join(part + bytes(-len(part) % 128) for part in parts if part)


def riff(*parts: tuple[bytes, bytes], padded: bool = True) -> bytes:
    """Return a RIFF file of type RMID of these chunks."""
    body = b"RMID" + b"".join(
        name + len(data).to_bytes(4, "little") + data + (b"\0" if padded and len(data) % 2 else b"")
        for name, data in parts
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def conductor(count: int = 3) -> bytes:
    """Return the beginning of a file: a header that counts so many tracks, and the first of them."""
    return header(count) + chunk(CONDUCTOR + END)


# What is wrong with a file that holds the notes of WHOLE all the same, and words of what is said about it.
REPAIRED: dict[str, tuple[bytes, str]] = {
    "last length too long": (
        conductor() + chunk(FIRST) + chunk(OTHER, 4),
        "track 3 claims 4 bytes more than there",
    ),
    "last length endless": (
        conductor() + chunk(FIRST) + chunk(OTHER, 2**31),
        "track 3 claims 2,147,483,648 bytes",
    ),
    "length into the next track": (
        conductor() + chunk(FIRST, 9) + chunk(OTHER),
        "track 2 claims 9 bytes more",
    ),
    "length into the next header": (conductor() + chunk(FIRST, 3) + chunk(OTHER), "track 2 claims 3 bytes more"),
    "length over the next track": (
        conductor() + chunk(FIRST, len(chunk(OTHER))) + chunk(OTHER),
        f"track 2 claims {len(chunk(OTHER))} bytes more than it has",
    ),
    "length beyond the file, tracks follow": (
        conductor() + chunk(FIRST, 5000) + chunk(OTHER),
        "track 2 claims 5,000 bytes more than there are",
    ),
    "length too short": (conductor() + chunk(FIRST, -7) + chunk(OTHER), "track 2 claims 7 bytes less than it has"),
    "length too short by a message": (conductor() + chunk(FIRST, -4) + chunk(OTHER), "track 2 claims 4 bytes less"),
    "last length too short": (
        conductor() + chunk(FIRST) + chunk(OTHER, -10),
        "track 3 claims 10 bytes less",
    ),
    "length zero": (conductor() + chunk(FIRST, -len(FIRST)) + chunk(OTHER), "track 2 claims"),
    "all lengths zero": (
        header(3) + b"".join(chunk(each, -len(each)) for each in (CONDUCTOR + END, FIRST, OTHER)),
        "(and 2 more of the kind)",
    ),
    "no end and a wrong length": (
        conductor() + chunk(notes(TUNE), 40) + chunk(OTHER),
        "track 2 has no End of Track, and its length is wrong",
    ),
    "no end": (conductor() + chunk(notes(TUNE)) + chunk(OTHER), "track 2 has no End of Track"),
    "bytes behind the end": (
        conductor() + chunk(FIRST + b"\x00\x90\x3c\x50") + chunk(OTHER),
        "track 2 has 4 bytes behind its End of Track; left out",
    ),
    "bytes between tracks": (conductor() + chunk(FIRST) + b"\r\n" + chunk(OTHER), "track 2 has 2 bytes behind"),
    "one track too few": (b"".join([conductor(2), chunk(FIRST), chunk(OTHER)]), "header counts 2 tracks, there are 3"),
    "no track counted": (b"".join([conductor(0), chunk(FIRST), chunk(OTHER)]), "header counts 0 tracks, there are 3"),
    "tracks too many": (b"".join([conductor(9), chunk(FIRST), chunk(OTHER)]), "header counts 9 tracks, there are 3"),
    "a further track that cannot be read": (
        conductor() + chunk(FIRST) + chunk(OTHER) + chunk(b"\x00\x3c\x40" + END),
        "a further track, which its header does not count, is broken in track 4",
    ),
    "a further track that is cut": (
        conductor() + chunk(FIRST) + chunk(OTHER) + chunk(OTHER)[:-20],
        "a further track, which its header does not count, is cut short in track 4",
    ),
    "rest": (WHOLE + b"rubbish", "7 bytes behind its last track"),
    "controller": (chunks(CONDUCTOR + END, b"\x00\xb0\x07\xff" + FIRST, OTHER), "data byte above 127"),
    "controller number": (chunks(CONDUCTOR + END, b"\x00\xb0\xff\x07" + FIRST, OTHER), "data byte above 127"),
    "program": (chunks(CONDUCTOR + END, b"\x00\xc0\xff" + FIRST, OTHER), "data byte above 127"),
    "wheel": (chunks(CONDUCTOR + END, b"\x00\xe0\x80\x40" + FIRST, OTHER), "data byte above 127"),
    "pressure": (
        chunks(CONDUCTOR + END, b"\x00\xd0\xf0\x00\xa0\x3c\x80\x00\xa0\x80\x01" + FIRST, OTHER),
        "data byte above 127 that is not used here; passed over (and 2 more of the kind)",
    ),
    "no note of this number": (chunks(CONDUCTOR + END, b"\x00\x90\x80\x40\x00\x80\xff\x40" + FIRST, OTHER), "note 128"),
    "release velocity": (
        chunks(CONDUCTOR + END, FIRST.replace(b"\x80\x48\x40", b"\x80\x48\xf0"), OTHER),
        "of 240",
    ),
    "line end": (b"\r\n" + WHOLE, "2 bytes before its header"),
    "byte": (b"\0" + WHOLE, "1 byte before"),
    "much before it": (b"x" * 4096 + WHOLE, "4,096 bytes before its header"),
    "MacBinary": (mac_binary(WHOLE), "MacBinary"),
    "MacBinary without a length": (mac_binary(WHOLE, fork=0), "MacBinary"),
    "MacBinary with resources": (mac_binary(WHOLE, resources=b"MTrk\0\0\0\x04\0\x90\x3c"), "MacBinary"),
    "MacBinary with two headers": (mac_binary(WHOLE, second=200), "MacBinary"),
    "MacBinary around RIFF": (mac_binary(riff((b"data", WHOLE))), "MacBinary"),
    "RIFF with a wrong length": (
        riff((b"data", WHOLE)).replace(len(WHOLE).to_bytes(4, "little") + b"MThd", b"\xff\xff\xff\x7fMThd"),
        "RIFF",
    ),
    "RIFF with a broken chunk": (
        riff((b"LIST", b"")).replace(b"LIST\0\0", b"LIST\xff\xff") + b"data\0\0\0\0" + WHOLE,
        "RIFF",
    ),
}

# What is no fault: chunks and wrappers that the standards allow.
ALLOWED: dict[str, bytes] = {
    "whole": WHOLE,
    "long header": WHOLE[:4] + (8).to_bytes(4) + WHOLE[8:14] + b"\0\0" + WHOLE[14:],
    "other chunks": WHOLE[:14] + b"XFIH\0\0\0\x02ab" + WHOLE[14:] + b"XFKM\0\0\0\x01a",
    "MTrk in a text": chunks(CONDUCTOR + END, b"\x00\xff\x01\x04MTrk" + FIRST, OTHER),
    "padding behind it": WHOLE + bytes(99),
    "RIFF": riff((b"data", WHOLE)),
    "RIFF, data last": riff((b"LIST", b"INFOINAM\x03\0\0\0abc"), (b"DISP", b"\1\0\0\0odd.."), (b"data", WHOLE)),
    "RIFF, odd and padded": riff((b"DISP", b"odd"), (b"data", WHOLE), (b"LIST", b"INFO")),
    "RIFF, odd and not padded": riff((b"DISP", b"odd"), (b"data", WHOLE), padded=False),
}

# What nobody can read.
BROKEN: dict[str, tuple[bytes, str]] = {
    "cut in a track": (WHOLE[:-9], "is cut short in track 3"),
    "cut without its end": (WHOLE[: -len(END)], "is cut short in track 3"),
    "cut in a chunk's header": (WHOLE[: -len(OTHER) - 5], "is cut short: it holds 2 of its 3 tracks"),
    "cut and counted short": (conductor(2) + chunk(FIRST)[:-9], "is cut short in track 2"),
    "nothing but its header": (header(3), "is cut short: it holds 0 of its 3 tracks"),
    "far down": (b"x" * 5000 + WHOLE, "is not a MIDI file"),
    "MacBinary of another kind": (mac_binary(b"a message"), "is not a MIDI file"),
    "RIFF of nothing": (riff((b"LIST", b"abcd")), "is not a MIDI file"),
}

# What is damaged further, to see that nothing comes of it but a reading or a refusal.
SEEDS = (*REPAIRED.values(), *BROKEN.values(), *((data, "") for data in ALLOWED.values()))
# Bytes that mean something.
INTERESTING = (0, 1, 0x2F, 0x3C, 0x7F, 0x80, 0x90, 0xB0, 0xC0, 0xF0, 0xF7, 0xFF)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a file with a few bytes changed, cut, doubled or moved."""
    whole = bytearray(data[-3000:] if rng.random() < 0.1 else data)
    for _ in range(rng.randint(1, 8)):
        at, size = rng.randrange(len(whole) + 1), rng.randint(1, 12)
        kind = rng.randrange(6)
        if kind == 0:
            whole[at : at + 1] = bytes([rng.choice(INTERESTING)])
        elif kind == 1:
            del whole[at : at + size]
        elif kind == 2:
            whole[at:at] = rng.choice([b"MTrk", b"MThd", b"RIFF", END, rng.randbytes(size), whole[at : at + 40]])
        elif kind == 3:
            whole[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", rng.randbytes(4)])
        elif kind == 4 and whole:
            whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        else:
            places = [found.start() for found in re.finditer(b"MTrk", whole)]
            if places:
                place = rng.choice(places) + 4
                size = int.from_bytes(whole[place : place + 4]) + rng.randint(-40, 40)
                whole[place : place + 4] = (size % 2**32).to_bytes(4)
    return bytes(whole)
