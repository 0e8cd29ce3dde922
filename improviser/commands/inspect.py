"""`improviser inspect`: what a model file holds."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from improviser.commands import completion

SOURCES_SHOWN = 5


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model's name or file.", autocompletion=completion.models)
    ],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a model's task, layers, viewpoints, origin and scores."""
    from improviser.console_output import say, say_json
    from improviser.library import catalogue, model_file

    path = catalogue.find(model)
    file = model_file.read(path)
    loaded = catalogue.build(path.stem, file, path)  # a file that cannot be played is not described either
    description: dict[str, Any] = {
        "name": path.stem,
        "path": str(path),
        "task": file.task,
        "layers": loaded.layers(),
        "parameters": sum(int(tensor.size) for tensor in file.tensors.values()),
        "viewpoints": file.settings.get("viewpoints", []),
        "scores": file.provenance.get("scores", {}),
        "settings": {name: value for name, value in file.settings.items() if name != "viewpoints"},
        "tensors": {name: {"dtype": str(array.dtype), "shape": array.shape} for name, array in file.tensors.items()},
        "provenance": {name: value for name, value in file.provenance.items() if name != "scores"},
    }
    if json:
        say_json(description, indent=2)
        return
    for line in _lines(description):
        say(line)


def _lines(values: Mapping[str, Any], indent: str = "") -> list[str]:
    """Return one line per value; values within values are indented."""
    lines = []
    for name, value in values.items():
        title = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, dict):
            lines += [title, *_lines(value, indent + "  ")] if value else []
        elif isinstance(value, list | tuple) and value and all(isinstance(item, dict) for item in value):
            lines += [title, *(f"{indent}  {row}" for row in _rows(value))]
        elif isinstance(value, list | tuple):
            lines += [f"{title} {', '.join(map(str, value))}"] if value else []
        elif value is not None:
            lines.append(f"{title} {value}")
    return lines


def _rows(values: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a row for each of the first values, and how many more there are."""
    rows = [", ".join(f"{name} {value}" for name, value in item.items()) for item in values[:SOURCES_SHOWN]]
    return [*rows, f"and {len(values) - SOURCES_SHOWN} more"] if len(values) > SOURCES_SHOWN else rows
