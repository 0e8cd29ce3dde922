"""`improviser models`: what is bundled, and what is in the user's folder."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from improviser.library.catalogue import Entry


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
                "about": _about(entry) if entry.model else None,
                "problem": entry.problem,
            }
            for entry in entries
        ]
        say_json(rows, indent=2)
        return
    widest = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        if entry.model:
            say(f"{entry.name:<{widest}}  {_about(entry)}")
        else:
            warn(entry.problem)
    if any(entry.model and entry.model.task == "melody" for entry in entries) and catalogue.mixed():
        say(f"{catalogue.AUTO:<{widest}}  all melody models, mixed by how well each foresees your notes")
    if any(entry.model for entry in entries):
        say("Hear one: improviser demo --model NAME. Play: improviser play --model NAME.")
    else:
        say("There are no models yet; evolve one with `improviser train`.")
    say("Your own models are kept in")
    say(f"  {catalogue.user_folder()}")


STYLES = {
    "bach-alto": "Bach's chorales",
    "bach-bass": "Bach's chorales",
    "bach-chorale": "Bach's chorales",
    "bach-melody": "Bach's chorales",
    "bach-tenor": "Bach's chorales",
    "echo": "the first experiment",
    "folk-celtic": "Irish, Scottish",
    "folk-chinese": "Chinese songs",
    "folk-german": "German songs",
}
"""How the bundled models play what they play."""


def _about(entry: "Entry") -> str:
    """Return what a model does, and in what style or learned from what."""
    from improviser.core.tasks.registry import TASKS, what_it_plays

    if entry.model is None or entry.model.task not in TASKS:
        return "made by another version of improviser"
    plays = what_it_plays(entry.model.task, entry.model.settings)
    if entry.bundled and entry.name in STYLES:
        return f"{plays} ({STYLES[entry.name]})"
    sources = entry.model.provenance.get("sources", [])
    return f"{plays} (yours)" if len(sources) != 1 else f"{plays} (yours, from {sources[0].get('name', 'one piece')})"
