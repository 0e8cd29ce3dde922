"""`improviser latency`: measure how fast the engine answers, here and now."""

from typing import Annotated

import typer

from improviser.commands import completion

NAMES = {
    "engine_us": "inside the engine",
    "wire_us": "through real ports and us",
    "bare_wire_us": "through real ports alone",
}


def latency(
    notes: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many notes to play.")] = 1000,
    api: Annotated[str, typer.Option(help="loopback (no MIDI system), auto, jack, alsa or coremidi.")] = "loopback",
    model: Annotated[
        str, typer.Option(metavar="M", help="The model that answers.", autocompletion=completion.models)
    ] = "bach-bass",
    gap: Annotated[float, typer.Option(min=0.1, max=10_000, help="Average milliseconds from note to note.")] = 7.5,
    load: Annotated[bool, typer.Option("--load", help="Keep the display and an MQTT client busy meanwhile.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure how long an answer takes: inside the engine, and through real ports if there are any.

    On JACK it also tells how many answers leave in the period that their notes came in.
    """
    import asyncio
    from dataclasses import asdict

    from improviser.console_output import say, say_json
    from improviser.library import catalogue
    from improviser.session.latency import Trial, measure

    catalogue.check(model)
    measured = asdict(asyncio.run(measure(Trial(model, notes, api, gap / 1000, load))))
    if as_json:
        say_json(measured)
        return
    beside = f", beside it: {', '.join(measured['load'])}" if measured["load"] else ""
    counted = f"{notes} notes, {measured['foreseen']:.0%} foreseen, {measured['lost']} lost"
    if measured["same_period"] is not None:
        counted += f", {measured['same_period']:.1%} answered in the same period"
    say(f"{counted}; {model} on {measured['api']}{beside}")
    say(f"{'microseconds':<28}{'p50':>10}{'p99':>10}{'p99.9':>10}{'max':>10}")
    for key, name in NAMES.items():
        if spread := measured[key]:
            say(f"{name:<28}" + "".join(f"{spread[rank]:>10.1f}" for rank in ("p50", "p99", "p999", "max")))
