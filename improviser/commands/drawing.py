"""What a file holds, drawn: a session, a training run, or a model."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from improviser.errors import LogError
from improviser.files import open_regular
from improviser.library import catalogue, model_file
from improviser.midifile import is_midi_name
from improviser.recordings.log import SUFFIX
from improviser.recordings.reading import read_session
from improviser.show.model_picture import model_picture
from improviser.show.picture import CurvePoint, session_picture, training_curve

LARGEST_RUN = 1 << 28
LONGEST_LINE = 1 << 20
"""Bytes of a training run's log, and of one of its lines."""

NOT_A_NUMBER = re.compile(rb"-?\b(?:NaN|Infinity)\b")
"""What Python writes where there is no value; it is not JSON."""

Finite = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)]


class _Point(msgspec.Struct, frozen=True):
    """One generation, as a training run logs it; `member` counts the networks of a choir."""

    generation: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    best: Finite | None
    mean: Finite | None = None
    held_out: Finite | None = None
    member: int = 0


_decode = msgspec.json.Decoder(_Point).decode


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture, and what was repaired in what it shows, or left out of it."""

    svg: str
    remarks: tuple[str, ...] = ()


def draw(source: str, *, strict: bool = False) -> Drawing:
    """Return the picture of a MIDI file, a log (of a session, or of a training run), or a model, as SVG.

    :param strict: refuse a MIDI file that needs repairs.
    :raises ImproviserError: if it cannot be found or read.
    """
    path = Path(source)
    if is_midi_name(path):
        return _roll(path, strict=strict)
    if path.suffix == SUFFIX:
        points = training_points(path)
        return Drawing(training_curve(points, path.stem)) if points else _roll(path)
    file = catalogue.find(source)
    return Drawing(model_picture(catalogue.build(file.stem, model_file.read(file), file)))


def _roll(path: Path, *, strict: bool = False) -> Drawing:
    session = read_session(path, strict=strict)
    return Drawing(session_picture(*session.notes(), session.name, bars_seconds=session.bars), session.remarks)


def training_points(path: Path) -> list[CurvePoint]:
    """Return the generations that a training run logged (of a choir, its last member's); none if it is no such log.

    :raises LogError: if it cannot be read.
    """
    try:
        with open_regular(path, LARGEST_RUN) as file:
            points = _points(file)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror or error}") from error
    last = points[-1].member if points else 0
    return [
        CurvePoint(point.generation, point.best, point.mean, point.held_out) for point in points if point.member == last
    ]


def _points(file: BinaryIO) -> list[_Point]:
    points = []
    for line in iter(lambda: file.readline(LONGEST_LINE), b""):
        try:
            points.append(_decode(NOT_A_NUMBER.sub(b"null", line)))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue  # not of a training run, or the last line of one that was cut short
    return points
