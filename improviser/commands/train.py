"""`improviser train`: evolve a network on MIDI files."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import SOURCES, Force, Strict
from improviser.commands.web_option import web_option
from improviser.core.tasks.registry import tasks_explained

Player = Annotated[
    str | None, typer.Option(help="harmony: the voice that the player sings: soprano, if nothing is said.")
]
Parts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="chorale: networks to be made of, such as tenor-to-bass.safetensors."),
]
Choir = Annotated[
    int | None,
    typer.Option(help="harmony, melody: how many networks play as one; by default up to 6, if there is time."),
]
Lookback = Annotated[int | None, typer.Option(help="echo: how many notes a network hears, the current one included.")]


def train(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help=SOURCES),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The model file to write; by default a new one of yours."),
    ] = None,
    task: Annotated[str, typer.Option(help=f"What to evolve for. {tasks_explained()}.")] = "harmony",
    strategy: Annotated[str | None, typer.Option(help="How to breed: cma, or ga, a genetic algorithm.")] = None,
    population: Annotated[int | None, typer.Option(help="How many networks a generation has.")] = None,
    generations: Annotated[int | None, typer.Option(help="Stop after this many generations.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many without a new champion.")] = None,
    voice: Annotated[
        str | None, typer.Option(help="harmony: the voice to learn: bass, tenor, alto or soprano.")
    ] = None,
    player: Player = None,
    parts: Parts = None,
    choir: Choir = None,
    lookback: Lookback = None,
    layers: Annotated[str | None, typer.Option(metavar="20,20", help="The sizes of the hidden layers.")] = None,
    seed: Annotated[int, typer.Option(help="With the same --generations, the same seed gives the same model.")] = 0,
    workers: Annotated[int, typer.Option(help="How many processes to train with; the result is the same.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a run that was stopped, if there is one.")] = False,
    checkpoint: Annotated[int, typer.Option(help="Generations between checkpoints; 0 means none.")] = 50,
    force: Force = False,
    strict: Strict = False,
    report: Annotated[bool, typer.Option(help="Write a log, a curve and a card beside the model.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per generation.")] = False,
    web: Annotated[str | None, web_option("Watch, hear and stop the training")] = None,
    layer_type: Annotated[str | None, typer.Option(help="echo: object (nodes average) or matrix (they sum).")] = None,
    mutation: Annotated[str | None, typer.Option(help="echo: factor, offset (normal noise) or selection.")] = None,
    divergence: Annotated[float | None, typer.Option(help="echo: how strong mutations are.")] = None,
    survivors: Annotated[float | None, typer.Option(help="echo: the share of networks that survive unchanged.")] = None,
) -> None:
    """Evolve a network on MIDI files and save the best one. Ctrl-C ends early and keeps the champion."""
    from improviser.threads import use_one_thread

    use_one_thread()  # before anything imports numpy
    from improviser.commands.train_run import How, run
    from improviser.training.places import Places, place_in_library
    from improviser.training.recipe import Options

    options = Options(
        sources=tuple(sources),
        task=task,
        strategy=strategy,
        population=population,
        generations=generations,
        minutes=minutes,
        patience=patience,
        lookback=lookback,
        layers=_layers(layers),
        layer_type=layer_type,
        mutation=mutation,
        divergence=divergence,
        survivors=survivors,
        voice=voice,
        player=player,
        parts=None if parts is None else str(parts),
        choir=choir,
        seed=seed,
        strict=strict,
    )
    output = output or place_in_library(sources, task, resume=resume)
    places = Places(output, report=report, resume=resume, force=force)
    run(options, places, How(workers, checkpoint, as_json=json, web=web))


def _layers(text: str | None) -> tuple[int, ...] | None:
    """Return the numbers in `20,20`; an empty text is no hidden layer."""
    from improviser.errors import ConfigError

    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"--layers is {text!r}; give numbers of nodes such as 20,20") from None
