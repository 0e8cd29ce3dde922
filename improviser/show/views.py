"""Where a session is shown: a whole terminal, of which only what changes is written, or plain lines."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Protocol, Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control

from improviser.core.live.snapshot import Answer, News, Snapshot
from improviser.core.printable import printable
from improviser.show.terminal import KEYS, Line, SessionScreen, fitted, note_text

SMALLEST = (40, 12)
"""Columns and rows that the view needs; plain lines do with less."""
WHOLE_SECONDS = 2.0
"""So often every line is written, should something else have written over it."""


class SessionView(Protocol):
    """Where a session is shown; entered for its time. Nothing it meets, such as a closed terminal, ends the session."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and leave the terminal as it was."""

    def answered(self, answer: Answer) -> None:
        """Take in an answer: each, as it comes."""

    def show(self, snapshot: Snapshot) -> None:
        """Show the session as it is now: ten times a second at most."""


def view_for(console: Console, *, keys: Sequence[tuple[str, str]] = KEYS) -> SessionView:
    """Return the view that fits `console`: the live one, or plain lines if it is no terminal, dumb, or without colour.

    :param keys: what keys do, for the last line.
    """
    width, height = console.size
    # Where colour is forced upon a pipe, rich takes it for a terminal; the file knows better.
    terminal = console.is_terminal and console.file.isatty() and not console.is_dumb_terminal
    if terminal and _can_draw(console) and not console.no_color and width >= SMALLEST[0] and height >= SMALLEST[1]:
        return LiveView(console, keys=keys)
    return PlainView(console)


def _can_draw(console: Console) -> bool:
    """Say whether what the live view is drawn with can be written."""
    try:
        "█▀▄┊▏●→–".encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def answer_text(answer: Answer) -> str:
    """Return an answer as a line: when, what was heard, what was played; in ASCII, for whatever reads it."""
    played = ", ".join(map(note_text, answer.played)) or "nothing"
    line = f"{answer.seconds:8.3f} s  heard {note_text(answer.heard)}  played {played}"
    return line.replace("♯", "#").replace("♭", "b")


class PlainView:
    """One line per answered note; warnings go to the standard error."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._closed = False
        self._warned: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def answered(self, answer: Answer) -> None:
        """Print the answer."""
        self._print(self._console.file, answer_text(answer))

    def show(self, snapshot: Snapshot) -> None:
        """Print the warnings that are new."""
        if snapshot.warnings != self._warned:
            for warning in _new(self._warned, snapshot.warnings):
                self._print(sys.stderr, f"improviser: {printable(warning)}")
            self._warned = snapshot.warnings

    def _print(self, file: IO[str], line: str) -> None:
        if self._closed:
            return
        try:
            file.write(f"{line}\n")
            file.flush()
        except (OSError, ValueError):  # the reader has gone: play on without it
            self._closed = True


def _new(before: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    """Return what was added to the end of a list that forgets its beginning."""
    kept = next(
        size for size in range(min(len(before), len(now)), -1, -1) if before[len(before) - size :] == now[:size]
    )
    return now[kept:]


class LiveView:
    """The whole screen, given back at the end. Only the lines that have changed are written: it costs half of all."""

    def __init__(self, console: Console, *, keys: Sequence[tuple[str, str]] = KEYS) -> None:
        self._console = console
        self._keys = keys
        self._drawn: list[Line] = []
        self._size = (0, 0)
        self._whole_at = 0.0
        self._closed = False

    def __enter__(self) -> Self:
        self._guarded(self._take_screen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = False  # even if a refresh failed: try to give the screen back
        self._guarded(self._give_screen_back)

    def answered(self, answer: Answer) -> None:
        """Do nothing: snapshots hold the answers."""

    def show(self, snapshot: Snapshot) -> None:
        """Draw the session."""
        self._guarded(lambda: self._draw(snapshot))

    def _take_screen(self) -> None:
        self._console.set_alt_screen(True)
        self._console.show_cursor(False)

    def _give_screen_back(self) -> None:
        self._console.show_cursor(True)
        self._console.set_alt_screen(False)

    def _draw(self, snapshot: Snapshot) -> None:
        size = self._console.size
        if size != self._size or abs(snapshot.seconds - self._whole_at) > WHOLE_SECONDS:
            self._drawn, self._size, self._whole_at = [], size, snapshot.seconds
        lines = SessionScreen(snapshot, self._keys).lines(*size)
        changed = [row for row, line in enumerate(lines) if row >= len(self._drawn) or line != self._drawn[row]]
        self._console.print(_Patch({row: lines[row] for row in changed}), end="", crop=False)
        self._drawn = lines

    def _guarded(self, write: Callable[[], None]) -> None:
        if self._closed:
            return
        try:
            write()
        except (OSError, ValueError):  # the terminal has gone: play on without it
            self._closed = True


@contextlib.contextmanager
def log_to(take: Callable[[str], None], *, as_well: bool = False) -> Iterator[None]:
    """Send log records to `take` instead of the screen, which is in use, while this lasts."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = record.getMessage()
            take(line if record.levelno >= logging.WARNING else News(line))

    root = logging.getLogger()
    former = root.handlers[:]
    root.handlers[:] = [Handler(), *(former if as_well else ())]
    try:
        yield
    finally:
        root.handlers[:] = former


class _Patch:
    """Some lines of a screen, written to their rows."""

    def __init__(self, lines: Mapping[int, Line]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row, line in self._lines.items():
            yield Control.move_to(0, row).segment
            yield from fitted(line, options.max_width)
