"""What `improviser learn` does: read recordings, breed, keep what is better, tell."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from improviser.console_output import say, say_json, warn
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError, OutputError
from improviser.files import create_folder
from improviser.library import catalogue, former, model_file
from improviser.library.catalogue import PERSONAL
from improviser.locks import taken_in_turn
from improviser.recordings.midi_recording import default_folder
from improviser.training.personal import Personal, lock_of, model_before, place
from improviser.training.personal import learn as breed
from improviser.training.places_to_work import WhereToWork
from improviser.training.progress import Progress
from improviser.training.recorded_tunes import is_named, read_tunes, sessions
from improviser.training.view import steps_shown


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; see the options of the command."""

    recordings: Sequence[Path]
    left_out: Sequence[str]
    minutes: float
    output: Path | None
    seed: int


def run(wanted: Wanted, *, force: bool, workers: int | None, json: bool) -> None:
    """Learn, and tell what came of it.

    :raises ImproviserError: if there is nothing to learn from, or what was learned cannot be written.
    """
    file = place(wanted.output, force=force)
    default = default_folder()
    if not wanted.recordings and not default.is_dir():
        raise CorpusError(f"nothing is recorded yet in {default}; play first, or name recordings")
    paths = _chosen(wanted, default)
    failed = None
    # One after the other, so that who learns last is measured against what the one before has learned.
    with (
        taken_in_turn(lock_of(file), lambda: warn("waiting until another `improviser learn` is done")),
        steps_shown(sys.stderr) as progress,
    ):
        try:
            with WhereToWork(workers).open() as executor:
                tunes, skipped = read_tunes(paths, progress, executor)
            for reason in skipped:
                warn("left out:", reason)
            learned = _bred(wanted, tunes, file, paths, progress)
        except (KeyboardInterrupt, SystemExit):
            warn("stopped: nothing is changed; the same command begins again")
            raise
        if learned.is_better:
            failed = _keep(learned, file, paths, wanted)
    kept = file if learned.is_better and failed is None else None
    if json:
        say_json(_values(learned, len(paths) - len(skipped), kept), indent=2)
    else:
        _tell(learned, len(paths) - len(skipped), file, kept)
    if failed is not None:
        raise failed


def _chosen(wanted: Wanted, default: Path) -> list[Path]:
    """Return the recordings to learn from; tell of names that leave out none.

    :raises CorpusError: if there are none.
    """
    every = sessions(wanted.recordings or [default])
    if not every:
        where = ", ".join(map(str, wanted.recordings or [default]))
        raise CorpusError(f"there are no logs and no MIDI files in {where}; play first, or name other recordings")
    for pattern in wanted.left_out:
        if not any(is_named(path, pattern) for path in every):
            warn(f"left out nothing: no recording is named {pattern!r}")
    paths = [path for path in every if not any(is_named(path, pattern) for pattern in wanted.left_out)]
    if not paths:
        raise CorpusError(f"--except leaves out all {len(every)} recordings; name fewer, or give other recordings")
    return paths


def _bred(wanted: Wanted, tunes: Sequence[Piece], file: Path, paths: Sequence[Path], progress: Progress) -> Personal:
    bundled = [catalogue.load_model(name) for name in catalogue.mixed() if name != PERSONAL]
    before = None if wanted.output is not None else model_before(file, [path.stem for path in paths])
    return breed(tunes, bundled, minutes=wanted.minutes, seed=wanted.seed, before=before, progress=progress)


def _keep(learned: Personal, file: Path, paths: Sequence[Path], wanted: Wanted) -> OutputError | None:
    """Write the model; return why that cannot be, so that what was found out can be told all the same."""
    try:
        create_folder(file.parent)
        if wanted.output is None:
            former.keep(file)
        provenance = learned.provenance([path.stem for path in paths], wanted.seed)
        model_file.write(file, catalogue.take_apart(learned.model, provenance))
        if wanted.output is None:
            former.keep(file)
    except OutputError as error:
        return error
    return None


def _values(learned: Personal, recordings: int, kept: Path | None) -> dict[str, object]:
    return {
        "recordings": recordings,
        "notes": learned.notes,
        "held_out_notes": learned.held_out_notes,
        "bundled": dict(learned.scores),
        "bred": dict(learned.bred),
        "mixed": learned.mixed,
        "mixed_with": learned.mixed_with,
        "kept": None if kept is None else str(kept),
    }


def _tell(learned: Personal, recordings: int, file: Path, kept: Path | None) -> None:
    others = learned.held_out_notes
    say(f"learned from {learned.notes} notes in {recordings} recordings; bits per note on {others} others:")
    mixed = {"auto": learned.mixed, "auto, with the best that was bred": learned.mixed_with}
    for name, bits in sorted({**learned.scores, **learned.bred, **mixed}.items(), key=lambda score: score[1]):
        say(f"  {bits:.3f}  {name}")
    if kept is not None:
        say(f"kept as {file}; play with --model {file.stem if file.stem == PERSONAL else file}")
    elif learned.is_better:
        say("what was bred predicts you better; free some room and learn again, or name another place with --output")
    elif file.exists():
        say(f"{file} stays as it is: nothing that was bred predicts you better")
    else:
        say("nothing is kept: a bundled model predicts you as well as any that was bred; play some more")
