"""A training run as the command makes it: read, breed where one can watch, calibrate, save, and say what came of it."""

import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial

from improviser.commands.notices import give_notice
from improviser.commands.train_told import tell_next, tell_plan, tell_result, tell_resume, tell_worth
from improviser.console_output import print_nowhere, reader_has_gone, say, warn
from improviser.errors import ConfigError
from improviser.training import checkpoint as checkpoints
from improviser.training.crew import Crew
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.generations import Generation
from improviser.training.page_view import PageView, Views
from improviser.training.places import Places
from improviser.training.places_to_work import WhereToWork, described
from improviser.training.preview import Preview
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.report import write_report
from improviser.training.run_page import run_page
from improviser.training.stopping import StopRequest, stop_request
from improviser.training.trainer import Checkpoints, Run, calibrate, save_model, train
from improviser.training.view import steps_shown, view_for
from improviser.training.workers import Workers, working_on


@dataclass(frozen=True, slots=True)
class How:
    """How a run goes, whatever comes of it: where it is bred, generations between checkpoints, where it is shown."""

    where: WhereToWork = field(default_factory=WhereToWork)
    checkpoint: int = 50
    as_json: bool = False
    web: str | None = None

    def __post_init__(self) -> None:
        if self.checkpoint < 0:
            raise ConfigError(f"--checkpoint is {self.checkpoint}; give a number of generations, or 0 for none")


def run(options: Options, places: Places, how: How) -> None:
    """Train with `options`, write everything and say so.

    :raises ImproviserError: if that is not possible.
    :raises KeyboardInterrupt: at the end, if that was asked for by a Ctrl-C.
    """
    places.check()
    with ExitStack() as breeding:
        _run(options, places, how, breeding.enter_context(how.where.open()), breeding.close)


def _run(options: Options, places: Places, how: How, executor: Executor | None, leave: Callable[[], None]) -> None:
    """Train and say so.

    :param leave: is called when the executor has done its part.
    """
    recipe = _prepare(options, executor)
    kept = Checkpoints(places.checkpoint, how.checkpoint, places.resume)
    if places.resume and not kept.path.exists():
        warn(f"there is no checkpoint {kept.path}: the run begins anew")
    if not how.as_json:
        tell_plan(options, recipe, places.output, described(executor))
    with stop_request() as request, run_page(how.web, warn if how.as_json else say, request.end) as page:
        preview = Preview(recipe.build)
        looked_at = PageView(recipe.limits, recipe.members, f"Training: {options.task}", preview, page)
        plan = EvolutionPlan.of(recipe, options.seed)
        crew = None if executor is None else Crew()
        hands = nullcontext(Workers()) if executor is None else working_on(executor, plan, crew)
        done = _bred(options, recipe, kept, how, hands, crew, request, preview, looked_at)
        leave()
        looked_at.say("calibrating")
        with steps_shown(sys.stderr) as progress:
            calibrate(recipe, done, partial(progress, "calibrating"), request)
        scores = save_model(places.output, recipe, done) if done.champions else {}
        if places.report and scores:
            write_report(places.output, options, recipe, done, scores)
        looked_at.say(f"saved as {places.output.name}" if scores else "nothing was saved")
        if done.complete and not request.asked:  # else --resume calibrates to the end
            checkpoints.remove(kept.path)
    if done.problem:
        warn("there is no new checkpoint:", done.problem)
    tell_result(places.output, scores, recipe.skipped, quiet=how.as_json)
    if scores and not how.as_json:
        if not request.asked:
            tell_worth(places.output, recipe, done)
        tell_next(places.output, options.task)
    if request.asked and kept.path.exists() and not how.as_json:
        tell_resume()
    if request.interrupted:
        raise KeyboardInterrupt


def _bred(
    options: Options,
    recipe: Recipe,
    kept: Checkpoints,
    how: How,
    place: AbstractContextManager[Workers],
    crew: Crew | None,
    request: StopRequest,
    preview: Preview,
    looked_at: PageView,
) -> Run:
    """Breed, and show how it goes."""
    title = f"evolving {options.task}"
    view = view_for(recipe.limits, recipe.members, as_json=how.as_json, title=title, preview=preview, crew=crew)
    views = Views(view, looked_at)

    def show(member: int, generation: Generation) -> None:
        try:
            views.show(member, generation)
        except OSError as error:
            if not reader_has_gone(error):
                raise
            print_nowhere()  # the reader has closed the pipe (`| head`): end, and keep the champion
            request.ask(signal.SIGTERM, None)

    with place as hands, views:
        return train(
            recipe,
            seed=options.seed,
            workers=hands,
            checkpoints=kept,
            report=show,
            stopped=request,
            watch=preview.watch,
        )


def _prepare(options: Options, executor: Executor | None) -> Recipe:
    """Read the sources to learn from, and show the progress."""
    with steps_shown(sys.stderr) as progress:
        recipe = prepare(options, progress, executor)
    give_notice(recipe.remarks)
    return recipe


def numbers_of(text: str | None) -> tuple[int, ...] | None:
    """Return the numbers in `20,20`; an empty text is no hidden layer.

    :raises ConfigError: if they are none.
    """
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"--layers is {text!r}; give numbers of nodes such as 20,20") from None


def names(text: str | None) -> tuple[str, ...] | None:
    """Return the names between commas."""
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())
