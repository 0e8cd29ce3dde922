"""What is written beside a trained model: the log of every generation, the curve as a picture, and a card."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path

from improviser.core.tasks.registry import describe
from improviser.files import write_atomically
from improviser.library.model_file import SUFFIX
from improviser.shell import joined
from improviser.show.picture import CurvePoint, training_curve
from improviser.training.recipe import Options, Recipe
from improviser.training.trainer import Record, Run
from improviser.version import __version__


def write_report(output: Path, options: Options, recipe: Recipe, done: Run, scores: Mapping[str, float]) -> list[Path]:
    """Write the report of a run that made the model `output`, under its name; return the files.

    :raises OutputError: if that is not possible.
    """
    log, curve, card = files_beside(output)
    write_atomically(log, "".join(f"{json.dumps(_values(record))}\n" for record in done.records).encode())
    write_atomically(curve, _curve(output.stem, recipe, done).encode(errors="replace"))
    write_atomically(card, card_of(output, options, recipe, done, scores).encode(errors="replace"))
    return [log, curve, card]


def files_beside(output: Path) -> list[Path]:
    """Return where the log, the curve and the card of a model are written."""
    base = output.with_suffix("") if output.suffix == SUFFIX else output
    return [base.with_name(base.name + suffix) for suffix in (".jsonl", ".svg", ".md")]


def card_of(output: Path, options: Options, recipe: Recipe, done: Run, scores: Mapping[str, float]) -> str:
    """Return the card: what the model was made of, how, with what command, and what it reaches."""
    last = dict(done.records)
    minutes = sum(generation.seconds for _, generation in done.records) / 60
    notes = sum(int(source.get("notes", 0)) for source in recipe.sources)
    gains = done.calibrated.gains if done.calibrated else {}
    names = [str(source["name"]) for source in recipe.sources]
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    settings = [(name.replace("_", " "), _text(value)) for name, value in recipe.settings.items() if value is not None]
    lines = [
        f"# {output.stem}",
        "",
        f"A network for the task *{recipe.task.name}*, evolved by improviser {__version__} without gradients.",
        "",
        "| | |",
        "|---|---|",
        f"| learned from | {shown}: {notes} notes |",
        f"| parameters | {recipe.task.genome_size * len(done.champions)} |",
        f"| generations | {', '.join(str(generation.generation) for generation in last.values())} |",
        f"| networks scored | {sum(generation.evaluations for generation in last.values())} |",
        f"| time | {minutes:.1f} minutes |",
        *(f"| {name.replace('_', ' ')} | {_text(value)} |" for name, value in scores.items()),
        *(f"| gain of the {name} head | {gain:.2f} |" for name, gain in gains.items()),
        "",
        "## Command",
        "",
        "```sh",
        command_of(output, options),
        "```",
        "",
        "## Settings",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in settings),
    ]
    return "\n".join(lines) + "\n"


def command_of(output: Path, options: Options) -> str:
    """Return the command that makes the same model again; absolute paths are cut to their names."""
    sources = (Path(source).name if Path(source).is_absolute() else source for source in options.sources)
    words = ["improviser", "train", *sources]
    words += ["--output", output.name if output.is_absolute() else str(output)]
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if value is True:
            words.append(f"--{field.name.replace('_', '-')}")
        elif field.name != "sources" and value is not None and value is not False:
            words += [f"--{field.name.replace('_', '-')}", _text(value)]
    return joined(words)


def _curve(name: str, recipe: Recipe, done: Run) -> str:
    """Return the picture of the last member's run."""
    member = done.records[-1][0] if done.records else 0
    points = [CurvePoint(one.generation, one.best, one.mean, one.held_out) for of, one in done.records if of == member]
    title = f"{name}: {recipe.task.name}" + (f", network {member + 1} of {recipe.members}" if member else "")
    return training_curve(points, title, measure=f"fitness ({describe(recipe.task.name).fitness})")


def _values(record: Record) -> dict[str, float | int | bool | None]:
    member, generation = record
    return {"member": member, **generation.values()}


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)
