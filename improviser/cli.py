"""The command line: gathers the commands and turns errors into one line and an exit code."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer
import typer.core

from improviser.commands import (
    cache,
    config,
    demo,
    evaluate,
    import_bach_generator,
    inspect,
    latency,
    learn,
    models,
    picture,
    play,
    ports,
    render,
    replay,
    report,
    service,
    status,
    train,
    tune,
)
from improviser.commands.examples import epilog_of
from improviser.commands.web_option import WithWeb
from improviser.console_output import print_nowhere, reader_has_gone, say, warn
from improviser.core.printable import printable_lines
from improviser.errors import ImproviserError
from improviser.logs import start_log
from improviser.version import __version__

INTERRUPTED = 130


class Group(typer.core.TyperGroup):
    """A group of commands that shows nothing raw of what it was given: the parser's errors quote it."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the group's own options."""
        with printable_message():
            return super().make_context(*args, **kwargs)

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options of a command, and run it."""
        with printable_message():
            return super().invoke(*args, **kwargs)


@contextlib.contextmanager
def printable_message() -> Iterator[None]:
    """Let the message of an error of the parser's be printable."""
    try:
        yield
    except Exception as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = printable_lines(message)  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    name="improviser",
    cls=Group,
    help="A real-time MIDI improviser: small neural networks, evolved, that play along with you.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def warn_of(error: Exception) -> None:
    """Print an error as one line on the standard error."""
    warn(f"improviser: error: {' '.join(str(error).split())}")


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Let `command` end in one line and an exit code, whatever it raises on purpose."""

    @functools.wraps(command)
    def run_guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except ImproviserError as error:
            warn_of(error)
            raise SystemExit(error.exit_code) from None
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        except OSError as error:
            if not reader_has_gone(error):
                raise
            print_nowhere()  # `head`, say, has gone: that is its right
            raise SystemExit(0) from None

    return run_guarded


def print_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        say(f"improviser {__version__}")
        raise typer.Exit


@app.callback()
def improviser(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A real-time MIDI improviser: small neural networks, evolved, that play along with you."""


def run() -> int:
    """Run the command line; return the exit code."""
    start_log("text", "warning")  # of what warns before a command has chosen, or in one that does not
    try:
        app()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except (OSError, UnicodeEncodeError) as error:
        # What a command itself opens, it speaks of; this is the place that we print to: full, or of few letters.
        warn_of(error)
        return 1
    return 0


for _name, _function in (
    ("demo", demo.demo),
    ("play", play.play),
    ("ports", ports.ports),
    ("latency", latency.latency),
    ("train", train.train),
    ("tune", tune.tune),
    ("learn", learn.learn),
    ("render", render.render),
    ("replay", replay.replay),
    ("status", status.status),
    ("picture", picture.picture),
    ("report", report.report),
    ("models", models.models),
    ("inspect", inspect.inspect),
    ("evaluate", evaluate.evaluate),
    ("cache", cache.cache),
    ("import-bach-generator", import_bach_generator.import_bach_generator),
):
    app.command(_name, epilog=epilog_of(_name), cls=WithWeb if _name in ("demo", "play", "train") else None)(
        guarded(_function)
    )

_settings = typer.Typer(cls=Group, help="Write the settings file, or check it.", no_args_is_help=True)
_settings.command("init", epilog=epilog_of("config init"))(guarded(config.init))
_settings.command("check", epilog=epilog_of("config check"))(guarded(config.check))
app.add_typer(_settings, name="config")

_service = typer.Typer(cls=Group, help="Run a session as a systemd service.", no_args_is_help=True)
_service.callback()(service.service)
_service.command("install", epilog=epilog_of("service install"))(guarded(service.install))
app.add_typer(_service, name="service")
