"""`improviser models`: what is bundled, and what is in the user's folder."""

from typing import Annotated

import typer


def models(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the models that you can play by name."""
    from improviser.console_output import say, say_json, warn
    from improviser.library import catalogue

    entries = catalogue.listing()
    if json:
        rows = [
            {
                "name": entry.name,
                "path": str(entry.path),
                "bundled": entry.bundled,
                "task": entry.model.task if entry.model else None,
                "problem": entry.problem,
            }
            for entry in entries
        ]
        say_json(rows, indent=2)
        return
    for entry in entries:
        where = "bundled" if entry.bundled else str(entry.path)
        if entry.model:
            say(f"{entry.name:<20} {entry.model.task:<8} {where}")
        else:
            warn(entry.problem)
    if any(entry.model and entry.model.task == "melody" for entry in entries) and (mixed := catalogue.mixed()):
        say(f"{catalogue.AUTO:<20} {'melody':<8} whichever of {', '.join(mixed)} foresees your notes best")
    if not any(entry.model for entry in entries):
        say("There are no models yet; evolve one with `improviser train`.")
    say(f"Your own models: {catalogue.user_folder()}")
