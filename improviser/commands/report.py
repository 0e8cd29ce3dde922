"""`improviser report`: a session as a page to read and hear."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import Force, Strict


def report(
    session: Annotated[Path, typer.Argument(metavar="SESSION", help="A session's MIDI file or .jsonl log.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="X.html", help="The page to write; by default beside the session."),
    ] = None,
    soundfont: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Make the sound with this SoundFont, using FluidSynth; auto finds one."),
    ] = None,
    strict: Strict = False,
    force: Force = False,
) -> None:
    """Write a web page about a session: piano roll, sound and figures. It opens offline in any browser."""
    from improviser.commands.notices import give_notice
    from improviser.console_output import say
    from improviser.errors import LogError
    from improviser.files import PRIVATE, check_writable, write_atomically
    from improviser.logs import start_log
    from improviser.recordings.reading import read_session
    from improviser.show.session_page import session_report
    from improviser.show.soundfont import synthesiser_for

    if not session.name:
        raise LogError(f"{session} is a folder; name a session in it")
    start_log("text", "info")
    path = session.with_suffix(".html") if output is None else output
    check_writable(path, force=force)
    played = read_session(session, strict=strict)
    give_notice(played.remarks)
    write_atomically(path, session_report(played, synthesiser_for(soundfont)).encode(), PRIVATE)
    say(f"wrote {path}; open it in a browser")
