"""Whatever names, settings and files hold, no command lets it come to a terminal raw."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer.main

import improviser.ports.survey
import improviser.remote.instance
from improviser.cli import app
from improviser.library import catalogue, model_file
from improviser.midifile import write_midi
from improviser.ports.survey import ApiReport
from tests.command import CommandLine
from tests.core.echo.test_model import model as echo_model
from tests.hostile_text import HOSTILE, HOSTILE_NAME, raw
from tests.melodies import piece, timed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")


@dataclass(frozen=True)
class Scene:
    """The command line, and a folder whose name and files are hostile."""

    run: CommandLine
    patch: pytest.MonkeyPatch
    folder: Path

    def tune(self) -> Path:
        """Write a MIDI file whose track has a hostile name."""
        path = self.folder / f"tune{HOSTILE_NAME}.mid"
        write_midi(path, piece(timed(60 + step % 7, 240 * step, 240 * step + 200) for step in range(40)))
        plain = path.read_bytes()
        name = HOSTILE.encode()
        at = plain.index(b"MTrk")
        size = int.from_bytes(plain[at + 4 : at + 8], "big")
        event = b"\0\xff\x03" + bytes([len(name)]) + name
        path.write_bytes(plain[: at + 4] + (size + len(event)).to_bytes(4, "big") + event + plain[at + 8 :])
        return path

    def model(self, folder: Path | None = None) -> Path:
        """Write a model whose provenance and name are hostile."""
        path = (folder or self.folder) / f"model{HOSTILE_NAME}.safetensors"
        path.parent.mkdir(exist_ok=True)
        sources = [{"name": HOSTILE, HOSTILE: [HOSTILE]}]
        said = {"sources": sources, HOSTILE: {HOSTILE: HOSTILE}, "by": [HOSTILE], "scores": {HOSTILE: 1.0}}
        model_file.write(path, catalogue.take_apart(echo_model(), said))
        return path

    def file(self, name: str, text: str) -> Path:
        """Write a file of a hostile name."""
        path = self.folder / f"{HOSTILE_NAME}{name}"
        path.write_bytes(text.encode(errors="surrogateescape"))
        return path

    def state(self) -> list[object]:
        """Let a session answer that is called so."""
        ports = {"input": HOSTILE, "output": HOSTILE}
        state = {"name": HOSTILE, "ports": ports, "mode": HOSTILE, "model": HOSTILE, "connection": {"api": HOSTILE}}
        self.patch.setattr(improviser.remote.instance, "ask", lambda _: state)
        self.patch.setattr(improviser.remote.instance, "running", lambda: [HOSTILE])
        return ["status"]

    def ports(self) -> list[object]:
        """Let there be ports that are called so."""
        there = ApiReport("jack", "JACK", available=True, inputs=(HOSTILE,), outputs=(HOSTILE,))
        gone = ApiReport("alsa", HOSTILE, available=False, problem=HOSTILE, remedy=HOSTILE)
        self.patch.setattr(improviser.ports.survey, "survey", lambda: [there, gone])
        return ["ports"]

    def shelf(self) -> list[object]:
        """Let the library hold a model and a broken one that are called so."""
        shelf = Path(os.environ[catalogue.ENVIRONMENT])
        self.model(shelf)
        (shelf / f"broken{HOSTILE_NAME}.safetensors").write_bytes(b"\0" * 20)
        return ["models"]

    def environment(self, variable: str, *arguments: object) -> list[object]:
        """Let a variable of the environment hold it."""
        self.patch.setenv(variable, HOSTILE_NAME)
        return list(arguments)


Case = Callable[[Scene], list[object]]
ORIGINAL = json.dumps([{HOSTILE: HOSTILE, "layers": HOSTILE}])

CASES: dict[str, Case] = {
    "demo, model": lambda _: ["demo", "--model", HOSTILE_NAME],
    "demo, folder": lambda scene: ["demo", "--seconds", "1", "--no-display", "--out", scene.folder / "out"],
    "demo, file in the way": lambda scene: ["demo", "--out", scene.file("", "")],
    "play, model": lambda _: ["play", "--model", HOSTILE_NAME],
    "play, mode": lambda _: ["play", "--mode", HOSTILE],
    "play, scale": lambda _: ["play", "--scale", HOSTILE],
    "play, input": lambda scene: ["play", "--input", scene.folder / "none.mid"],
    "play, profile": lambda _: ["play", "--profile", HOSTILE],
    "play, name": lambda _: ["play", "--name", HOSTILE],
    "play, api": lambda _: ["play", "--api", HOSTILE],
    "play, broker": lambda _: ["play", "--mqtt", HOSTILE],
    "play, password": lambda scene: ["play", "--mqtt", "mqtt://a@b", "--mqtt-password-file", scene.folder / "none"],
    "play, learn": lambda _: ["play", "--learn", HOSTILE],
    "play, settings": lambda scene: ["play", "--config", scene.folder / "none.toml"],
    "play, environment": lambda scene: scene.environment("IMPROVISER_MODE", "play"),
    "play, environment's model": lambda scene: scene.environment("IMPROVISER_MODEL", "play"),
    "ports": Scene.ports,
    "latency": lambda _: ["latency", "--model", HOSTILE_NAME],
    "latency, api": lambda _: ["latency", "--api", HOSTILE],
    "train, no source": lambda scene: ["train", scene.folder / "none.mid", "-o", "x.safetensors"],
    "train, no folder": lambda scene: ["train", scene.tune(), "-o", scene.folder / "none" / "x.safetensors"],
    "train, task": lambda scene: ["train", scene.tune(), "--task", HOSTILE, "-o", "x.safetensors"],
    "train, layers": lambda scene: ["train", scene.tune(), "--layers", HOSTILE, "-o", "x.safetensors"],
    "train, left out": lambda scene: [
        *("train", scene.tune(), scene.file(".mid", "MThd"), "--task", "echo", "--population", "8", "--resume"),
        *("--generations", "1", "-o", scene.folder / "x.safetensors"),
    ],
    "tune, no source": lambda scene: ["tune", scene.folder / "none.mid", "-o", scene.folder / "x.md"],
    "tune, task": lambda scene: ["tune", scene.tune(), "--task", HOSTILE, "-o", scene.folder / "x.md"],
    "tune, left out": lambda scene: [
        *("tune", scene.file(".mid", "MThd"), "--task", "melody", "--rounds", "1", "-o", scene.folder / "x.md")
    ],
    "render": lambda scene: ["render", scene.tune(), scene.folder / "out.mid", "--model", scene.model()],
    "render, no file": lambda scene: ["render", scene.folder / "none.mid", "out.mid"],
    "render, broken": lambda scene: ["render", scene.file(".mid", HOSTILE), "out.mid"],
    "replay, no file": lambda scene: ["replay", scene.folder / "none.jsonl"],
    "replay, broken": lambda scene: ["replay", scene.file(".jsonl", json.dumps({"type": HOSTILE, HOSTILE: 1}))],
    "replay, no log": lambda scene: ["replay", scene.file(".jsonl", HOSTILE)],
    "status": Scene.state,
    "status, nobody": lambda _: ["status", HOSTILE_NAME],
    "picture": lambda scene: ["picture", scene.tune(), "-o", scene.folder / "x.svg"],
    "picture, no file": lambda scene: ["picture", scene.folder / "none.mid", "-o", "x.svg"],
    "picture, model": lambda scene: ["picture", scene.model(), "-o", scene.folder / "x.svg"],
    "report": lambda scene: ["report", scene.tune()],
    "report, broken": lambda scene: ["report", scene.file(".jsonl", HOSTILE)],
    "cache": lambda scene: scene.environment("XDG_CACHE_HOME", "cache"),
    "models": Scene.shelf,
    "models, folder": lambda scene: scene.environment(catalogue.ENVIRONMENT, "models"),
    "inspect": lambda scene: ["inspect", scene.model()],
    "learn, no recording": lambda scene: ["learn", scene.folder / "none", "--output", scene.folder / "me.safetensors"],
    "learn, damaged": lambda scene: ["learn", scene.file(".jsonl", HOSTILE)],
    "inspect, no file": lambda scene: ["inspect", scene.folder / "none.safetensors"],
    "inspect, nobody": lambda _: ["inspect", HOSTILE_NAME],
    "inspect, broken": lambda scene: ["inspect", scene.file(".safetensors", HOSTILE)],
    "evaluate": lambda scene: ["evaluate", scene.model(), scene.tune(), scene.file(".mid", "MThd")],
    "evaluate, no file": lambda scene: ["evaluate", scene.model(), scene.folder / "none"],
    "import-bach-generator": lambda scene: ["import-bach-generator", scene.file(".json", ORIGINAL), "x.safetensors"],
    "import-bach-generator, text": lambda scene: [
        *("import-bach-generator", scene.file(".json", HOSTILE), scene.folder / "x.safetensors")
    ],
    "config init": lambda scene: ["config", "init", scene.folder / "new.toml"],
    "config init, there already": lambda scene: ["config", "init", scene.file(".toml", "")],
    "config check": lambda scene: ["config", "check", scene.file(".toml", f"mqtt_topic = {json.dumps(HOSTILE)}")],
    "config check, key": lambda scene: ["config", "check", scene.file(".toml", f"{json.dumps(HOSTILE)} = 1")],
    "config check, value": lambda scene: ["config", "check", scene.file(".toml", f"scale = {json.dumps(HOSTILE)}")],
    "config check, name": lambda scene: ["config", "check", scene.file(".toml", f"name = {json.dumps(HOSTILE)}")],
    "config check, text": lambda scene: ["config", "check", scene.file(".toml", HOSTILE_NAME)],
    "config check, profile": lambda scene: [
        *("config", "check", scene.file(".toml", f"[profile.{json.dumps(HOSTILE)}]\nseed = 1"), "--profile", "x")
    ],
    "config check, environment": lambda scene: scene.environment("IMPROVISER_CONFIG", "config", "check"),
    "service install": lambda _: ["service", "install", "--dry-run", "--", "--record", HOSTILE],
    "service install, name": lambda _: ["service", "install", "--dry-run", "--name", HOSTILE],
    "an option that is not": lambda _: ["play", f"--{HOSTILE_NAME}"],
    "an option that is not, after a command of a group": lambda _: ["config", "check", f"--{HOSTILE_NAME}"],
    "an option of the program that is not": lambda _: [f"--{HOSTILE_NAME}"],
    "a value that is no number": lambda _: ["demo", "--seconds", HOSTILE_NAME],
    "an argument too many": lambda _: ["ports", HOSTILE_NAME],
    "a command that is not": lambda _: [HOSTILE_NAME],
}
MACHINES = ("ports", "status", "models", "inspect", "evaluate")


@pytest.fixture
def scene(improviser: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    folder = tmp_path / HOSTILE_NAME
    folder.mkdir()
    return Scene(improviser, monkeypatch, folder)


def commands(command: Any, path: tuple[str, ...] = ()) -> set[str]:
    below = getattr(command, "commands", {})
    return {each for name, its in below.items() for each in commands(its, (*path, name))} or {" ".join(path)}


def test_every_command_is_tried() -> None:
    tried = {name.partition(",")[0] for name in CASES}
    assert commands(typer.main.get_command(app)) <= tried


@pytest.mark.parametrize("name", CASES)
def test_nothing_comes_to_the_terminal_raw(name: str, scene: Scene) -> None:
    ran = scene.run(*CASES[name](scene))
    assert raw(ran.out + ran.err) == []
    assert ran.out + ran.err != ""
    assert ran.code in (0, 1, 2)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("name", MACHINES)
def test_json_says_the_same_and_nothing_raw(name: str, scene: Scene) -> None:
    ran = scene.run(*CASES[name](scene), "--json")
    assert ran.code == 0
    assert raw(ran.out) == []
    assert any(HOSTILE in each for each in strings(json.loads(ran.out)))


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [each for pair in value.items() for part in pair for each in strings(part)]
    if isinstance(value, list):
        return [each for part in value for each in strings(part)]
    return [value] if isinstance(value, str) else []
