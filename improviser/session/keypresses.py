"""Reads key presses from the terminal one by one, without echo, and restores the terminal at the end.

On Unix the terminal is put into its cbreak mode (termios) and read by the event loop; tested on pseudo-terminals. On
Windows, which has no termios, a thread asks the console (msvcrt); that has not been tried on a real one.

No library does the same: readchar (4.2) and blessed (1.52) give the terminal back only once its output has drained, so
Ctrl-S would hold up the end, and readchar blocks; prompt_toolkit (3.0) takes Ctrl-C for itself instead of leaving it a
signal; and none of them checks that the terminal is ours, so in a shell's background we would be stopped.
"""

import asyncio
import codecs
import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator

HAS_TERMIOS = True
try:
    import termios
except ImportError:  # Windows
    HAS_TERMIOS = False

ESCAPES = {"[A": "up", "[B": "down", "[C": "right", "[D": "left"}
ESCAPES |= {f"O{sequence[1]}": name for sequence, name in ESCAPES.items()}  # what keypads in application mode send
CONSOLE_CODES = {"H": "up", "P": "down", "M": "right", "K": "left"}
"""What follows `\\x00` or `\\xe0` on a Windows console."""
SEQUENCE = re.compile(r"\x1b(\[[0-9;]*[@-~]|O.)|(.)", re.DOTALL)
READ_BYTES = 1024
CONSOLE_SECONDS = 0.02

Take = Callable[[str], None]


@contextlib.contextmanager
def key_presses(take: Take, descriptor: int | None = None) -> Iterator[bool]:
    """Call `take` in the running event loop with every key that is pressed, while this lasts.

    A key is what it types ("m", " "), or the name of an arrow ("up"). Yields whether there is a terminal to listen to:
    without one, or in a shell's background, nothing is read.

    :param descriptor: the terminal's file descriptor; the standard input's by default.
    """
    if not HAS_TERMIOS:
        with _console_keys(take) as listening:
            yield listening
        return
    descriptor = _standard_input() if descriptor is None else descriptor
    if descriptor is None or not _is_ours(descriptor):
        yield False
        return
    with _cbreak(descriptor), _reading(descriptor, take):
        yield True


def can_press() -> bool:
    """Say whether there is a terminal whose keys could be heard."""
    descriptor = _standard_input()
    return descriptor is not None and (os.isatty(descriptor) if not HAS_TERMIOS else _is_ours(descriptor))


def keys_in(text: str) -> Iterator[str]:
    """Yield the keys that a terminal's characters stand for; those without a name here are passed over."""
    for sequence, character in SEQUENCE.findall(text):
        if sequence in ESCAPES:
            yield ESCAPES[sequence]
        elif character.isprintable() and character:
            yield character


def _standard_input() -> int | None:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # there is none, or it is no file
        return None


def _is_ours(descriptor: int) -> bool:
    """Say whether this is a terminal, and ours to change: a process in the background would be stopped for it."""
    if not os.isatty(descriptor):
        return False
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:  # not our controlling terminal: nobody stops us
        return True


@contextlib.contextmanager
def _cbreak(descriptor: int) -> Iterator[None]:
    """Let keys come at once and unseen; Ctrl-C stays a signal. Never waits for output that is stopped (Ctrl-S)."""
    before = termios.tcgetattr(descriptor)
    changed = termios.tcgetattr(descriptor)
    changed[0] &= ~termios.IXON
    changed[3] &= ~(termios.ECHO | termios.ICANON)
    changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, changed)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error, OSError):  # the terminal has gone
            termios.tcflush(descriptor, termios.TCIFLUSH)
            termios.tcsetattr(descriptor, termios.TCSANOW, before)


@contextlib.contextmanager
def _reading(descriptor: int, take: Take) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read() -> None:
        try:
            data = os.read(descriptor, READ_BYTES)
        except OSError:
            data = b""
        if not data:  # the terminal has gone
            loop.remove_reader(descriptor)
        for key in keys_in(decoder.decode(data)):
            take(key)

    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)


@contextlib.contextmanager
def _console_keys(take: Take) -> Iterator[bool]:
    import msvcrt

    if not sys.stdin or not sys.stdin.isatty():
        yield False
        return
    loop = asyncio.get_running_loop()
    ended = threading.Event()

    def listen() -> None:
        while not ended.wait(CONSOLE_SECONDS):
            while msvcrt.kbhit():  # type: ignore[attr-defined]
                key = msvcrt.getwch()  # type: ignore[attr-defined]
                if key in ("\x00", "\xe0"):
                    key = CONSOLE_CODES.get(msvcrt.getwch(), "")  # type: ignore[attr-defined]
                if key and not ended.is_set():
                    loop.call_soon_threadsafe(take, key)

    thread = threading.Thread(target=listen, name="keys", daemon=True)
    thread.start()
    try:
        yield True
    finally:
        ended.set()
        thread.join()
