"""`improviser inspect`: what a model file holds."""

from typing import Annotated, Any

import typer


def inspect(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or file.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a model's task, layers, viewpoints, where it comes from and its scores."""
    from improviser import library, modelfile

    path = library.find(model)
    file = modelfile.read(path)
    library.build(path.stem, file, path)  # a file that cannot be played is not described either
    description: dict[str, Any] = {
        "name": path.stem,
        "path": str(path),
        "task": file.task,
        "parameters": sum(int(tensor.size) for tensor in file.tensors.values()),
        "settings": dict(file.settings),
        "tensors": {name: {"dtype": str(array.dtype), "shape": array.shape} for name, array in file.tensors.items()},
        "provenance": dict(file.provenance),
    }
    if json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(description)).decode())
        return
    for line in _lines(description):
        print(line)


def _lines(values: dict[str, Any], indent: str = "") -> list[str]:
    """Return one line per value; values within values are indented."""
    lines = []
    for name, value in values.items():
        title = f"{indent}{name.replace('_', ' ')}:"
        if isinstance(value, dict):
            lines += [title, *_lines(value, indent + "  ")]
        elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
            lines += [title, *(f"{indent}  {', '.join(f'{k} {v}' for k, v in item.items())}" for item in value)]
        elif isinstance(value, list | tuple):
            lines.append(f"{title} {' '.join(map(str, value))}")
        else:
            lines.append(f"{title} {value}")
    return lines
