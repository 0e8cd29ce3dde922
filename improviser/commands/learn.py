"""`improviser learn`: breed a model of your own playing from your recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from improviser.commands.options import Force

if TYPE_CHECKING:
    from improviser.training.personal import Personal


def learn(
    recordings: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RECORDING]...",
            help="Logs, MIDI files or folders of them; by default where sessions are recorded.",
        ),
    ] = None,
    *,
    left_out: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="NAME", help="Leave out recordings, such as somebody else's; * is anything."),
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=0.01, max=10_000, help="How long to breed from nothing, if you have played enough.")
    ] = 3.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The model file; by default the model 'me'.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same recordings and seed give the same adaptation.")] = 0,
    force: Force = False,
    workers: Annotated[int | None, typer.Option(help="How many processes to read with. By default 1.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn your own playing. The model is kept if it predicts you better than the bundled ones; play --model me."""
    import sys

    from improviser.threads import use_one_thread

    use_one_thread()  # before anything imports numpy
    from improviser.console_output import say_json, warn
    from improviser.errors import CorpusError
    from improviser.files import create_folder
    from improviser.library import catalogue, model_file
    from improviser.library.catalogue import PERSONAL
    from improviser.recordings.midi_recording import default_folder
    from improviser.training.personal import learn as breed
    from improviser.training.personal import model_before, place
    from improviser.training.places_to_work import WhereToWork
    from improviser.training.recorded_tunes import is_named, read_tunes, sessions
    from improviser.training.view import steps_shown

    file = place(output, force=force)
    default = default_folder()
    if not recordings and not default.is_dir():
        raise CorpusError(f"nothing is recorded yet in {default}; play first, or name recordings")
    every = sessions(recordings or [default])
    paths = [path for path in every if not any(is_named(path, pattern) for pattern in left_out or [])]
    with steps_shown(sys.stderr) as progress:
        with WhereToWork(workers).open() as executor:
            tunes, skipped = read_tunes(paths, progress, executor)
        bundled = [catalogue.load_model(name) for name in catalogue.mixed() if name != PERSONAL]
        names = [path.stem for path in paths]
        before = None if output is not None else model_before(file, names)
        learned = breed(tunes, bundled, minutes=minutes, seed=seed, before=before, progress=progress)
    if learned.is_better:
        create_folder(file.parent)
        model_file.write(file, catalogue.take_apart(learned.model, learned.provenance(names, seed)))
    for pattern in left_out or []:
        if not any(is_named(path, pattern) for path in every):
            warn(f"left out nothing: no recording is named {pattern!r}")
    for reason in skipped:
        warn("left out:", reason)
    count = len(paths) - len(skipped)
    if json:
        say_json(_values(learned, count, file), indent=2)
    else:
        _tell(learned, count, file)


def _values(learned: "Personal", recordings: int, file: Path) -> dict[str, object]:
    return {
        "recordings": recordings,
        "notes": learned.notes,
        "held_out_notes": learned.held_out_notes,
        "bundled": dict(learned.scores),
        "bred": dict(learned.bred),
        "mixed": learned.mixed,
        "mixed_with": learned.mixed_with,
        "kept": str(file) if learned.is_better else None,
    }


def _tell(learned: "Personal", recordings: int, file: Path) -> None:
    from improviser.console_output import say

    others = learned.held_out_notes
    say(f"learned from {learned.notes} notes in {recordings} recordings; bits per note on {others} others:")
    mixed = {"auto": learned.mixed, "auto, with the best that was bred": learned.mixed_with}
    for name, bits in sorted({**learned.scores, **learned.bred, **mixed}.items(), key=lambda score: score[1]):
        say(f"  {bits:.3f}  {name}")
    if learned.is_better:
        say(f"kept as {file}; play with --model {file.stem if file.stem == 'me' else file}")
    elif file.exists():
        say(f"{file} stays as it is: nothing that was bred predicts you better")
    else:
        say("nothing is kept: a bundled model predicts you as well as any that was bred; play some more")
