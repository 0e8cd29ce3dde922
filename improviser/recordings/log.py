"""A session's log: every event and command the performer saw, in order, with what it played to each.

It is text, one JSON object a line, so that a log cut anywhere is a log of what came before::

    {"type": "header", …}   what wrote it, when, and the log that it goes on from
    {"type": "ready", …}    an engine began: its models (SHA-256 of their files), parameters and seed
    {"type": "step", …}     a message was heard (base64), at this time of the session, and these were played; of several
                            inputs but the first, `input` says which, counted from 0
    {"type": "applied", …}  a parameter was changed, or models swapped
    {"type": "played", …}   a panic, a time that came, or a player who was lost (no active sensing any more); of a reply
                            that began before it was thought out, `pieces` says how much was
    {"type": "turned", …}   what the knob that was heard just before has turned (its step alone is replayed)
    {"type": "done", …}     a vote, or all votes were forgotten; by a `pedal`, the step just before did it
    {"type": "adapted", …}  models are played with these adaptations (SHA-256 of files beside the log) from now on
    {"type": "weighed", …}  how much each of the models that are mixed had to say; no replay needs it
    {"type": "picked", …}   which model a knob or program change has picked; an "applied" follows when it plays
    {"type": "lost", …}     reports were lost here: the log is incomplete
    {"type": "end"}         the log was not cut short

All but the first and the last are the engine's own reports (see `pipe`).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import UNSET

from improviser.core.addresses.port_choice import MOST_PORTS
from improviser.engine.protocol import Adapted, AnyReport, Applied, Done, Lost, Played, Ready, Report, Step, number_of
from improviser.errors import LogError
from improviser.files import open_regular

FORMAT = "improviser session"
VERSION = 1
SUFFIX = ".jsonl"
MAX_LINE_BYTES = 1 << 20
MAX_CHAIN = 10_000
LARGEST_LOG = 1 << 30
"""Bytes. An hour of notes takes a hundredth."""
LONGEST_SECONDS = 1e9
"""No session lasts for thirty years, and with larger numbers the times between notes would be lost."""
LONGEST_SAYING = 200
"""Characters."""
MOST_MODELS = 64
ADAPTATION_SUFFIX = ".adaptation"
"""Several times as many as can be played with."""


class Header(Report, frozen=True, kw_only=True):
    """The first line. `began` is the wall clock's time (ISO 8601); `continues` the name of the log before, if any."""

    format: str
    version: int
    program: str
    numpy: str
    began: str
    continues: str | None = None


class End(Report, frozen=True):
    """The last line of a log that was not cut short."""


Entry = Header | End | AnyReport

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Report) -> bytes:
    """Return an entry as a line."""
    return _encoder.encode(entry) + b"\n"


@dataclass(frozen=True, slots=True)
class SessionLog:
    """One log; `cut` if its end is missing."""

    path: Path
    header: Header
    cut: bool

    @property
    def reports(self) -> Iterator[tuple[int, AnyReport]]:
        """Read its reports, each with the line it is on; a last line that is cut short is left out.

        :raises LogError: if it is damaged, where that is.
        """
        for line, entry in _entries(self.path):
            if isinstance(entry, Header):
                if line > 1:
                    raise LogError(f"{self.path} is damaged: a second beginning in line {line}")
            elif not isinstance(entry, End):
                _check(self.path, line, entry)
                yield line, entry


def read(path: Path) -> SessionLog:
    """Open a log: its reports are read when they are asked for, so that no length of it needs memory.

    :raises LogError: if there is none, or it is foreign.
    """
    header = header_of(path)
    if header is None:
        raise LogError(f"{path} is not a session's log (a *{SUFFIX} file that `improviser play` wrote)")
    if header.format != FORMAT or header.version != VERSION:
        raise LogError(f"{path} is a log of version {brief(header.version)}; this program reads version {VERSION}")
    return SessionLog(path, header, cut=not _has_end(path))


def header_of(path: Path) -> Header | None:
    """Return what a log says of itself, None if its first line is cut short, or another.

    :raises LogError: if it cannot be read, or has another first line.
    """
    _, entry = next(_entries(path), (1, None))
    return entry if isinstance(entry, Header) else None


def _entries(path: Path) -> Iterator[tuple[int, Entry]]:
    try:
        with open_regular(path, LARGEST_LOG) as file:
            yield from _decoded(path, file)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror or error}") from error


def _decoded(path: Path, file: BinaryIO) -> Iterator[tuple[int, Entry]]:
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1):
        if len(line) == MAX_LINE_BYTES:
            raise LogError(f"{path} is not a session's log: line {number} is too long")
        if not line.endswith(b"\n"):
            return  # the end was being written when its writer was killed
        try:
            yield number, _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            where = f"{path} is damaged in line {number}" if number > 1 else f"{path} is not a session's log"
            raise LogError(f"{where}: {brief(error)}") from error


def _has_end(path: Path) -> bool:
    """Say whether the last line that is whole is an end."""
    try:
        with open_regular(path, LARGEST_LOG) as file:
            file.seek(-min(file.seek(0, os.SEEK_END), MAX_LINE_BYTES), os.SEEK_END)
            lines = file.read().rpartition(b"\n")[0]
            return isinstance(_decoder.decode(lines.rpartition(b"\n")[2]), End)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror or error}") from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def _check(path: Path, line: int, report: AnyReport) -> None:
    """Check what types do not say.

    :raises LogError: if a time or a number is none that a session has.
    """
    match report:
        case Step(stamp=stamp, latency_seconds=other) | Played(stamp=stamp, late_seconds=other):
            sound = abs(stamp) <= LONGEST_SECONDS and 0 <= other <= LONGEST_SECONDS
            sound = sound and 0 <= number_of(report) < MOST_PORTS
            if isinstance(report, Played) and report.pieces is not UNSET:
                sound = sound and report.pieces >= 0
        case Applied(stamp=stamp) | Done(stamp=stamp) | Adapted(stamp=stamp):
            sound = abs(stamp) <= LONGEST_SECONDS
        case Ready(models=models):
            sound = len(models) <= MOST_MODELS
        case Lost(count):
            sound = count >= 0
        case _:
            sound = True
    if not sound:
        raise LogError(f"{path} is damaged in line {line}: it has a time or a number that no session has")


def adaptation_path(log: Path, digest: str) -> Path:
    """Return where the adaptation of this digest lies that a log tells of."""
    return log.with_name(f"{log.stem}.{digest}{ADAPTATION_SUFFIX}")


def read_chain(path: Path) -> list[SessionLog]:
    """Open a log and those it goes on from, the first one first.

    :raises LogError: if one is missing or foreign.
    """
    chain = [read(path)]
    seen = {path.name}
    while (before := chain[-1].header.continues) is not None:
        earlier = path.parent / Path(before).name
        if earlier.name in seen or len(chain) > MAX_CHAIN:
            raise LogError(f"{path} is damaged: its beginning goes on from its own end")
        if not _is_there(earlier):
            raise LogError(f"{chain[-1].path} goes on from {brief(earlier)}, which is not there; a replay needs both")
        seen.add(earlier.name)
        chain.append(read(earlier))
        if chain[-1].cut:
            raise LogError(f"{chain[-2].path} goes on from {earlier}, the end of which is missing; a replay needs all")
    return chain[::-1]


def brief(what: object) -> str:
    """Return what a damaged log makes one say, no longer than a line should be."""
    text = str(what)
    return text if len(text) <= LONGEST_SAYING else f"{text[:LONGEST_SAYING]}…"


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except ValueError:  # a name that no file can have
        return False
