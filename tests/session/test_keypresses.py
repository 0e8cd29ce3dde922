"""Key presses, on pseudo-terminals."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from improviser.core.live.parameters.table import MODES
from improviser.session.keypresses import key_presses, keys_in
from tests.terminals import colourful, read_until, terminal

termios: Any = pytest.importorskip("termios", reason="only Unix has pseudo-terminals")


@pytest.fixture(name="terminal")
def both_ends() -> Iterator[tuple[int, int]]:
    """The two ends of a pseudo-terminal: ours, and the one that is a terminal."""
    with terminal() as ends:
        yield ends


def modes(descriptor: int) -> int:
    """Return whether keys are echoed and kept back until the line's end."""
    flags: int = termios.tcgetattr(descriptor)[3] & (termios.ECHO | termios.ICANON)
    return flags


async def pressed(ours: int, theirs: int, typed: bytes, count: int) -> list[str]:
    """Return the keys that come when something is typed."""
    taken: list[str] = []
    enough = asyncio.Event()

    def take(key: str) -> None:
        taken.append(key)
        if len(taken) == count:
            enough.set()

    with key_presses(take, theirs) as listening:
        assert listening
        assert modes(theirs) == 0
        os.write(ours, typed)
        await asyncio.wait_for(enough.wait(), 10)
    return taken


@pytest.mark.unix
def test_keys_come_one_by_one_and_the_terminal_is_given_back(terminal: tuple[int, int]) -> None:
    before = termios.tcgetattr(terminal[1])
    typed = "m \x1b[A\x1bOB+é".encode()
    assert asyncio.run(pressed(*terminal, typed, 6)) == ["m", " ", "up", "down", "+", "é"]
    assert termios.tcgetattr(terminal[1]) == before
    assert modes(terminal[1]) != 0


def test_the_terminal_is_given_back_after_a_fault(terminal: tuple[int, int]) -> None:
    async def fail() -> None:
        with key_presses(lambda _: None, terminal[1]):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        asyncio.run(fail())
    assert modes(terminal[1]) != 0


def test_a_terminal_that_goes_away_ends_nothing(terminal: tuple[int, int]) -> None:
    async def hang_up() -> None:
        with key_presses(lambda _: None, terminal[1]):
            os.close(terminal[0])
            await asyncio.sleep(0.05)

    asyncio.run(hang_up())


def test_what_is_no_terminal_is_left_alone() -> None:
    async def listen(descriptor: int) -> bool:
        with key_presses(lambda _: None, descriptor) as listening:
            return listening

    reading, writing = os.pipe()
    assert asyncio.run(listen(reading)) is False
    os.close(reading)
    os.close(writing)


def test_what_has_no_name_here_is_passed_over() -> None:
    assert list(keys_in("a\x1b[1;5Cb\x1b[15~\r\n\x7f\x1b")) == ["a", "b"]


PLAY = [sys.executable, "-m", "improviser", "demo", "--model", "echo"]


@pytest.mark.unix
@pytest.mark.parametrize(("leave", "code"), [(b"q", 0), (signal.SIGTERM, 0), (b"\x03", 130)])
def test_a_whole_program_gives_the_terminal_back(
    terminal: tuple[int, int], tmp_path: Path, leave: bytes | signal.Signals, code: int
) -> None:
    ours, theirs = terminal
    before = termios.tcgetattr(theirs)
    program = subprocess.Popen(
        PLAY, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=colourful(),
        preexec_fn=lambda: os.login_tty(theirs),  # noqa: PLW1509  Ctrl-C takes a terminal that controls the program
    )  # fmt: skip
    shown = read_until(ours, b"mode")
    assert b"temperature" in shown + read_until(ours, b"quit")
    assert modes(theirs) == 0
    os.write(ours, b"m")
    read_until(ours, f" {MODES[1]}".encode())
    read_until(ours, "→".encode())  # the engine plays
    if isinstance(leave, bytes):
        os.write(ours, leave)
    else:
        program.send_signal(leave)
    assert b"\x1b[?1049l" in read_until(ours, b"\x1b[?1049l")
    assert program.wait(20) == code
    assert termios.tcgetattr(theirs) == before


def test_ctrl_c_before_the_engine_plays_is_no_fault(terminal: tuple[int, int], tmp_path: Path) -> None:
    ours, theirs = terminal
    program = subprocess.Popen(
        PLAY, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=colourful(),
        preexec_fn=lambda: os.login_tty(theirs),  # noqa: PLW1509  Ctrl-C takes a terminal that controls the program
    )  # fmt: skip
    read_until(ours, b"\x1b[?1049h")
    os.write(ours, b"\x03")
    said = read_until(ours, b"\x1b[?1049l")
    assert program.wait(20) == 130
    assert b"error" not in said
