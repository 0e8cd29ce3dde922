"""`improviser evaluate`: how well a model knows a corpus."""

from typing import Annotated, Any

import typer

from improviser.commands import completion
from improviser.commands.options import SOURCES, Strict
from improviser.commands.train_options import Cluster, Workers
from improviser.core.music.parts import NAMES


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
        float | None,
        typer.Option(
            min=0.0,
            max=10.0,
            help="For the music that the model plays by itself; by default 1, and for several parts 0.7 as well.",
            show_default=False,
        ),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(
            help="Of a chorale: the part that is given: soprano (the default), alto, tenor or bass.",
            autocompletion=completion.choices(NAMES),
        ),
    ] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    strict: Strict = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a model: bits per note, first choices, and how its own music compares with the corpus."""
    import sys

    from improviser.commands.notices import give_notice
    from improviser.console_output import say, say_json, warn
    from improviser.core.tasks.registry import describe
    from improviser.library.catalogue import load_model
    from improviser.training.evaluation import evaluate as score
    from improviser.training.places_to_work import WhereToWork
    from improviser.training.view import steps_shown
    from improviser.training.voices import read_sources

    loaded = load_model(model)
    given = _given(loaded, part)
    with WhereToWork(workers, cluster).open() as executor, steps_shown(sys.stderr) as progress:
        read = read_sources(sources, progress, strict=strict, for_training=False, executor=executor)
    give_notice(read.remarks)
    together = describe(loaded.task).together
    values: dict[str, Any] = {"model": loaded.name, "task": loaded.task}
    if together:
        values |= _scored_together(loaded, read.pieces, seed, temperature, given)
    else:
        values |= score(
            loaded, read.pieces, seed=seed, temperature=1.0 if temperature is None else temperature
        ).values()
    values |= {"skipped": list(read.skipped), "remarks": list(read.remarks)}
    if json:
        say_json(values, indent=2)
        return
    for line in _table_together(values) if together else _table(values):
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


def _given(model: Any, part: str | None) -> int:
    """Return the part of a chorale that is given.

    :raises ConfigError: if there is none of that name, or nothing that answers it.
    """
    from improviser.core.tasks.registry import describe
    from improviser.errors import ConfigError

    if part is None:
        return 0
    if not describe(model.task).together:
        raise ConfigError(f"--part is for models such as bach-chorale, and {model.name} is for {model.task}")
    given = NAMES.index(part) if part in NAMES else -1
    if given not in model.answered:
        known = " or ".join(NAMES[each] for each in model.answered)
        raise ConfigError(f"--part is {part!r}; {model.name} answers {known}")
    return given


def _scored_together(model: Any, pieces: Any, seed: int, temperature: float | None, given: int) -> dict[str, Any]:
    from improviser.training.chorale_evaluation import TEMPERATURES, evaluate_together

    temperatures = TEMPERATURES if temperature is None else (temperature,)
    return evaluate_together(model, pieces, seed=seed, temperatures=temperatures, given=given)


def _table_together(values: dict[str, Any]) -> list[str]:
    pieces = "{lowest:.3f} – {highest:.3f}, median {median:.3f}, deviation {deviation:.3f}".format(
        **values["per_piece"]
    )
    width = max(map(len, values["left_to_itself"]))
    drawn = "".join(f"{f'at {temperature:g}':>9}" for temperature in values["temperatures"])
    lines = [
        f"{values['model']} ({values['task']}) on {values['pieces']} pieces, {values['notes']} chords",
        f"  given           the {values['part']}",
        f"  bits per chord  {values['bits_per_onset']:.3f}",
        f"  by piece        {pieces}",
        f"  first choice    {values['top_1']:.3f}",
        f"  {'left to itself':<{width + 2}}  corpus{drawn}",
    ]
    for name, pair in values["left_to_itself"].items():
        own = "".join("        –" if share is None else f"{share:>9.4f}" for share in pair["model"])
        theirs = "     –" if pair["corpus"] is None else f"{pair['corpus']:.4f}"
        lines.append(f"    {name:<{width}}  {theirs}{own}")
    far = "".join(f"{distance:>9.4f}" for distance in values["distance"])
    lines.append(f"    {'mean distance':<{width}}        {far}")
    if values["told_apart"] is None:
        lines.append("  told from the corpus: not measured, since scikit-learn is not installed")
    else:
        told = "".join("        –" if share is None else f"{share:>9.4f}" for share in values["told_apart"])
        lines.append(f"    {'told from corpus':<{width}}        {told}")
    grade = values["grade"]
    own = "".join(f"{each:>9.2f}" for each in grade["model"])
    lines.append(f"    {'Bach or Mock':<{width}}  {grade['corpus']:>6.2f}{own}")
    return [
        *lines,
        "  (told from corpus: a classifier's accuracy, .5 at best; Bach or Mock: a grade, an alarm where it is high)",
    ]
