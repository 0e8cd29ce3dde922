"""`improviser train`: evolve a network on MIDI files."""

from typing import Annotated

import typer

from improviser.commands.options import Force, Strict
from improviser.commands.train_options import (
    Choir,
    Cluster,
    Divergence,
    LayerType,
    Lookback,
    Mutation,
    Output,
    Parts,
    Player,
    Sources,
    StepSize,
    Survivors,
    Voice,
    Without,
    Workers,
)
from improviser.commands.web_option import web_option
from improviser.core.tasks.registry import tasks_explained


def train(
    sources: Sources,
    *,
    output: Output = None,
    task: Annotated[str, typer.Option(help=f"What to evolve for. {tasks_explained()}.")] = "harmony",
    strategy: Annotated[str | None, typer.Option(help="How to breed: cma, or ga, a genetic algorithm.")] = None,
    population: Annotated[int | None, typer.Option(help="How many networks a generation has.")] = None,
    generations: Annotated[int | None, typer.Option(help="Stop after this many generations.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many without a new champion.")] = None,
    voice: Voice = None,
    player: Player = None,
    parts: Parts = None,
    choir: Choir = None,
    lookback: Lookback = None,
    layers: Annotated[str | None, typer.Option(metavar="20,20", help="The sizes of the hidden layers.")] = None,
    seed: Annotated[int, typer.Option(help="With the same --generations, the same seed gives the same model.")] = 0,
    workers: Workers = None,
    cluster: Cluster = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a run that was stopped, if there is one.")] = False,
    checkpoint: Annotated[int, typer.Option(help="Generations between checkpoints; 0 means none.")] = 50,
    force: Force = False,
    strict: Strict = False,
    report: Annotated[bool, typer.Option(help="Write a log, a curve and a card beside the model.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per generation.")] = False,
    web: Annotated[str | None, web_option("Watch, hear and stop the training")] = None,
    without: Without = None,
    step_size: StepSize = None,
    layer_type: LayerType = None,
    mutation: Mutation = None,
    divergence: Divergence = None,
    survivors: Survivors = None,
) -> None:
    """Evolve a network on MIDI files and save the best one. Ctrl-C ends early and keeps the champion."""
    from improviser.threads import use_one_thread

    use_one_thread()  # before anything imports numpy
    from improviser.commands.train_run import How, names, numbers_of, run
    from improviser.training.places import Places, place_in_library
    from improviser.training.places_to_work import WhereToWork
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
        layers=numbers_of(layers),
        layer_type=layer_type,
        mutation=mutation,
        divergence=divergence,
        survivors=survivors,
        voice=voice,
        player=player,
        parts=None if parts is None else str(parts),
        choir=choir,
        without=names(without),
        step_size=step_size,
        seed=seed,
        strict=strict,
    )
    output = output or place_in_library(sources, task, resume=resume)
    places = Places(output, report=report, resume=resume, force=force)
    run(options, places, How(WhereToWork(workers, cluster), checkpoint, as_json=json, web=web))
