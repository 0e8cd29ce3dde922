"""`improviser replay`: play a recorded session again, and compare."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import Force

DIFFERENT = 1


def replay(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The .jsonl file of a session.")],
    out: Annotated[
        Path | None, typer.Argument(metavar="[OUT.mid]", help="Also write what is played now as a MIDI file.")
    ] = None,
    force: Force = False,
) -> None:
    """Play a session's log again and compare the notes: exit code 0 if they are the same, 1 if not."""
    from improviser.console_output import say
    from improviser.files import PRIVATE, check_writable, write_atomically
    from improviser.recordings.collecting import uncollected
    from improviser.recordings.log import read_chain
    from improviser.recordings.midi_recording import SessionMidi
    from improviser.recordings.replaying import replay as replay_logs

    if out is not None:
        check_writable(out, force=force)
    chain = read_chain(log)
    copy = SessionMidi()
    with uncollected():
        found = replay_logs(chain) if out is None else replay_logs(chain, copy.add)
    if out is not None:
        write_atomically(out, copy.image(final=True), PRIVATE)
    if chain[-1].cut:
        say(f"{log} has no end (its writer was killed, or still writes): replayed what is there")
    if found.lost:
        say(f"the log is incomplete: {found.lost} reports were lost while it was written")
    if found.difference is not None:
        say(f"different: {found.difference}")
        raise SystemExit(DIFFERENT)
    say(f"the same: {found.heard} messages heard, {found.played} played")
