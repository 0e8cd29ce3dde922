"""MPE: which channels are members of a zone, and what becomes of the tenth."""

from pathlib import Path

import mido
import numpy as np
import pytest

from improviser.core.midi.mpe import Zones
from improviser.core.midi.smf import parse
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.library.catalogue import load_model
from improviser.midifile import read_midi, remarks_on, write_midi
from improviser.recordings.rendering import render
from improviser.session.players import FilePlayer
from tests.odd_midi import END, chunks, configuration, notes

ALL = b"".join(notes([60 + channel], channel) for channel in range(1, 16))


def members(zones: Zones, tick: int = 0) -> list[int]:
    return [channel for channel in range(16) if zones.holds(channel, tick)]


@pytest.mark.parametrize(
    ("configurations", "wanted"),
    [
        ([], []),
        ([(0, 0, 15)], list(range(1, 16))),
        ([(0, 0, 8)], list(range(1, 9))),
        ([(0, 15, 5)], list(range(10, 15))),
        ([(0, 15, 6)], list(range(9, 15))),
        ([(0, 0, 7), (0, 15, 7)], list(range(1, 15))),
        ([(0, 0, 10), (0, 15, 10)], [*range(1, 5), *range(5, 15)]),
        ([(0, 15, 10), (0, 0, 10)], [*range(1, 11), *range(11, 15)]),
        ([(0, 15, 3), (0, 0, 15)], list(range(1, 16))),
        ([(0, 0, 15), (0, 0, 0)], []),
        ([(0, 0, 4), (0, 15, 4), (0, 0, 0)], list(range(11, 15))),
    ],
)
def test_members(configurations: list[tuple[int, int, int]], wanted: list[int]) -> None:
    assert members(Zones.configured(configurations)) == wanted


def test_a_zone_begins_and_ends_in_time() -> None:
    zones = Zones.configured([(960, 0, 0), (480, 0, 15)])
    assert [bool(members(zones, tick)) for tick in (0, 479, 480, 959, 960, 2000)] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]


def read(tmp_path: Path, *tracks: bytes) -> tuple[int, int]:
    path = tmp_path / "a.mid"
    path.write_bytes(chunks(*tracks))
    piece = read_midi(path)
    assert piece.repairs == ()
    assert bool(remarks_on(path, piece)) == (piece.drums > 0)
    return len(piece.notes), piece.drums


@pytest.mark.parametrize(
    ("tracks", "wanted"),
    [
        ((ALL + END,), (14, 1)),
        ((configuration(15) + ALL + END,), (15, 0)),
        ((configuration(15) + END, ALL + END), (15, 0)),
        ((configuration(8) + ALL + END,), (14, 1)),
        ((configuration(6, 15) + ALL + END,), (15, 0)),
        ((configuration(5, 15) + ALL + END,), (14, 1)),
        ((configuration(15) + ALL + configuration(0) + ALL + END,), (29, 1)),
        ((configuration(16) + ALL + END,), (14, 1)),
        ((configuration(15, 3) + ALL + END,), (14, 1)),
        ((b"\x00\xb0\x65\x00\x00\x64\x06\x00\x63\x01\x00\x06\x0f" + ALL + END,), (14, 1)),
        ((b"\x00\xb0\x65\x00\x00\x64\x00\x00\x06\x0f" + ALL + END,), (14, 1)),
        ((b"\x00\xb0\x64\x06\x00\x65\x00\x00\x26\x00\x00\x06\x0f" + ALL + END,), (15, 0)),
    ],
    ids=[
        *("none", "all", "in another track", "too small", "upper", "upper too small", "reset", "impossible"),
        *("no manager", "NRPN between", "another parameter", "fine first"),
    ],
)
def test_the_tenth_channel_is_no_drum_where_it_is_a_member(
    tmp_path: Path, tracks: tuple[bytes, ...], wanted: tuple[int, int]
) -> None:
    assert read(tmp_path, *tracks) == wanted


def test_its_answers_become_no_drums(tmp_path: Path) -> None:
    """What is written and what is played has no zones: there, the tenth channel would be drums."""
    path = tmp_path / "a.mid"
    path.write_bytes(chunks(configuration(15) + ALL + END))
    piece = read_midi(path)
    assert DRUM_CHANNEL in {timed.channel for timed in piece.notes}
    for with_input, count in ((False, 15), (True, 30)):
        answered = render(
            piece, load_model("echo"), temperature=0.7, rng=np.random.default_rng(1), with_input=with_input
        )
        write_midi(tmp_path / "out.mid", answered)
        assert (len(read_midi(tmp_path / "out.mid").notes), read_midi(tmp_path / "out.mid").drums) == (count, 0)
    played = FilePlayer(path)._messages
    assert sum(message[0] & 0xF0 == 0x90 for _, message in played) == 15
    assert DRUM_CHANNEL not in {message[0] & 0xF for _, message in played}
    assert parse(path.read_bytes()).zones.holds(DRUM_CHANNEL, 0)
    assert len(mido.MidiFile(path).tracks) == 1
