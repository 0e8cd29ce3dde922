"""`improviser status`: ask the sessions that play on this machine how they are."""

from typing import Annotated, Any

import typer


def status(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="The session's name; by default every session that is playing."),
    ] = None,
    json_wanted: Annotated[bool, typer.Option("--json", help="Print one JSON object per session.")] = False,
) -> None:
    """Show the state of a running session. No broker is needed."""
    from improviser.console_output import say, say_json
    from improviser.errors import SessionError
    from improviser.remote.instance import ask, running

    names = [name] if name is not None else running()
    if not names:
        raise SessionError("no session is running; start one with: improviser play")
    silent = []
    for each in names:
        try:
            state = ask(each)
        except SessionError as error:  # the others may well answer
            silent.append(str(error))
            continue
        if json_wanted:
            say_json(state)
        else:
            for line in told(state):
                say(line)
    if silent:
        raise SessionError("; ".join(silent))


def told(state: dict[str, Any]) -> list[str]:
    """Return a session's state as lines for people."""
    ports, connection = state.get("ports", {}), state.get("connection", {})
    notes, latency, mqtt = state.get("notes", {}), state.get("latency"), state.get("mqtt")
    doing = "plays" if connection.get("playing") else "is about to play"
    minutes, seconds = divmod(int(state.get("seconds", 0)), 60)
    since = f"for {minutes}:{seconds:02} (process {state.get('pid')})"
    lines = [
        f"{state.get('name')} {doing} on {connection.get('api')}, {since}",
        f"  hears {ports.get('input')}, plays to {ports.get('output')}",
        f"  {state.get('mode')}, {state.get('model')}, temperature {state.get('temperature')}",
        f"  heard {notes.get('heard')} notes, played {notes.get('played')}",
    ]
    if latency:
        lines[-1] += f"; latency {latency['p50_us']} µs, 99 % {latency['p99_us']} µs, worst {latency['max_us']} µs"
    if weights := state.get("listens_to"):
        listened = sorted(weights.items(), key=lambda weight: -weight[1])
        lines.append(f"  listens to {', '.join(f'{name} {share:.0%}' for name, share in listened if share >= 0.05)}")
    if mqtt:
        lines.append(f"  MQTT: {'connected' if mqtt['connected'] else 'no connection just now'}")
    return lines
