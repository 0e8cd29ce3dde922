"""`improviser replay`: play a recorded session again, and compare."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import Force

DIFFERENT = 1


def replay(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="The .jsonl file of a session.")],
    out: Annotated[
        Path | None, typer.Argument(metavar="[OUT.mid]", help="Write what is played now as a MIDI file.")
    ] = None,
    force: Force = False,
) -> None:
    """Run a session's log through the performer again, and compare with what was played: 0 same, 1 different."""
    from improviser.files import check_writable
    from improviser.session.log import read_chain
    from improviser.session.recording import write_session
    from improviser.session.replaying import from_first_note
    from improviser.session.replaying import replay as replay_logs

    if out is not None:
        check_writable(out, force=force)
    chain = read_chain(log)
    found = replay_logs(chain)
    if out is not None:
        write_session(out, *from_first_note(found.heard, found.played))
    if chain[-1].cut:
        print(f"{log} has no end (its writer was killed, or still writes): replayed what is there")
    if found.lost:
        print(f"the log is incomplete: {found.lost} reports were lost while it was written")
    if found.difference is not None:
        print(f"different: {found.difference}")
        raise SystemExit(DIFFERENT)
    print(f"the same: {len(found.heard)} messages heard, {len(found.played)} played")
