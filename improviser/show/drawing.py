"""What a file holds, drawn: a session, a training run, or a model."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec

from improviser import library, modelfile
from improviser.errors import LogError
from improviser.files import open_regular
from improviser.midifile import is_midi_name
from improviser.session.log import SUFFIX
from improviser.session.reading import read_session
from improviser.show.model_picture import model_picture
from improviser.show.picture import CurvePoint, session_picture, training_curve


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
    file = library.find(source)
    return Drawing(model_picture(library.build(file.stem, modelfile.read(file), file)))


def _roll(path: Path, *, strict: bool = False) -> Drawing:
    session = read_session(path, strict=strict)
    return Drawing(session_picture(*session.notes(), session.name, bars_seconds=session.bars), session.remarks)


def training_points(path: Path) -> list[CurvePoint]:
    """Return the generations that a training run logged (of a choir, its last member's); none if it is no such log.

    :raises LogError: if it cannot be read.
    """
    try:
        with open_regular(path) as file:
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror or error}") from error
    generations = []
    for line in lines:
        try:
            values = json.loads(line)
            point = msgspec.convert(values, CurvePoint)
        except (ValueError, RecursionError):
            continue  # not of a training run, or the last line of one that was cut short
        generations.append((values.get("member", 0), point))
    last = generations[-1][0] if generations else 0
    return [point for member, point in generations if member == last]
