"""`improviser play` as a service: wills, signals, settings read again, one per name, `status`, systemd's socket."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.melodies import TUNE, write_melody
from tests.mqtt_peer import Heard, Peer
from tests.playing import Player, write_small_model
from tests.servers import Broker

pytestmark = pytest.mark.unix

BASE = "improviser/served"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    write_small_model(folder / "small.safetensors")
    write_melody(folder / "tune.mid", TUNE * 3)
    run = folder / "run"
    run.mkdir(mode=0o700)
    return folder


@pytest.fixture
def environment(place: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(place / "run"), "IMPROVISER_MODELS": str(place), "JACK_DEFAULT_SERVER": "nobody"}


def options(place: Path, *more: str) -> tuple[str, ...]:
    return ("--name", "served", "--input", str(place / "tune.mid"), "--loop", "--no-record", "--no-display", *more)


def improviser(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "improviser", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment}
    )


@pytest.fixture
def player(place: Path, environment: dict[str, str], mosquitto_broker: Broker, tmp_path: Path) -> Iterator[Player]:
    url = f"mqtt://{mosquitto_broker.host}:{mosquitto_broker.port}"
    settings = tmp_path / "settings.toml"
    settings.write_text("model = 'small'\ntemperature = 0.5\n")
    with Player(
        environment, tmp_path / "play.log", *options(place, "--mqtt", url, "--config", str(settings))
    ) as player:
        player.wait_for("playing on")
        player.wait_for("connected to mqtt://")
        yield player


def test_the_will_is_seen_after_a_kill(player: Player, mosquitto_broker: Broker) -> None:
    with Peer(mosquitto_broker, f"{BASE}/status") as peer:
        peer.wait_for(f"{BASE}/status", lambda heard: heard.payload == b"online")
        os.kill(player.process.pid, signal.SIGKILL)
        peer.wait_for(f"{BASE}/status", lambda heard: heard.payload == b"offline")
    with Peer(mosquitto_broker, f"{BASE}/status") as later:
        assert later.wait_for(f"{BASE}/status")[0].payload == b"offline"
    player.assert_gone()


def test_a_clean_end_says_goodbye(player: Player, mosquitto_broker: Broker) -> None:
    assert player.leave(signal.SIGTERM) == 0
    with Peer(mosquitto_broker, f"{BASE}/status") as later:
        assert later.wait_for(f"{BASE}/status")[0].payload == b"offline"
    assert "Traceback" not in player.said()


def test_settings_are_read_again_and_what_is_wrong_changes_nothing(
    player: Player, mosquitto_broker: Broker, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.toml"
    with Peer(mosquitto_broker, f"{BASE}/#") as peer:
        peer.wait_for(f"{BASE}/state", lambda heard: heard.json["temperature"] == 0.5)
        settings.write_text("model = 'small'\ntemperature = 1.5\ndensity = 0.5\nlog_level = 'debug'\n")
        player.process.send_signal(signal.SIGHUP)
        peer.wait_for(f"{BASE}/state", lambda heard: (heard.json["temperature"], heard.json["density"]) == (1.5, 0.5))
        player.wait_for("read the settings again: temperature = 1.5, density = 0.5")
        player.wait_for("log_level: this takes a restart")
        settings.write_text("temprature = 2\n")
        player.process.send_signal(signal.SIGHUP)
        player.wait_for("the settings stay as they were: .*did you mean temperature")
        settings.write_text("temperature = 1.5\nmodel = 'nobody'\n")
        player.process.send_signal(signal.SIGHUP)
        player.wait_for("the settings stay as they were: there is no model named 'nobody'")
        peer.publish(f"{BASE}/set/density", "1")
        assert peer.wait_for(f"{BASE}/reply")[0].json["ok"]
    assert player.process.poll() is None


def shows(**values: int) -> Callable[[Heard], bool]:
    """Say of a state whether parameters have these values."""
    return lambda heard: {name: heard.json[name] for name in values} == values


def test_bounds_that_move_past_each_other_are_read_again(
    player: Player, tmp_path: Path, mosquitto_broker: Broker
) -> None:
    with Peer(mosquitto_broker, f"{BASE}/#") as peer:
        for low, high in ((30, 40), (80, 90), (10, 20)):
            (tmp_path / "settings.toml").write_text(f"model = 'small'\nlow = {low}\nhigh = {high}\n")
            player.process.send_signal(signal.SIGHUP)
            peer.wait_for(f"{BASE}/state", shows(low=low, high=high))
    assert "must not be above" not in player.said()


def test_one_per_name_and_it_answers(player: Player, place: Path, environment: dict[str, str]) -> None:
    second = improviser(environment, "play", *options(place))
    assert second.returncode == 2
    assert second.stderr.startswith(f"improviser: error: served plays already (process {player.process.pid})")
    assert len(second.stderr.splitlines()) == 1
    told = json.loads(improviser(environment, "status", "--json").stdout)
    assert (told["name"], told["pid"], told["temperature"]) == ("served", player.process.pid, 0.5)
    assert told["mqtt"]["connected"]
    assert improviser(environment, "status", "served").stdout.startswith("served plays on loopback")
    nobody = improviser(environment, "status", "nobody")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "there are: served" in nobody.stderr


def test_systemd_hears_that_it_plays_lives_and_ends(place: Path, environment: dict[str, str], tmp_path: Path) -> None:
    told: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place / "notify"))
        systemd.settimeout(20)
        watched = environment | {"NOTIFY_SOCKET": str(place / "notify"), "WATCHDOG_USEC": "300000"}
        profile = tmp_path / "settings.toml"
        profile.write_text("model = 'small'\nlog_format = 'json'\n[profile.wild]\ntemperature = 3.5\n")
        more = ("--config", str(profile), "--profile", "wild")
        with Player(watched, tmp_path / "play.log", *options(place, *more)) as player:

            def until(start: str) -> str:
                while not any(line.startswith(start) for line in told):
                    told.append(systemd.recv(4096).decode())
                return next(line for line in told if line.startswith(start))

            assert "STATUS=small plays on loopback" in until("READY=1")
            told.clear()
            until("WATCHDOG=1")
            assert json.loads(improviser(environment, "status", "--json").stdout)["temperature"] == 3.5
            player.process.send_signal(signal.SIGHUP)
            until("RELOADING=1")
            until("READY=1")
            player.process.terminate()
            until("STOPPING=1")
            assert player.process.wait(15) == 0
        log = [json.loads(line)["message"] for line in player.said().splitlines()]
        for said in ("playing on loopback", "read the settings again"):
            assert any(line.startswith(said) for line in log)


def test_systemd_is_not_told_of_an_end_that_is_none(place: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Without a watchdog and a broker there is nothing to serve; the session goes on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place / "notified"))
        systemd.settimeout(20)
        alone = environment | {"NOTIFY_SOCKET": str(place / "notified")}
        with Player(alone, tmp_path / "play.log", *options(place)) as player:
            assert systemd.recv(4096).startswith(b"READY=1")
            systemd.settimeout(0.5)
            with pytest.raises(TimeoutError):
                systemd.recv(4096)
            systemd.settimeout(20)
            assert player.leave(signal.SIGTERM) == 0
            assert systemd.recv(4096).startswith(b"STOPPING=1")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--mqtt", "mqtt://me:hunter2@host"), "mqtt must be without a password"),
        (("--mqtt", "http://host"), "mqtt[s]://[user@]host[:port]"),
        (("--listen-to", "other"), "takes a broker"),
        (("--listen-to", "served", "--mqtt", "mqtt://host"), "cannot listen to itself"),
        (("--profile", "none"), "no profile"),
        (("--log-format", "xml"), "text or json"),
    ],
)
def test_what_cannot_be_is_refused(place: Path, environment: dict[str, str], more: tuple[str, ...], said: str) -> None:
    ran = improviser(environment, "play", *options(place, *more))
    assert ran.returncode == 2
    assert ran.stderr.startswith("improviser: error: ")
    assert len(ran.stderr.splitlines()) == 1
    assert said in ran.stderr
    assert "hunter2" not in ran.stderr
