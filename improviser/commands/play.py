"""`improviser play`: play along on real MIDI ports."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from improviser.commands import completion
from improviser.core.live.modes.registry import modes_explained

if TYPE_CHECKING:
    from improviser.settings.config import Config


def play(
    input_port: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="P", help="auto (the default), virtual, part of a port's name, FILE.mid, or computer."
        ),
    ] = None,
    loop: Annotated[bool | None, typer.Option("--loop", help="Play a file again and again.")] = None,
    strict: Annotated[
        bool | None, typer.Option("--strict", help="Refuse a file that is not quite right; do not repair it.")
    ] = None,
    output_port: Annotated[
        str | None, typer.Option("--output", metavar="P", help="auto (the default), virtual, or part of a port's name.")
    ] = None,
    api: Annotated[str | None, typer.Option(help="auto (the default), jack, alsa, coremidi or winmm.")] = None,
    name: Annotated[str | None, typer.Option(metavar="CLIENT", help="The name of our MIDI client.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="M",
            help="Who answers (bach-bass); several play one voice each. A program change picks another.",
            autocompletion=completion.models,
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            help=f"How it plays. {modes_explained()}.",
            autocompletion=completion.modes,
        ),
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="How adventurous, 0-4: 0 is sure of itself (0.7).")] = None,
    density: Annotated[float | None, typer.Option(help="The share of notes that are answered, 0-1 (1).")] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="KEY", help="Keep answers to a key: 'D minor'; auto; off.")
    ] = None,
    low: Annotated[int | None, typer.Option(help="The lowest pitch of an answer, 0-127.")] = None,
    high: Annotated[int | None, typer.Option(help="The highest pitch of an answer, 0-127.")] = None,
    thru: Annotated[bool | None, typer.Option(help="Send the player's own notes on as well.")] = None,
    release_after: Annotated[
        float | None,
        typer.Option(metavar="S", help="Release held notes after so long without a sign of life of yours (0: never)."),
    ] = None,
    learn: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PARAMETER",
            help="Move a knob: it turns this from now on, and is kept in the settings.",
            autocompletion=completion.learnable,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed and notes give the same answers.")] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="DIR", help="Keep the session there (by default: user data).")
    ] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="Keep nothing.")] = False,
    wait_for_ports: Annotated[
        bool | None, typer.Option("--wait-for-ports", help="Start even if a named port is not there yet.")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(metavar="URL", help="Be steered and shown over MQTT: mqtt://user@host:port, or mqtts.")
    ] = None,
    mqtt_password_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="The broker's password; or set IMPROVISER_MQTT_PASSWORD.")
    ] = None,
    mqtt_events: Annotated[bool | None, typer.Option("--mqtt-events", help="Publish every note, too.")] = None,
    mqtt_discovery: Annotated[bool | None, typer.Option("--mqtt-discovery", help="Appear in Home Assistant.")] = None,
    listen_to: Annotated[
        str | None, typer.Option(metavar="NAME", help="Another improviser to hear as a player, over MQTT.")
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings (see: improviser config init).")] = None,
    profile: Annotated[str | None, typer.Option(metavar="NAME", help="One of the profiles in the settings.")] = None,
    log_format: Annotated[str | None, typer.Option(metavar="text|json", help="How the log is written.")] = None,
    log_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="debug, info (the default), warning, error")
    ] = None,
    sound: Annotated[
        bool | None, typer.Option("--sound/--no-sound", help="Play it aloud, without a synthesiser of your own.")
    ] = None,
    soundfont: Annotated[
        str | None, typer.Option(metavar="FILE", help="Play it aloud with a SoundFont, by FluidSynth; auto finds one.")
    ] = None,
    display: Annotated[
        bool | None, typer.Option("--display/--no-display", help="Show what is played; by default on a terminal.")
    ] = None,
) -> None:
    """Play along on real MIDI ports: every note you play is answered, at once and in your rhythm."""
    import asyncio

    flags: dict[str, Any] = {
        "input": input_port,
        "loop": loop,
        "strict": strict,
        "output": output_port,
        "api": api,
        "name": name,
        "model": model or None,
        "mode": mode,
        "temperature": temperature,
        "density": density,
        "scale": scale,
        "low": low,
        "high": high,
        "thru": thru,
        "release_after": release_after,
        "seed": seed,
        "record": False if no_record else None if record is None else str(record),
        "wait_for_ports": wait_for_ports,
        "mqtt": mqtt,
        "mqtt_password_file": mqtt_password_file,
        "mqtt_events": mqtt_events,
        "mqtt_discovery": mqtt_discovery,
        "listen_to": listen_to,
        "log_format": log_format,
        "log_level": log_level,
        "sound": sound,
        "soundfont": soundfont,
        "display": display,
    }

    def load_settings() -> "Config":
        from improviser.settings.config import load

        return load(flags, config, profile=profile)

    code = asyncio.run(_play(load_settings, learn, profile))
    if code:
        raise SystemExit(code)


async def _play(load_settings: Callable[[], "Config"], learn: list[str] | None, profile: str | None) -> int:
    """Play; what takes longest to import does so in the engine and here at the same time."""
    from improviser.engine.handle import EngineProcess

    engine = await EngineProcess.start()
    try:
        from improviser.session.concert import give, learning_of

        settings = load_settings()
        learning = learning_of(settings, learn, profile) if learn else None
        return await give(settings, secrets.randbits(32), load_settings, learning, engine)
    finally:
        if not engine.dead:
            await engine.leave()
