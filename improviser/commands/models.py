"""`improviser models`: what is bundled, and what is in the user's folder."""

import sys
from typing import Annotated

import typer


def models(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the models that can be played by name."""
    from improviser import library

    entries = library.listing()
    if json:
        import msgspec

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
        print(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    for entry in entries:
        where = "bundled" if entry.bundled else str(entry.path)
        if entry.model:
            print(f"{entry.name:<20} {entry.model.task:<8} {where}")
        else:
            print(f"{entry.problem}", file=sys.stderr)
    if not any(entry.model for entry in entries):
        print("There are no models yet; evolve one with `improviser train`.")
    print(f"Your own models: {library.user_folder()}")
