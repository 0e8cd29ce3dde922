"""Asks every door of a session for a live parameter, and prints what each says as JSON: `NAME GOOD BAD` are its words.

`test_one_entry` runs it in a copy of the package to whose table an entry was added.
"""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import typer

from improviser import cli
from improviser.commands.completion import learnable
from improviser.core.addresses.topics import Topics
from improviser.core.live.parameters.table import TABLE, Parameters
from improviser.core.live.performer import Performer
from improviser.core.live.player.knobs import Knobs, value_at
from improviser.core.live.snapshot import Setup, Tally
from improviser.core.midi.event import ControlChange
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import ConfigError
from improviser.remote.discovery import configurations
from improviser.remote.requests import allowed_for, checked, read_request
from improviser.remote.state import setting
from improviser.settings.checking import check_text
from improviser.settings.config import load
from improviser.settings.explained import all_explained
from improviser.show.terminal import SessionScreen
from improviser.web.messages import table
from tests.readme.parameters import README, renewed


def refusal(door: Callable[[], object]) -> str:
    """Return what a door says as it refuses, "" if it does not."""
    try:
        door()
    except ConfigError as error:
        return str(error)
    return ""


def at_the_command_line(name: str, words: list[str]) -> Any:
    """Return what `play` makes of an option."""
    group: Any = typer.main.get_command(cli.app)
    return group.commands["play"].make_context("play", words).params[name]


async def published() -> dict[str, Any]:
    """Return the state that a session begins with, as it is published."""
    return setting(Service(Session()))


def shown_with(parameters: Parameters) -> str:
    """Return the first line of the display."""
    screen = SessionScreen(Tally().snapshot(0.0, Setup(("echo",), parameters)))
    return "".join(text for text, _ in screen.lines(100, 20)[0])


def ask(name: str, good: str, bad: str) -> dict[str, Any]:
    """Return what each door says of a parameter, of a value that it may have, and of one that it may not."""
    value, wrong = check_text(name, good), bad if TABLE[name].type is str else float(bad)
    option, variable, toml = f"--{name.replace('_', '-')}", f"IMPROVISER_{name.upper()}", json.dumps(value)
    performer = Performer([], Parameters(), np.random.default_rng(1))
    performer.change(name, value, 0.0)
    knobs = Performer([], Parameters(controls={name: 20}), np.random.default_rng(1))
    for position in (0, 127):
        knobs.hear(ControlChange(0, 20, position), 0.0)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "settings.toml"
        path.write_text(f"{name} = {toml}\n")
        in_file = load(file=path, environment={})
        path.write_text(f"{name} = {json.dumps(wrong)}\n")
        wrong_file = refusal(lambda: load(file=path, environment={})).removeprefix(f"{path}: ")
    entities = {
        topic.split("/")[1]: json.loads(entity)
        for topic, entity in configurations(Topics("copy"), ["echo"]).items()
        if f"/{name}/" in topic
    }
    on_play = [option] if value is True else [option, good]
    return {
        "values": {
            "core": getattr(performer.parameters, name),
            "settings file": in_file.live[name],
            "environment": load(environment={variable: good}).live[name],
            "option": load({name: at_the_command_line(name, on_play)}, environment={}).live[name],
            "MQTT": read_request(name, good.encode(), []),
            "page": checked(name, value, []),
            "knob": getattr(knobs.parameters, name),
        },
        "refusals": {
            "core": refusal(lambda: performer.change(name, wrong, 0.0)),
            "settings file": wrong_file,
            "environment": refusal(lambda: load(environment={variable: bad})).removeprefix(f"{variable}: "),
            "option": refusal(lambda: load({name: wrong}, environment={})).removeprefix(f"{option}: "),
            "MQTT": refusal(lambda: read_request(name, bad.encode(), [])),
            "page": refusal(lambda: checked(name, wrong, [])),
        },
        "turned": [value_at(name, position, Parameters()) for position in (0, 127)],
        "bound": Knobs({name: 20}).turned_by(ControlChange(0, 20, 1)),
        "learnable": learnable(name),
        "next": TABLE[name].stepped(getattr(Parameters(), name), 1),
        "allowed": allowed_for(name, []),
        "state": asyncio.run(published())[name],
        "entities": entities,
        "control": next(each["kind"] for each in table() if each["name"] == name),
        "shown": [shown_with(Parameters()), shown_with(Parameters(**{name: value}))],
        "explained": [line for line in all_explained().splitlines() if f"# {name} = " in line],
        "readme": [line for line in renewed(README.read_text("utf-8")).splitlines() if f"`{option}`" in line],
        "documented": f":param {name}: " in str(Parameters.__doc__),
        "defaults": [field.default for field in dataclasses.fields(Parameters) if field.name == name],
    }


if __name__ == "__main__":
    print(json.dumps(ask(*sys.argv[1:])))  # noqa: T201  this is what it is for
