"""A session's log: every event and command the performer saw, in order, with what it played to each.

It is text, one JSON object a line, so that a log cut anywhere is a log of what came before::

    {"type": "header", …}   what wrote it, when, and the log that it goes on from
    {"type": "ready", …}    an engine began: its models (SHA-256 of their files), parameters and seed
    {"type": "step", …}     a message was heard (base64), at this time of the session, and these were played
    {"type": "applied", …}  a parameter was changed, or models swapped
    {"type": "played", …}   a panic, or a time that came
    {"type": "turned", …}   what the knob that was heard just before has turned (its step alone is replayed)
    {"type": "picked", …}   which model a knob or program change has picked; an "applied" follows when it plays
    {"type": "lost", …}     reports were lost here: the log is incomplete
    {"type": "end"}         the log was not cut short

All but the first and the last are the engine's own reports (see `pipe`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from improviser.errors import LogError
from improviser.files import open_regular
from improviser.pipe import AnyReport, Report

FORMAT = "improviser session"
VERSION = 1
SUFFIX = ".jsonl"
MAX_LINE_BYTES = 1 << 20
MAX_CHAIN = 10_000


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
    """One log: its reports with the lines they are on; `cut` if its end is missing."""

    path: Path
    header: Header
    reports: tuple[tuple[int, AnyReport], ...]
    cut: bool


def read(path: Path) -> SessionLog:
    """Read a log; a last line that is cut short is left out.

    :raises LogError: if there is none, or it is damaged or foreign.
    """
    try:
        with open_regular(path) as file:
            entries = list(_entries(path, file))
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror or error}") from error
    if not entries or not isinstance(entries[0], Header):
        raise LogError(f"{path} is not a session's log (a *{SUFFIX} file that `improviser play` wrote)")
    header = entries[0]
    if header.format != FORMAT or header.version != VERSION:
        raise LogError(f"{path} is a log of version {header.version}; this program reads version {VERSION}")
    reports = []
    for line, entry in enumerate(entries[1:], start=2):
        if isinstance(entry, Header):
            raise LogError(f"{path} is damaged: a second beginning in line {line}")
        if not isinstance(entry, End):
            reports.append((line, entry))
    return SessionLog(path, header, tuple(reports), cut=not isinstance(entries[-1], End))


def _entries(path: Path, file: BinaryIO) -> Iterator[Entry]:
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), start=1):
        if len(line) == MAX_LINE_BYTES:
            raise LogError(f"{path} is not a session's log: line {number} is too long")
        if not line.endswith(b"\n"):
            return  # the end was being written when its writer was killed
        try:
            yield _decoder.decode(line)
        except msgspec.MsgspecError as error:
            where = f"{path} is damaged in line {number}" if number > 1 else f"{path} is not a session's log"
            raise LogError(f"{where}: {error}") from error


def read_chain(path: Path) -> list[SessionLog]:
    """Read a log and those it goes on from, the first one first.

    :raises LogError: if one is missing, damaged or foreign.
    """
    chain = [read(path)]
    while (before := chain[0].header.continues) is not None:
        earlier = path.parent / Path(before).name
        if not earlier.is_file():
            raise LogError(f"{chain[0].path} goes on from {earlier}, which is not there; a replay needs both")
        if len(chain) > MAX_CHAIN or any(log.path == earlier for log in chain):
            raise LogError(f"{path} is damaged: its beginning goes on from its own end")
        chain.insert(0, read(earlier))
        if chain[0].cut:
            raise LogError(f"{chain[1].path} goes on from {earlier}, the end of which is missing; a replay needs all")
    return chain
