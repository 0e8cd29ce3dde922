"""A search for the best recipe as the command makes it: read, try, write the table, and say what is best."""

import sys
from collections.abc import Sequence
from pathlib import Path

from improviser.commands.notices import give_notice
from improviser.console_output import say, say_json, warn
from improviser.files import write_atomically
from improviser.shell import joined
from improviser.training import checkpoint
from improviser.training.crew import Crew
from improviser.training.places import Places
from improviser.training.places_to_work import WhereToWork
from improviser.training.recipe import Options
from improviser.training.stopping import stop_request
from improviser.training.trials import Here, Search, check_task, deadline, search, trials_for
from improviser.training.tuning import RUNGS, Tried, ranked
from improviser.training.view import steps_shown


def run(
    options: Options,
    where: WhereToWork,
    output: Path,
    *,
    minutes: float,
    rounds: int | None,
    resume: bool,
    force: bool,
    as_json: bool = False,
) -> None:
    """Search, write the table, and say what is best.

    :raises ImproviserError: if that is not possible.
    :raises KeyboardInterrupt: at the end, if that was asked for by a Ctrl-C.
    """
    places = Places(output, report=False, resume=resume, force=force)
    places.check()
    path = places.checkpoint
    if not resume and path.exists():
        checkpoint.remove(path)
    check_task(options)
    with where.open() as executor:
        with steps_shown(sys.stderr) as progress:
            trials = trials_for(options, progress, executor)
        give_notice(trials.known.material.remarks)
        found = Search.begin(trials, path, resume=resume)
        known, crew = set(found.tried), Crew()

        def report(one: Tried) -> None:
            if one.key not in known:
                _tell(one, crew, as_json=as_json)

        if not as_json:
            say(f"searching for {minutes:g} minutes; Ctrl-C ends early, and --resume goes on from there")
        with stop_request() as request, deadline(minutes, request) as stopped:
            search(trials, executor or Here(), found, stopped=stopped, report=report, rounds=rounds, crew=crew)
    if found.problem:
        warn("the search cannot be resumed:", found.problem)
    _conclude(options, output, list(found.tried.values()), as_json=as_json)
    if rounds is not None and not stopped():
        checkpoint.remove(path)
    if request.interrupted:
        raise KeyboardInterrupt


def _tell(one: Tried, crew: Crew, *, as_json: bool) -> None:
    if as_json:
        say_json({**_values(one), **crew.values()})
        return
    speed = f"{crew.total().evaluations:,.0f} networks/s"
    say(f"round {one.round + 1}, rung {one.rung + 1} of {RUNGS}: {-one.held_out:.3f} bits, {_words(one)}  ({speed})")


def _values(one: Tried) -> dict[str, object]:
    return {
        "round": one.round + 1,
        "rung": one.rung + 1,
        "bits": -one.held_out,
        "evaluations": one.evaluations,
        "seconds": one.seconds,
        "options": one.trial.options(),
    }


def _words(one: Tried) -> str:
    return joined(one.trial.arguments())


def command_of(options: Options, best: Tried) -> str:
    """Return the command that trains by the best recipe."""
    voice = [] if options.voice is None else ["--voice", options.voice]
    words = ["improviser", "train", *options.sources, "--task", options.task, *voice, *best.trial.arguments()]
    return joined(words)


def _conclude(options: Options, output: Path, tried: Sequence[Tried], *, as_json: bool) -> None:
    """Write the table, and say what is best.

    :raises OutputError: if it cannot be written.
    """
    if not tried:
        (warn if as_json else say)("stopped before anything was tried; nothing was written")
        return
    best = ranked(tried)
    command = command_of(options, best[0])
    write_atomically(output, table(best, command).encode())
    if as_json:
        say_json({"best": _values(best[0]), "command": command, "output": str(output)})
        return
    say(f"the best of {len(best)} recipes, {-best[0].held_out:.3f} bits a note held out; all are in {output}")
    say(f"train by it:  {command}")


def table(best: Sequence[Tried], command: str) -> str:
    """Return what was found in Markdown: the command, and a line for each recipe, the best first."""
    lines = [
        "# Recipes that were tried",
        "",
        "Bits a note of a single network on pieces that nothing was learned from; the fewer, the better. Those of a",
        "higher rung were bred for three times as long as those of the one below, and go before them.",
        "",
        f"    {command}",
        "",
        "| rung | bits | networks scored | seconds | recipe |",
        "|---|---|---|---|---|",
        *(
            f"| {one.rung + 1} | {-one.held_out:.4f} | {one.evaluations:,} | {one.seconds:.1f} | `{_words(one)}` |"
            for one in best
        ),
    ]
    return "\n".join(lines) + "\n"
