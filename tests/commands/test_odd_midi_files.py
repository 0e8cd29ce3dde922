"""MIDI files as people have them, through every command that takes one: read, said in one line, or refused."""

import os
import shutil
from pathlib import Path

import pytest

from improviser.commands.notices import MOST_LINES
from improviser.midifile import MIDI_SUFFIXES, read_midi
from tests.command import CommandLine
from tests.odd_midi import END, REPAIRED, WHOLE, chunks, configuration, notes
from tests.playing import Player

SHORT = notes([60, 64]) + END
ODD = chunks(b"\x00\xb0\x07\xff" + notes(range(60, 72)) + b"\x00\x99\x24\x40\x60\x89\x24\x40" + END)
"""A controller above 127, and a drum."""
SAID = "track 1 has a message with a data byte above 127 that is not used here; passed over"
LINE = f"improviser: odd.mid: {SAID}; 1 drum note is left out"

COMMANDS = {
    "render": ("render", "odd.mid", "out.mid"),
    "evaluate": ("evaluate", "bach-melody", "odd.mid"),
    "train": ("train", "odd.mid", "-o", "a.safetensors", "--task", "echo", "--generations", 1, "--population", 9),
    "report": ("report", "odd.mid"),
    "picture": ("picture", "odd.mid", "-o", "out.svg"),
}


@pytest.fixture
def odd(improviser: CommandLine) -> Path:
    path = improviser.folder / "odd.mid"
    path.write_bytes(ODD)
    return path


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_what_is_repaired_is_said_in_one_line(improviser: CommandLine, command: tuple[object, ...]) -> None:
    done = improviser(*command)
    assert done.code == 0
    assert done.err.splitlines() == [LINE]


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("command", [*COMMANDS.values(), ("play", "--input", "odd.mid")], ids=[*COMMANDS, "play"])
def test_strict_refuses_what_would_be_repaired(improviser: CommandLine, command: tuple[object, ...]) -> None:
    before = improviser.files()
    assert improviser(*command, "--strict").refused(f"odd.mid: {SAID}")
    assert improviser.files() == before


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_strict_takes_what_is_right(improviser: CommandLine, odd: Path, command: tuple[object, ...]) -> None:
    odd.write_bytes(WHOLE)
    done = improviser(*command, "--strict")
    assert (done.code, done.err) == (0, "")


def test_play_says_it_before_it_plays(tmp_path: Path) -> None:
    song = tmp_path / "song.KAR"
    song.write_bytes(b"\r\n" + chunks(configuration(15) + notes([60], 9) + SHORT))
    options = ("--input", str(song), "--no-record", "--no-display", "--name", f"odd-{tmp_path.name}"[:40])
    with Player({"JACK_DEFAULT_SERVER": "nobody"}, tmp_path / "play.log", *options) as player:
        player.wait_for("song.KAR: 2 bytes before its header; passed over")
        player.wait_for("playing on .*hears song.KAR")


@pytest.mark.parametrize("suffix", [*MIDI_SUFFIXES, *map(str.upper, MIDI_SUFFIXES)])
def test_every_name_of_a_midi_file_is_one_everywhere(improviser: CommandLine, suffix: str) -> None:
    folder = improviser.folder / "songs"
    folder.mkdir()
    song = folder / f"song{suffix}"
    song.write_bytes(WHOLE)
    (folder / "notes.txt").write_text("no MIDI file")
    assert improviser("render", song, "out.mid").code == 0
    assert len(read_midi(improviser.folder / "out.mid").notes) == 16
    assert improviser("picture", song, "-o", "out.svg").code == 0
    assert improviser("evaluate", "bach-melody", folder).code == 0
    song.write_bytes(b"")
    assert improviser("play", "--input", song).refused("is empty")


def test_of_very_many_files_only_the_first_are_named(improviser: CommandLine) -> None:
    folder = improviser.folder / "songs"
    folder.mkdir()
    for place, (data, _) in enumerate(REPAIRED.values()):
        (folder / f"{place:03}.mid").write_bytes(data)
    (folder / "broken.mid").write_bytes(b"MThd")
    done = improviser("evaluate", "bach-melody", folder)
    assert done.code == 0
    said, more, left_out = done.err.splitlines()[:-2], *done.err.splitlines()[-2:]
    assert len(said) == MOST_LINES
    assert all(line.startswith(f"improviser: {folder}{os.sep}0") for line in said)
    assert f"{len(REPAIRED) - MOST_LINES} more files were repaired" in more
    assert "broken.mid" in left_out
    assert improviser("evaluate", "bach-melody", folder, "--strict").refused("000.mid")
    for path in folder.glob("0*"):
        path.write_bytes(WHOLE)
    assert improviser("evaluate", "bach-melody", folder, "--strict").refused("broken.mid")


def test_the_command_on_the_card_is_strict_as_well(improviser: CommandLine, odd: Path) -> None:
    shutil.copy(odd, improviser.folder / "b.mid")
    (improviser.folder / "b.mid").write_bytes(WHOLE)
    options = ("--task", "echo", "--generations", 1, "--population", 9)
    assert improviser("train", "b.mid", "-o", "a.safetensors", *options, "--strict").code == 0
    card = (improviser.folder / "a.md").read_text()
    assert "--strict\n" in card
    assert improviser("train", "b.mid", "-o", "b.safetensors", *options).code == 0
    assert "strict" not in (improviser.folder / "b.md").read_text()
