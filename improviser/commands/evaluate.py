"""`improviser evaluate`: how well a model knows a corpus."""

from typing import Annotated, Any

import typer

from improviser.commands import completion
from improviser.commands.options import SOURCES, Strict


def evaluate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model's name or file.", autocompletion=completion.models)
    ],
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help=SOURCES),
    ],
    *,
    seed: Annotated[int, typer.Option(min=0, help="For the music that the model plays by itself.")] = 0,
    temperature: Annotated[
        float, typer.Option(min=0.0, max=10.0, help="For the music that the model plays by itself.")
    ] = 1.0,
    strict: Strict = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a model: bits per note, first choices, and how its own music compares with the corpus."""
    import sys

    from improviser.commands.notices import give_notice
    from improviser.console_output import say, say_json, warn
    from improviser.library.catalogue import load_model
    from improviser.training.evaluation import evaluate as score
    from improviser.training.view import steps_shown
    from improviser.training.voices import read_sources

    loaded = load_model(model)
    with steps_shown(sys.stderr) as progress:
        read = read_sources(sources, progress, strict=strict, for_training=False)
    give_notice(read.remarks)
    found = score(loaded, read.pieces, seed=seed, temperature=temperature)
    values = {"model": loaded.name, "task": loaded.task, **found.values()}
    values |= {"skipped": list(read.skipped), "remarks": list(read.remarks)}
    if json:
        say_json(values, indent=2)
        return
    for line in _table(values):
        say(line)
    for reason in read.skipped:
        warn("left out:", reason)


def _table(values: dict[str, Any]) -> list[str]:
    spread = values["per_piece"]
    pieces = "{lowest:.3f} – {highest:.3f}, median {median:.3f}, deviation {deviation:.3f}".format(**spread)
    lines = [
        f"{values['model']} ({values['task']}) on {values['pieces']} pieces, {values['notes']} notes",
        f"  bits per note   {values['bits_per_note']:.3f}",
        f"  by piece        {pieces}",
        f"  first choice    {values['top_1']:.3f}",
        "  left to itself  model   corpus",
    ]
    for name, pair in values["left_to_itself"].items():
        if pair["model"] is not None and pair["corpus"] is not None:
            lines.append(f"    {name.replace('_', ' '):<13} {pair['model']:.3f}   {pair['corpus']:.3f}")
    held = values["held_over"]
    if held["bits_per_decision"] is not None:
        lines.append(f"    held over     {held['model']:.3f}   {held['corpus']:.3f}")
        lines.append(f"  hold or strike  {held['bits_per_decision']:.3f} bits, {held['right']:.3f} right")
    return lines
