"""Knobs and program changes of a keyboard on a real JACK server: learned, kept, obeyed, and replayed."""

import json
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from improviser.cli import app
from tests.jack_peer import JackPeer, sounding
from tests.playing import Player, note_off, note_on
from tests.servers import JackServer

pytestmark = pytest.mark.jack

CLIENT = "improviser-knobs"
SETTINGS = "# mine\nthru = true  # so that all that is not bound goes through\n"


def status() -> dict[str, Any]:
    """Return what `improviser status` says of the session."""
    command = [sys.executable, "-m", "improviser", "status", "--json"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    sessions: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return next(session for session in sessions if session["name"] == CLIENT)


def test_knobs_are_learned_kept_obeyed_and_replayed(
    jack_server: JackServer, jack_peer: Callable[[str], JackPeer], tmp_path: Path
) -> None:
    file, kept = tmp_path / "mine.toml", tmp_path / "kept"
    file.write_text(SETTINGS)
    ports = ("--name", CLIENT, "--input", "virtual", "--output", "virtual")
    options = (*ports, "--config", str(file), "--record", str(kept), "--seed", "1")
    learn = ("--learn", "temperature", "--learn", "mode")
    with Player(jack_server.client_environment, tmp_path / "play.log", *options, *learn) as player:
        player.wait_for("to learn temperature")
        peer = jack_peer("keyboard")
        peer.connect_to(CLIENT)
        peer.send((0xB0, 64, 127), (0xB0, 64, 0), (0xB2, 21, 1), (0xB2, 21, 2), (0xB2, 53, 2))
        player.wait_for("control 21 on channel 3 turns temperature; kept in")
        player.wait_for("to learn mode")
        peer.send((0xB2, 21, 3), (0xB2, 53, 3), (0xB0, 30, 1))
        player.wait_for("control 30 on channel 1 turns mode; kept in")
        peer.wait_for(7)
        peer.clear()
        peer.send(note_on(60), (0xB2, 21, 127), (0xB0, 30, 127), (0xB0, 31, 5))
        heard = [tuple(received.message) for received in peer.wait_for(4)]
        assert heard[0] == note_on(60)
        assert heard[-1] == (0xB0, 31, 5)
        assert {message[1] for message in heard if message[0] == 0xB0} == {31}
        assert len(sounding(bytes(message) for message in heard)) == 1  # muted: the answer ended, the note not
        now = status()
        assert (now["temperature"], now["mode"]) == (4.0, "mute")
        learned = file.read_text()
        file.write_text(SETTINGS)
        player.process.send_signal(signal.SIGHUP)
        player.wait_for("read the settings again: controls = ")
        peer.clear()
        peer.send((0xB2, 21, 64))  # bound to nothing any more: it goes through
        assert [tuple(received.message) for received in peer.wait_for(1)] == [(0xB2, 21, 64)]
        file.write_text(learned)
        assert player.leave(signal.SIGTERM) == 0
    assert file.read_text().startswith(SETTINGS)
    assert tomllib.loads(file.read_text())["controls"] == {
        "temperature": {"control": 21, "channel": 3},
        "mode": {"control": 30, "channel": 1},
    }
    with Player(jack_server.client_environment, tmp_path / "again.log", *options) as player:
        player.wait_for("playing on jack")
        peer.connect_to(CLIENT)
        peer.clear()
        peer.send((0xB0, 30, 127), note_on(60))
        assert [tuple(received.message) for received in peer.wait_for(1)] == [note_on(60)]
        assert player.leave(signal.SIGTERM) == 0
    for log in kept.glob("*.jsonl"):
        result = CliRunner().invoke(app, ["replay", str(log)])
        assert result.exit_code == 0, result.output


def test_program_changes_pick_the_model_while_notes_sound(
    jack_server: JackServer, jack_peer: Callable[[str], JackPeer], tmp_path: Path
) -> None:
    ports = ("--name", CLIENT, "--input", "virtual", "--output", "virtual")
    models = ("--model", "bach-bass", "--model", "echo")
    options = (*ports, *models, "--record", str(tmp_path), "--seed", "1")
    with Player(jack_server.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack")
        peer = jack_peer("keyboard")
        peer.connect_to(CLIENT)
        peer.send(note_on(72))
        assert len(peer.wait_for(2)) == 2
        for program, expected in ((0, ["bach-bass"]), (1, ["echo"]), (2, ["bach-bass", "echo"]), (0, ["bach-bass"])):
            peer.send((0xC0, program))
            while status()["models"] != expected:
                assert player.process.poll() is None
        peer.send((0xC0, 9), note_on(74), note_off(74), note_off(72))
        heard = [received.message for received in peer.wait_for(6)]
        assert all(message[0] in (0x80, 0x90) for message in heard)
        player.wait_for("program 10: there are 3 to pick from")
        assert player.leave(signal.SIGTERM) == 0
        assert not sounding(received.message for received in peer.received())
    (log,) = tmp_path.glob("*.jsonl")
    result = CliRunner().invoke(app, ["replay", str(log)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--learn", "temprature"), "--learn: no control can turn 'temprature'; did you mean temperature?"),
        (("--learn", "name"), "no control can turn 'name'"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    with Player({}, tmp_path / "play.log", *options) as player:
        assert player.process.wait(20) == 2
        (line,) = player.said().splitlines()
        assert line.startswith("improviser: error: ")
        assert says in line
