"""What `improviser train` says in words: what it is going to do, what came of it, and what to do next."""

import sys
from pathlib import Path

from improviser.console_output import say, warn
from improviser.core.tasks.registry import describe
from improviser.errors import ImproviserError
from improviser.library import catalogue
from improviser.library.model_file import SUFFIX
from improviser.shell import quoted
from improviser.training.recipe import Options, Recipe
from improviser.training.trainer import Run, genomes_of
from improviser.training.view import steps_shown
from improviser.training.yardsticks import COUNTING, compared, pitches_to_choose_among

MOST_NAMED = 5
"""Pieces that are named; of more, how many there are."""


def tell_plan(options: Options, recipe: Recipe, output: Path, where: str) -> None:
    """Say what is learned from, what is held out, where the result goes, how to end, and where it is bred."""
    pieces, notes = len(recipe.sources), sum(int(source.get("notes", 0)) for source in recipe.sources)
    say(f"learning {options.task} from {_counted(pieces, 'piece')} with {notes:,} notes")
    held = recipe.held_out
    more = f" and {len(held) - MOST_NAMED} more" if len(held) > MOST_NAMED else ""
    say(f"held out, to see how it does on new music: {', '.join(held[:MOST_NAMED])}{more}")
    say(f"the model will be {output}")
    say(f"Ctrl-C ends early and keeps the best; --resume goes on from there{'; ' if where else ''}{where}")


def tell_result(output: Path, scores: dict[str, float], skipped: tuple[str, ...], *, quiet: bool) -> None:
    """Say what was saved and what was left out; on standard error where the output is JSON."""
    tell = warn if quiet else say
    if scores:
        reached = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in scores.items())
        tell(f"saved {output}: {reached}")
    else:
        tell("stopped before the first generation was done; nothing was saved")
    if skipped:
        tell(f"{len(skipped)} files could not be used:")
        for reason in skipped:
            tell(f"  {reason}")


def tell_worth(output: Path, recipe: Recipe, done: Run) -> None:
    """Say what the result is worth: beside counting and the bundled models, in words that need no theory."""
    model = recipe.build(genomes_of(done))
    if recipe.comparison is None:
        say(f"(how closely it goes up and down with the tune: 1 is exactly; {describe(model.task).fitness})")
        return
    with steps_shown(sys.stderr) as progress:
        try:
            bits = compared(model, recipe.comparison, progress)
        except ImproviserError as error:  # what was trained is saved; that it cannot be compared is no fault of it
            warn(f"improviser: it could not be compared with others: {error}")
            return
    if not bits:
        return
    say("On notes that it has never seen, it is as unsure of the next one as if it drew")
    for name, its in sorted(bits.items(), key=lambda each: each[1]):
        what = f"{output.name.removesuffix(SUFFIX)} (yours)" if name == model.name else name
        what += ", of what followed what in the same pieces" if name == COUNTING else ""
        say(f"  from {pitches_to_choose_among(its):4.1f} pitches: {what}")
    say("The fewer, the better. A model worth playing with is clearly better than counting.")


def tell_next(output: Path, task: str) -> None:
    """Say how to hear it."""
    in_library = output.parent == catalogue.user_folder()
    name = quoted(output.name.removesuffix(SUFFIX) if in_library else str(output))
    mode = " --mode answer" if describe(task).alone else ""
    say(f"hear it:  improviser demo --model {name}")
    say(f"play it:  improviser play --model {name}{mode}  (no keyboard: add --web open)")


def tell_resume() -> None:
    """Say how to go on with a run that was stopped."""
    say("it was stopped before its end; the same command with --resume goes on")


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
