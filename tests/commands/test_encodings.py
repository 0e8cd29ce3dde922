"""Consoles that are not of UTF-8: nothing that is said there ends a command, and all of it can be read there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.melodies import TUNE, write_melody
from tests.terminals import colourful, terminal

ENCODINGS = ["cp1252", "ascii"]
DEMO = ("demo", "--seconds", "1", "--force")
ODD_NAME = "Übung – 練習 🎹.mid"


def environment(**more: str) -> dict[str, str]:
    """Return our environment without what would choose an encoding."""
    chosen = {"LANG", "LC_ALL", "LC_CTYPE", "PYTHONIOENCODING", "PYTHONUTF8"}
    return {**{name: value for name, value in os.environ.items() if name not in chosen}, **more}


def run(folder: Path, variables: dict[str, str], *arguments: str) -> tuple[int, bytes]:
    """Run a command; return its code and all that it said."""
    ran = subprocess.run(
        [sys.executable, "-m", "improviser", *arguments],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=100,
        check=False,
    )
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_said_can_be_read_in_the_consoles_encoding(encoding: str, tmp_path: Path) -> None:
    odd = write_melody(tmp_path / ODD_NAME, TUNE).name
    commands: tuple[tuple[int, list[str]], ...] = (
        (0, ["play", "--help"]),
        (0, ["models"]),
        (0, [*DEMO, "--no-display"]),
        (0, ["report", odd, "--force"]),
        (2, ["render", f"no {odd}", "out.mid"]),
        (2, ["play", "--model", f"no {odd}"]),
    )
    for code, arguments in commands:
        got, said = run(tmp_path, {"PYTHONIOENCODING": encoding}, *arguments)
        text = said.decode(encoding)  # it is of this encoding, whatever it says
        assert got == code, f"{arguments}: {text}"
        assert said, arguments
        assert "Traceback" not in text, text


@pytest.mark.unix
@pytest.mark.parametrize("arguments", [DEMO, ("models",), ("play", "--input", "no such port")], ids=" ".join)
def test_a_terminal_of_few_letters_shows_what_it_can(arguments: tuple[str, ...], tmp_path: Path) -> None:
    few = {**colourful(), "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with terminal() as (ours, theirs):
        process = subprocess.Popen(
            [sys.executable, "-m", "improviser", *arguments],
            cwd=tmp_path,
            env=few,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        said = b""
        while data := _read(ours):
            said += data
        code = process.wait(60)
    assert code in ((1, 2) if arguments[0] == "play" else (0,)), said  # 1 where there is no MIDI system at all
    assert b"Traceback" not in said
    assert b"\\u" not in said  # what has no letter there is drawn with another, or left out


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # that is how Linux says that the other side was closed
        return b""
