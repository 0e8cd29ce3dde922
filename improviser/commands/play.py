"""`improviser play`: play along on real MIDI ports."""

import secrets
from typing import Annotated

import typer

EPILOG = """Examples:

improviser play                                    one keyboard plugged in: just play

improviser play --input nanoKEY --output FLUID     ports by part of a name (see: improviser ports)

improviser play --input virtual --output virtual   for a DAW: connect our ports there
"""


def play(
    input_port: Annotated[str, typer.Option("--input", metavar="P", help="auto, virtual, or part of a name.")] = "auto",
    output_port: Annotated[
        str, typer.Option("--output", metavar="P", help="auto, virtual, or part of a name.")
    ] = "auto",
    api: Annotated[str, typer.Option(help="auto, jack, alsa, coremidi or winmm.")] = "auto",
    name: Annotated[str, typer.Option(help="The name of our MIDI client.")] = "improviser",
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="M", help="A model; several play one voice each.")
    ] = None,
    mode: Annotated[str, typer.Option(help="shadow answers each note at once; mute only listens.")] = "shadow",
    temperature: Annotated[float, typer.Option(help="0 is sure of itself, 1 adventurous.")] = 0.7,
    density: Annotated[float, typer.Option(help="The share of notes that are answered, 0–1.")] = 1.0,
    scale: Annotated[str, typer.Option(metavar="KEY", help="Keep answers to a key: 'D minor'; off.")] = "off",
    thru: Annotated[bool, typer.Option("--thru", help="Send the player's own notes on as well.")] = False,
    seed: Annotated[int | None, typer.Option(help="Makes the answers repeatable.")] = None,
    wait_for_ports: Annotated[
        bool, typer.Option("--wait-for-ports", help="Start even if a named port is not there yet.")
    ] = False,
) -> None:
    """Play along on real MIDI ports: every note you play is answered, at once and in your rhythm."""
    import asyncio
    import logging

    from improviser.daemon import Service, Session
    from improviser.signals import run_until_signal

    logging.basicConfig(level=logging.INFO, format="improviser: %(message)s")
    session = Session(
        api=api,
        name=name,
        input=input_port,
        output=output_port,
        models=tuple(model or ["bach-bass"]),
        parameters={"mode": mode, "temperature": temperature, "density": density, "scale": scale, "thru": thru},
        seed=secrets.randbits(32) if seed is None else seed,
        wait_for_ports=wait_for_ports,
    )

    async def serve() -> int:
        service = Service(session)

        async def announce() -> None:
            await service.opened()
            heard, played = service.connections
            print(
                f"playing on {service.api}: hears {heard}, plays to {played} "
                f"({mode}, {', '.join(session.models)}); choose others with --input and --output, Ctrl-C ends",
                flush=True,
            )

        announcing = asyncio.ensure_future(announce())
        try:
            return await run_until_signal(service.run(), service.stop)
        finally:
            announcing.cancel()

    code = asyncio.run(serve())
    if code:
        raise SystemExit(code)
