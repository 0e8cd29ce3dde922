"""`improviser demo`: hear it without any instrument, device or server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from improviser.commands import completion
from improviser.commands.options import Force, Part, SoundFont, Temperature
from improviser.commands.web_option import web_option
from improviser.shell import quoted


def demo(
    seconds: Annotated[
        float | None,
        typer.Option(min=1, max=1800, help="How long to play; by default the first part of the tune, once."),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where to write the files; those of an earlier demo are replaced.")
    ] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same notes.")] = 1,
    model: Annotated[
        str, typer.Option(metavar="M", help="The model that answers.", autocompletion=completion.models)
    ] = "bach-bass",
    temperature: Temperature = None,
    part: Part = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Also draw a picture of the terminal while it plays.")
    ] = None,
    web: Annotated[str | None, web_option()] = None,
    sound: Annotated[bool, typer.Option("--sound", help="Also play it aloud.")] = False,
    soundfont: SoundFont = None,
    display: Annotated[bool, typer.Option("--display/--no-display", help="Show the session in the terminal.")] = True,
    force: Force = False,
) -> None:
    """Hear it at once: a built-in player plays Bach, and every note is answered. No instrument needed."""
    import asyncio

    from improviser.commands.live_options import given
    from improviser.console_output import say
    from improviser.files import check_writable
    from improviser.library import catalogue
    from improviser.logs import start_log
    from improviser.recordings.transcript import Transcript
    from improviser.session.demo import Demo, DemoRun, prepare, title_of, write_files, write_screenshot
    from improviser.session.display import Display
    from improviser.session.key_commands import legend, steer
    from improviser.session.live import live
    from improviser.session.page import page_alone
    from improviser.show.loudspeaker import Loudspeaker
    from improviser.show.soundfont import synthesiser_for
    from improviser.signals import run_until_signal

    start_log("text", "info")
    wanted = Demo(model, seed, seconds, given("temperature", temperature), given("part", part))
    catalogue.check(model)
    prepare(out, force=force)
    if picture is not None:
        check_writable(picture, force=force)
    loudspeaker = Loudspeaker(font=soundfont or "") if sound else None

    async def perform() -> tuple[int, Transcript]:
        screen = Display(full_screen=display, keys=legend())
        page = page_alone(web, say, covered=display)
        run = DemoRun(wanted, screen, loudspeaker, page.visited)
        async with page.taking(run.bus), live(run.session, run.bus) as playing:
            service = playing.service
            playing.beside("the page", page.run(service))
            playing.beside("the display", screen.show(service))
            playing.beside("steering by keys", steer(service))
            if picture is not None:
                playing.beside("the picture", write_screenshot(run, service, screen, picture))
            return await run_until_signal(run.play(playing), service.stop), run.transcript

    try:
        code, played = asyncio.run(perform())
    finally:
        if loudspeaker is not None:
            loudspeaker.close(wait=False)
    if code == 0:
        _tell_end(write_files(played, out, title_of(wanted), synthesiser_for(soundfont)))
    raise SystemExit(code)


def _tell_end(paths: Sequence[Path]) -> None:
    """Say what was written, and what to do next."""
    from improviser.console_output import say

    say(f"wrote {', '.join(map(str, paths))}")
    say(f"see and hear it:  improviser report {quoted(str(paths[0]))}")
    say("play yourself:    improviser play, or without a keyboard: improviser play --web open")
