"""Trying recipes on an executor: a worker makes a recipe's task of the pieces itself, and breeds a network for it."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from improviser.core.harmony.session import VIEWPOINTS as HARMONY_VIEWPOINTS
from improviser.core.melody.session import VIEWPOINTS as MELODY_VIEWPOINTS
from improviser.errors import ConfigError, OutputError
from improviser.training import checkpoint, harmony_recipe, melody_recipe
from improviser.training.choir_recipe import Heard, choir_recipe
from improviser.training.crew import Crew, Share
from improviser.training.evolution_plan import Advanced, EvolutionPlan
from improviser.training.mapping import result_of
from improviser.training.progress import Progress, silent
from improviser.training.recipe import Options, Recipe
from improviser.training.tuning import RUNGS, Trial, Tried, candidates, key_of, survivors
from improviser.training.voices import read_sources
from improviser.training.workers import Calls
from improviser.version import __version__

HEARD = {"harmony": harmony_recipe.heard, "melody": melody_recipe.heard}
VIEWPOINTS = {"harmony": tuple(HARMONY_VIEWPOINTS), "melody": tuple(MELODY_VIEWPOINTS)}
PREPARED = 2
"""Recipes that a worker keeps prepared."""
LOOK_SECONDS = 0.5
KEEP_SECONDS = 5.0
UNLIMITED = 10**9
State = Mapping[str, Any] | None


def trials_for(options: Options, progress: Progress = silent, executor: Executor | None = None) -> "Trials":
    """Read the corpus and return what all trials are about.

    :param executor: whose workers read; None: this process.
    :raises ConfigError: for a task whose recipes cannot be tuned.
    :raises UserError: if the sources are of no use.
    """
    check_task(options)
    read = read_sources(options.sources, progress, strict=options.strict, executor=executor)
    return Trials(options, HEARD[options.task](options, read, progress, executor))


def check_task(options: Options) -> None:
    """Refuse a task whose recipes cannot be tuned.

    :raises ConfigError: if it is one.
    """
    if options.task not in HEARD:
        raise ConfigError(f"--task is {options.task}; tune finds recipes for {' and '.join(HEARD)}")


class Trials:
    """What all trials are about: the options that they share, and the corpus; it can be sent to other processes."""

    def __init__(self, options: Options, known: Heard) -> None:
        self.options = replace(options, choir=1, generations=UNLIMITED, minutes=None)
        self.known = known
        self._prepared: OrderedDict[Trial, Recipe] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return Trials, (self.options, self.known)

    def recipe(self, trial: Trial) -> Recipe:
        """Return the recipe of a trial."""
        if trial not in self._prepared:
            options = replace(self.options, **trial.options())
            self._prepared[trial] = choir_recipe(options, self.known, silent)
        self._prepared.move_to_end(trial)
        while len(self._prepared) > PREPARED:
            self._prepared.popitem(last=False)
        return self._prepared[trial]

    def advance(self, trial: Trial, state: State, generations: int) -> tuple[Advanced, float]:
        """Breed a trial on from a state, up to so many generations in all; return what it came to, and the seconds."""
        started = time.perf_counter()
        plan = EvolutionPlan.of(self.recipe(trial), self.options.seed)
        advanced = plan.advance(0, state, generations - (0 if state is None else int(state["generation"])), 1)
        return advanced, time.perf_counter() - started


def _advance(trials: Trials, trial: Trial, state: State, generations: int) -> tuple[Advanced, float]:
    return trials.advance(trial, state, generations)


def _share(outcome: tuple[Advanced, float]) -> Share:
    bred = outcome[0].generations
    return Share(len(bred), len(bred) * bred[-1].evaluations / bred[-1].generation if bred else 0)


class Here(Executor):
    """Makes calls in this process, at once."""

    _max_workers = 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call `fn`; what it returns or raises is there already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  it is for who asks for the result
            future.set_exception(error)
        return future


@dataclass(slots=True)
class Search:
    """What has been tried, and how far those are that go on; kept in a file after each trial.

    :param path: the file; None: it is kept nowhere.
    :param identity: what a file must agree with to be gone on with.
    """

    path: Path | None
    identity: Mapping[str, Any]
    tried: dict[str, Tried] = field(default_factory=dict)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What those have come to that may go on, on their way to a result or with one."""
    seconds: dict[tuple[int, int], float] = field(default_factory=dict)
    """The work on each so far, by round and number, since this process began."""
    kept_at: float = -math.inf
    problem: str | None = None
    """Why it could not be kept, if it could not."""

    @classmethod
    def begin(cls, trials: Trials, path: Path | None, *, resume: bool) -> "Search":
        """Return a search at its beginning, or as it was put down.

        :raises ModelError: if the file is of another search, or damaged.
        """
        options = trials.options
        identity = {
            "tuning of": options.task,
            "voice": options.voice,
            "seed": options.seed,
            "notes": trials.known.fingerprint,
            "version": __version__,
            "form": checkpoint.FORM,
        }
        search = cls(path, identity)
        if resume and path is not None and (kept := checkpoint.load(path, identity)) is not None:
            search.states = dict(kept["states"])
            for row in kept["tried"]:
                one = _read(row)
                search.tried[one.key] = one
        return search

    def keep(self, number_of_round: int, *, seconds: float = 0.0) -> None:
        """Forget the states of other rounds, which go on no more, and write all that is needed to go on.

        :param seconds: not if it was written so lately.
        """
        self.states = {key: state for key, state in self.states.items() if key.startswith(f"{number_of_round}/")}
        if self.path is None or time.monotonic() - self.kept_at < seconds:
            return
        rows = [_row(one) for one in self.tried.values()]
        try:
            checkpoint.save(self.path, {"tried": rows, "states": self.states}, self.identity)
        except OutputError as error:  # what is found is worth more than what could be resumed
            self.problem = str(error)
        self.kept_at = time.monotonic()


def _row(one: Tried) -> dict[str, Any]:
    values = asdict(one)
    return values | {"held_out": one.held_out if math.isfinite(one.held_out) else None}


def _read(row: Mapping[str, Any]) -> Tried:
    trial = Trial(**{**row["trial"], "without": tuple(row["trial"]["without"])})
    held_out = -math.inf if row["held_out"] is None else row["held_out"]
    return Tried(**{**row, "trial": trial, "held_out": held_out})


def search(
    trials: Trials,
    executor: Executor,
    found: Search,
    *,
    stopped: Callable[[], bool],
    report: Callable[[Tried], None] = lambda _: None,
    rounds: int | None = None,
    crew: Crew | None = None,
) -> None:
    """Try recipes until `stopped()`, or for so many rounds; all of a rung at a time, as many as there are workers.

    :param report: gets each result as it comes.
    :raises ImproviserError: if the workers are lost.
    """
    calls = Calls(executor, trials, crew or Crew())
    viewpoints = VIEWPOINTS[trials.options.task]
    number_of_round = 0
    while not stopped() and (rounds is None or number_of_round < rounds):
        before = [one for one in found.tried.values() if one.round < number_of_round]
        begun = candidates(number_of_round, trials.options.seed, viewpoints, before)
        alive = list(range(len(begun)))
        for rung in range(RUNGS):
            results = {}
            try:
                for one in _rung(
                    calls, found, number_of_round, rung, {number: begun[number] for number in alive}, stopped
                ):
                    results[one.number] = one.held_out
                    report(one)
            finally:
                found.keep(number_of_round)
            if len(results) < len(alive):  # it was stopped
                return
            alive = survivors(results)
        number_of_round += 1


def _rung(
    calls: Calls,
    found: Search,
    number_of_round: int,
    rung: int,
    trials: Mapping[int, Trial],
    stopped: Callable[[], bool],
) -> Iterator[Tried]:
    """Yield the results of a rung as they come: those that are known, then those that are tried now, until stopped."""
    keys = {number: key_of(number_of_round, rung, number) for number in trials}
    yield from (found.tried[key] for key in keys.values() if key in found.tried)
    waiting = deque(number for number in trials if keys[number] not in found.tried)
    open_calls: dict[Future[Any], int] = {}
    while (waiting or open_calls) and not stopped():
        while waiting and len(open_calls) < calls.workers and not stopped():
            number = waiting.popleft()
            trial = trials[number]
            state = found.states.get(keys[number], found.states.get(key_of(number_of_round, rung - 1, number)))
            # A part of the way at a time, so that a stop need not wait, and little is lost.
            reached = 0 if state is None else int(state["generation"])
            goal = min(trial.generations(rung), reached + trial.generations(0))
            open_calls[calls.submit(_share, _advance, trial, state, goal)] = number
        done, _ = wait(open_calls, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in sorted(done, key=open_calls.__getitem__):
            number = open_calls.pop(future)
            advanced, seconds = result_of(future)
            found.states[keys[number]] = advanced.state
            found.seconds[number_of_round, number] = found.seconds.get((number_of_round, number), 0.0) + seconds
            if advanced.state["generation"] < trials[number].generations(rung):
                waiting.appendleft(number)
            else:
                one = _tried(found, number_of_round, rung, number, trials[number], advanced.state)
                found.tried[one.key] = one
                yield one
            found.keep(number_of_round, seconds=KEEP_SECONDS)


def _tried(
    found: Search, number_of_round: int, rung: int, number: int, trial: Trial, state: Mapping[str, Any]
) -> Tried:
    champion = state["champion"]
    held_out = None if champion is None else champion["held_out"]
    return Tried(
        number_of_round,
        rung,
        number,
        trial,
        -math.inf if held_out is None else float(held_out),
        int(state["evaluations"]),
        found.seconds[number_of_round, number],
    )


@contextmanager
def deadline(minutes: float, asked: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Give what says whether the minutes are over, or somebody has asked to stop."""
    end = time.monotonic() + 60 * minutes
    yield lambda: asked() or time.monotonic() >= end
