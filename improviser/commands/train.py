"""`improviser train`: evolve a network on MIDI files."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.commands.options import SOURCES, Force, Strict
from improviser.core.tasks.registry import tasks_explained

if TYPE_CHECKING:
    from improviser.training.generations import Generation
    from improviser.training.places import Places
    from improviser.training.recipe import Options, Recipe


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
    strategy: Annotated[str | None, typer.Option(help="ga or cma.")] = None,
    population: Annotated[int | None, typer.Option(help="How many networks a generation has.")] = None,
    generations: Annotated[int | None, typer.Option(help="Stop after this many generations.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after this many generations without a new champion.")
    ] = None,
    voice: Annotated[str | None, typer.Option(help="harmony: the voice to learn: bass, tenor or alto.")] = None,
    choir: Annotated[
        int | None,
        typer.Option(help="harmony, melody: how many networks play as one; by default up to 6, if there is time."),
    ] = None,
    lookback: Annotated[
        int | None, typer.Option(help="echo: how many notes a network hears, the current one included.")
    ] = None,
    layers: Annotated[str | None, typer.Option(metavar="20,20", help="The sizes of the hidden layers.")] = None,
    seed: Annotated[int, typer.Option(help="With the same --generations, the same seed gives the same model.")] = 0,
    workers: Annotated[int, typer.Option(help="How many processes to train with; the result is the same.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a run that was stopped, if there is one.")] = False,
    checkpoint: Annotated[int, typer.Option(help="Generations between checkpoints; 0 means none.")] = 50,
    force: Force = False,
    strict: Strict = False,
    report: Annotated[bool, typer.Option(help="Write a log, a curve and a card beside the model.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per generation.")] = False,
    layer_type: Annotated[str | None, typer.Option(help="echo: object (nodes average) or matrix (they sum).")] = None,
    mutation: Annotated[str | None, typer.Option(help="echo: factor, offset (normal noise) or selection.")] = None,
    divergence: Annotated[float | None, typer.Option(help="echo: how strong mutations are.")] = None,
    survivors: Annotated[float | None, typer.Option(help="echo: the share of networks that survive unchanged.")] = None,
) -> None:
    """Evolve a network on MIDI files and save the best one. Ctrl-C ends early and keeps the champion."""
    from improviser.threads import use_one_thread

    use_one_thread()  # before anything imports numpy
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
        choir=choir,
        seed=seed,
        strict=strict,
    )
    if output is None:
        output = place_in_library(sources, options.task, resume=resume)
    places = Places(output, report=report, resume=resume, force=force)
    _train(options, places, workers=workers, checkpoint=checkpoint, as_json=json)


def _train(options: "Options", places: "Places", *, workers: int, checkpoint: int, as_json: bool) -> None:
    """Train with `options` and write everything."""
    from functools import partial

    from improviser.commands.train_told import tell_next, tell_plan, tell_result, tell_resume, tell_worth
    from improviser.console_output import warn
    from improviser.errors import ConfigError
    from improviser.training import checkpoint as checkpoints
    from improviser.training.evolution_plan import EvolutionPlan
    from improviser.training.preview import Preview
    from improviser.training.report import write_report
    from improviser.training.stopping import stop_request
    from improviser.training.trainer import Checkpoints, calibrate, save_model, train
    from improviser.training.view import steps_shown, view_for
    from improviser.training.workers import working

    if not 1 <= workers <= 64:
        raise ConfigError(f"--workers is {workers}; give 1–64")
    if checkpoint < 0:
        raise ConfigError(f"--checkpoint is {checkpoint}; give a number of generations, or 0 for none")
    places.check()
    recipe = _prepare(options)
    output, kept = places.output, Checkpoints(places.checkpoint, checkpoint, places.resume)
    if places.resume and not kept.path.exists():
        warn(f"there is no checkpoint {kept.path}: the run begins anew")
    if not as_json:
        tell_plan(options, recipe, output, workers)
    preview, title = Preview(recipe.build), f"evolving {options.task}"
    view = view_for(recipe.limits, recipe.members, as_json=as_json, title=title, preview=preview)
    with stop_request() as request, working(workers, EvolutionPlan.of(recipe, options.seed)) as hands:

        def show(member: int, generation: "Generation") -> None:
            try:
                view.show(member, generation)
            except BrokenPipeError:  # nobody reads on (`| head`): as if told to end, the champion is kept
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                request.ask(signal.SIGTERM, None)

        with view:
            done = train(
                recipe,
                seed=options.seed,
                workers=hands,
                checkpoints=kept,
                report=show,
                stopped=request,
                watch=preview.watch,
            )
        with steps_shown(sys.stderr) as progress:
            calibrate(recipe, done, partial(progress, "calibrating"), request)
        scores = save_model(output, recipe, done) if done.champions else {}
        if places.report and scores:
            write_report(output, options, recipe, done, scores)
    if done.complete and not request.asked:  # else --resume calibrates to the end
        checkpoints.remove(kept.path)
    if done.problem:
        warn("there is no new checkpoint:", done.problem)
    tell_result(output, scores, recipe.skipped, quiet=as_json)
    if not as_json:
        if scores and not request.asked:
            tell_worth(output, recipe, done)
        if scores:
            tell_next(output, options.task)
        if request.asked and kept.path.exists():
            tell_resume()
    if request.interrupted:
        raise KeyboardInterrupt


def _prepare(options: "Options") -> "Recipe":
    """Read what is to be learned from, and show how far that is."""
    from improviser.commands.notices import give_notice
    from improviser.training.recipe import prepare
    from improviser.training.view import steps_shown

    with steps_shown(sys.stderr) as progress:
        recipe = prepare(options, progress)
    give_notice(recipe.remarks)
    return recipe


def _layers(text: str | None) -> tuple[int, ...] | None:
    """Return the numbers in `20,20`; an empty text is no hidden layer."""
    from improviser.errors import ConfigError

    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"--layers is {text!r}; give numbers of nodes such as 20,20") from None
