"""The options of `play`: one for each live parameter, from its entry in the table, and those of the session."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from improviser.commands import completion
from improviser.commands.live_options import live_option
from improviser.commands.web_option import web_option
from improviser.core.live.parameters.table import TABLE

LIVE: Mapping[str, Any] = {name: live_option(name) for name, described in TABLE.items() if described.option}
"""The options of live parameters, by the parameter."""

SETTINGS: Mapping[str, Any] = {
    "input": Annotated[
        list[str] | None,
        typer.Option(
            metavar="P",
            help="auto (the first keyboard, if there is one), virtual, part of a port's name, FILE.mid, or computer. "
            "Several ports: --input left --input right.",
        ),
    ],
    "loop": Annotated[bool | None, typer.Option("--loop", help="Repeat the input file again and again.")],
    "strict": Annotated[bool | None, typer.Option("--strict", help="Refuse an input file that needs repairs.")],
    "output": Annotated[
        list[str] | None,
        typer.Option(
            metavar="P",
            help="auto (the default), virtual, or part of a port's name. Several all get the answers: "
            "--output piano --output organ.",
        ),
    ],
    "api": Annotated[str | None, typer.Option(help="auto (the default), jack, alsa, coremidi or winmm.")],
    "name": Annotated[str | None, typer.Option(metavar="CLIENT", help="The name of the MIDI client.")],
    "wait_for_ports": Annotated[
        bool | None,
        typer.Option("--wait-for-ports", help="Start even if a named port, or any MIDI system, is not there yet."),
    ],
    "model": Annotated[
        list[str] | None,
        typer.Option(
            metavar="M",
            help="The model that answers (bach-bass; in answer and solo, auto). Several play one voice each.",
            autocompletion=completion.models,
        ),
    ],
    **LIVE,
    "seed": Annotated[int | None, typer.Option(help="The same seed and notes give the same answers.")],
    "record": Annotated[
        Path | None,
        typer.Option("--record", metavar="DIR", help="Where to record the session; by default among your user data."),
    ],
    "web": Annotated[str | None, web_option()],
    "web_token_file": Annotated[
        str | None, typer.Option(metavar="FILE", help="The page's token, and in its second line the audience's.")
    ],
    "mqtt": Annotated[
        str | None,
        typer.Option(metavar="URL", help="Be controlled and watched over MQTT: mqtt://user@host:port, or mqtts."),
    ],
    "mqtt_password_file": Annotated[
        str | None, typer.Option(metavar="FILE", help="The broker's password; or set IMPROVISER_MQTT_PASSWORD.")
    ],
    "mqtt_events": Annotated[bool | None, typer.Option("--mqtt-events", help="Publish every note as well.")],
    "mqtt_discovery": Annotated[bool | None, typer.Option("--mqtt-discovery", help="Appear in Home Assistant.")],
    "listen_to": Annotated[
        str | None, typer.Option(metavar="NAME", help="Another improviser to hear as the player, over MQTT.")
    ],
    "log_format": Annotated[str | None, typer.Option(metavar="text|json", help="How the log is written.")],
    "log_level": Annotated[
        str | None, typer.Option(metavar="LEVEL", help="debug, info (the default), warning or error.")
    ],
    "sound": Annotated[
        bool | None, typer.Option("--sound/--no-sound", help="Play the session aloud; no synthesiser needed.")
    ],
    "soundfont": Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Play it aloud with this SoundFont, using FluidSynth; auto finds one."),
    ],
    "display": Annotated[
        bool | None,
        typer.Option("--display/--no-display", help="Show what is heard and played; by default in a terminal."),
    ],
}
"""The options that say what the setting of the same name is."""

OTHERS: Mapping[str, Any] = {
    "learn": Annotated[
        list[str] | None,
        typer.Option(
            metavar="PARAMETER",
            help="Move a knob, and it will control this parameter; your settings keep it.",
            autocompletion=completion.learnable,
        ),
    ],
    "no_record": Annotated[bool, typer.Option("--no-record", help="Record nothing.")],
    "config": Annotated[
        Path | None, typer.Option(metavar="FILE", help="The settings file (see: improviser config init).")
    ],
    "profile": Annotated[str | None, typer.Option(metavar="NAME", help="A profile from the settings file.")],
}

PANELS: Mapping[str, tuple[str, ...]] = {
    "How it plays": ("model", *(name for name in LIVE if TABLE[name].main), "learn", "seed"),
    "How notes are heard and answered": tuple(name for name in LIVE if not TABLE[name].main),
    "What is seen, heard and kept": ("display", "sound", "soundfont", "record", "no_record"),
    "In a browser": ("web", "web_token_file"),
    "Over MQTT": ("mqtt", "mqtt_password_file", "mqtt_events", "mqtt_discovery", "listen_to"),
    "Settings and log": ("config", "profile", "log_format", "log_level"),
}
"""The options by what they are for; ports, and what is named nowhere, come first."""


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let the command line give `command`, which takes any keywords, all options, and show them in panels."""
    annotations = {**SETTINGS, **OTHERS}
    for panel, names in PANELS.items():
        for name in names:
            annotations[name].__metadata__[0].rich_help_panel = panel
    ordered = {name: annotations.pop(name) for panel in PANELS.values() for name in panel}
    signature = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False if name == "no_record" else None, annotation=annotation
        )
        for name, annotation in {**annotations, **ordered}.items()
    ]
    command.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    command.__annotations__ = {**annotations, **ordered}
    return command
