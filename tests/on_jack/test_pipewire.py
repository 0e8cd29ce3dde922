"""`improviser` on a real PipeWire, without a display or a sound card, and without `pw-jack`."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, sounding
from tests.pipewire_server import PipeWire, running, wait_until_gone
from tests.playing import Player, note_off, note_on, write_small_model
from tests.servers import HAS_RTMIDI_ON_JACK, JackServer, needs_rtmidi_on_jack

pytestmark = pytest.mark.timeout(400)  # each starts three or four programs or more, on a machine that may be busy

CLIENT = "improviser-air"
RETURN_SECONDS, RELEASED_SECONDS = 40.0, 20.0
MEASUREMENTS = 5


@pytest.fixture
def pipewire() -> Iterator[PipeWire]:
    """A PipeWire that runs."""
    with tempfile.TemporaryDirectory() as folder, running(PipeWire(Path(folder))) as pipewire:
        yield pipewire


def options(tmp_path: Path, api: str = "auto") -> tuple[str, ...]:
    model = write_small_model(tmp_path / "small.safetensors")
    named = ("--name", CLIENT, "--model", str(model), "--seed", "1", "--api", api)
    return (*named, "--input", "virtual", "--output", "virtual", "--no-record", "--no-display")


@pytest.fixture
def player(pipewire: PipeWire, tmp_path: Path) -> Iterator[Player]:
    with Player(pipewire.client_environment, tmp_path / "play.log", *options(tmp_path)) as player:
        player.wait_for(r"playing on jack \(PipeWire\)")
        yield player


def peer(pipewire: PipeWire, name: str) -> JackPeer:
    return JackPeer(pipewire.peer_environment, name)


def connected(pipewire: PipeWire) -> tuple[JackPeer, JackPeer]:
    """Return a keyboard and a synthesiser that are connected to the player."""
    keyboard, synth = peer(pipewire, "keyboard"), peer(pipewire, "synth")
    keyboard.connect(keyboard.output, keyboard.wait_for_port(CLIENT, ":in"))
    synth.connect(synth.wait_for_port(CLIENT, ":out"), synth.input)
    wait_until_carried(keyboard, synth)
    return keyboard, synth


def wait_until_carried(keyboard: JackPeer, synth: JackPeer) -> None:
    """Play until an answer is heard: a connection of PipeWire's carries nothing for a moment after it is shown."""
    deadline = time.monotonic() + 20
    while not any(received.message[0] & 0xF0 == 0x90 for received in synth.received()):
        assert time.monotonic() < deadline, "no answer is heard"
        keyboard.send(note_on(72), note_off(72))
        synth.wait_for(2, timeout=0.3)
    time.sleep(0.2)  # so that the answers to all that was played have come, if they come
    synth.clear()


def hold(keyboard: JackPeer, synth: JackPeer) -> set[tuple[int, int]]:
    """Play two notes that are held, wait until their answers sound, and return these (channel, pitch)."""
    keyboard.send(note_on(60), note_on(64))
    deadline = time.monotonic() + 20
    while len(held := sounding(received.message for received in synth.received())) != 2:
        assert time.monotonic() < deadline, held  # ends of what an engine before has left may come in between
        time.sleep(0.02)
    return held


def wait_until_ended(synth: JackPeer, notes: set[tuple[int, int]]) -> None:
    """Wait until a synthesiser has been sent the end of each of these notes, whether it has heard them or not."""
    deadline = time.monotonic() + RETURN_SECONDS
    while missing := notes - {(m.message[0] & 0x0F, m.message[1]) for m in synth.received() if m.message[0] >> 4 == 8}:
        assert time.monotonic() < deadline, f"never ended: {missing}"
        time.sleep(0.05)


def wait_until_silent(synth: JackPeer, timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while notes := sounding(received.message for received in synth.received()):
        assert time.monotonic() < deadline, notes
        time.sleep(0.02)


def wait_until_connected(peer: JackPeer, port: str) -> None:
    deadline = time.monotonic() + RETURN_SECONDS
    while not any(CLIENT in other for other in peer.connections(port)):
        assert time.monotonic() < deadline, f"{port} was not connected again"
        time.sleep(0.05)


def assert_answered(keyboard: JackPeer, synth: JackPeer) -> None:
    """Assert that notes are answered, as soon as the connections are there."""
    wait_until_connected(keyboard, keyboard.output)
    wait_until_connected(synth, synth.input)
    synth.clear()
    wait_until_carried(keyboard, synth)


def improviser(pipewire: PipeWire, *arguments: str) -> str:
    command = [sys.executable, "-m", "improviser", *arguments]
    environment = {**os.environ, **pipewire.client_environment}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_ports_says_which_server_and_library_and_why(pipewire: PipeWire) -> None:
    listing = improviser(pipewire, "ports")
    assert "JACK (PipeWire) (--api jack)" in listing
    assert "PipeWire answers at" in listing
    assert "pipewire-0" in listing
    assert "no jackd named 'improviser-no-such-server' does" in listing
    (report,) = [report for report in json.loads(improviser(pipewire, "ports", "--json")) if report["api"] == "jack"]
    assert "libjack.so.0" in report["reason"]


def latency(pipewire: PipeWire, api: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "improviser", "latency", "--api", api, "--notes", "20", "--gap", "30", "--json"]
    environment = {**os.environ, **pipewire.client_environment}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("quantum", [1024, 128])
def test_notes_are_answered_at_each_quantum(pipewire: PipeWire, quantum: int) -> None:
    """PipeWire loses what is sent in a period that a client is late for: so a measurement may be made again."""
    pipewire.set_quantum(quantum)
    lossy = {"jack", "jack-rtmidi"} if HAS_RTMIDI_ON_JACK else {"jack"}
    for _ in range(MEASUREMENTS):
        with contextlib.ExitStack() as both:
            for api, ran in [(api, both.enter_context(latency(pipewire, api))) for api in sorted(lossy)]:
                both.callback(ran.kill)
                said, complaint = ran.communicate(timeout=200)
                assert ran.returncode == 0, complaint
                measured = json.loads(said)
                assert measured["api"] == api
                assert measured["wire_us"]["p50"] > 0
                if measured["lost"] == 0:
                    lossy.discard(api)
        if not lossy:
            return
    pytest.fail(f"notes were lost in each of {MEASUREMENTS} measurements of {sorted(lossy)}; in the last: {measured}")


@needs_rtmidi_on_jack
def test_rtmidis_ports_can_be_closed_while_notes_come_in(pipewire: PipeWire) -> None:
    environment = {**os.environ, **pipewire.client_environment}
    command = [sys.executable, "-m", "tests.closing_in_a_flood", "8"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=80, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["closed"] * 8


def test_a_server_that_does_not_answer_the_measurement_is_said_in_one_line(pipewire: PipeWire) -> None:
    command = [sys.executable, "-m", "improviser", "latency", "--api", "jack", "--notes", "1000", "--gap", "60"]
    environment = {**os.environ, **pipewire.client_environment}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as ran:
        try:
            deadline = time.monotonic() + 200
            while not any(name.startswith("improviser-wire") for name in pipewire.nodes()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            pipewire.kill()
            said, complaint = ran.communicate(timeout=100)
        finally:
            ran.kill()
    assert (ran.returncode, said) == (1, "")
    assert complaint.splitlines()[-1].startswith("improviser: error: the ports could not be measured: ")


def test_a_pipewire_that_starts_later_is_played_on(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pipewire = PipeWire(Path(folder))
        try:
            with Player(
                pipewire.client_environment, tmp_path / "play.log", *options(tmp_path, "jack"), "--wait-for-ports"
            ) as player:
                player.wait_for(r"start a JACK server \(jackd, or PipeWire\) \(waiting until one is there\)")
                pipewire.start()
                player.wait_for(r"playing on jack \(PipeWire\)")
                keyboard, synth = connected(pipewire)
                with keyboard, synth:
                    hold(keyboard, synth)
                    keyboard.send(note_off(60), note_off(64))
                    wait_until_silent(synth)
                assert player.leave(signal.SIGTERM) == 0
        finally:
            pipewire.kill()


def test_a_killed_engine_leaves_silence_and_its_successor_has_its_connections(
    pipewire: PipeWire, player: Player
) -> None:
    keyboard, synth = connected(pipewire)
    with keyboard, synth:
        for number in range(1, 3):
            hold(keyboard, synth)
            os.kill(player.engine, signal.SIGKILL)
            wait_until_silent(synth)
            player.wait_for("playing again", count=number)
            keyboard.send(note_off(60), note_off(64))
            assert_answered(keyboard, synth)
            synth.clear()
        wait_for_ours(pipewire, {CLIENT, f"{CLIENT}-patchbay"})
    assert player.leave(signal.SIGTERM) == 0
    player.assert_gone()
    wait_until_gone(pipewire, CLIENT)


def wait_for_ours(pipewire: PipeWire, wanted: set[str]) -> None:
    """Wait until these are our clients: what releases again, seconds later, has come and gone."""
    end = time.monotonic() + RELEASED_SECONDS
    while (ours := {name for name in pipewire.nodes() if name.startswith(CLIENT)}) != wanted:
        assert time.monotonic() < end, f"there are {sorted(ours)}"
        time.sleep(0.1)


@pytest.mark.parametrize("victims", ["server", "both"])
def test_a_server_that_dies_without_a_word_is_noticed_and_playing_goes_on(
    pipewire: PipeWire, player: Player, victims: str
) -> None:
    keyboard, synth = connected(pipewire)
    held = hold(keyboard, synth)
    if victims == "both":
        pipewire.kill()
    else:
        pipewire.server.kill()
    player.wait_for("lost its MIDI server")
    keyboard.kill()
    synth.kill()
    assert player.process.poll() is None
    pipewire.server.start()
    if victims == "both" or not pipewire.manager.is_running():
        pipewire.manager.kill()
        pipewire.manager.start()
    player.wait_for("playing again")
    with peer(pipewire, "keyboard") as keyboard, peer(pipewire, "synth") as synth:
        wait_until_ended(synth, held)  # a synthesiser behind a port that is back may have played on
        assert_answered(keyboard, synth)
        wait_until_gone(pipewire, f"{CLIENT}-release")
    assert player.leave(signal.SIGTERM) == 0


def test_a_synth_that_was_gone_when_its_notes_ended_is_sent_their_end(pipewire: PipeWire, player: Player) -> None:
    keyboard, synth = connected(pipewire)
    with keyboard:
        held = hold(keyboard, synth)
        synth.kill()
        keyboard.wait_until_gone(synth.input)
        keyboard.send(note_off(60), note_off(64))
        with peer(pipewire, "synth") as back:
            wait_until_ended(back, held)
            assert_answered(keyboard, back)
    assert player.leave(signal.SIGTERM) == 0


def test_the_session_manager_may_be_killed_and_come_back(pipewire: PipeWire, player: Player) -> None:
    keyboard, synth = connected(pipewire)
    with keyboard, synth:
        hold(keyboard, synth)
        pipewire.manager.kill()
        keyboard.send(note_off(60), note_off(64))
        wait_until_silent(synth)
        assert_answered(keyboard, synth)
        pipewire.manager.start()
        assert_answered(keyboard, synth)
    assert "lost" not in player.said()
    assert player.leave(signal.SIGTERM) == 0


def test_without_a_server_it_still_ends_when_told(pipewire: PipeWire, player: Player) -> None:
    pipewire.kill()
    player.wait_for("lost its MIDI server")
    assert player.leave(signal.SIGTERM) == 0
    player.assert_gone()


def test_a_jackd_goes_before_pipewire_and_ports_says_why(synchronous_jack: JackServer, pipewire: PipeWire) -> None:
    pipewire.client_environment["JACK_DEFAULT_SERVER"] = synchronous_jack.name
    listing = improviser(pipewire, "ports")
    assert "JACK (jackd) (--api jack)" in listing
    assert "PipeWire answers as well" in listing


def test_a_session_whose_jackd_is_gone_goes_on_on_pipewire(
    synchronous_jack: JackServer, pipewire: PipeWire, tmp_path: Path
) -> None:
    pipewire.client_environment["JACK_DEFAULT_SERVER"] = synchronous_jack.name
    with Player(pipewire.client_environment, tmp_path / "play.log", *options(tmp_path)) as player:
        player.wait_for(r"playing on jack \(jackd, though PipeWire runs as well\)")
        synchronous_jack.kill()
        player.wait_for("JACK is PipeWire now, where it was jackd")
        player.wait_for("playing again")
        with peer(pipewire, "keyboard") as keyboard, peer(pipewire, "synth") as synth:
            keyboard.connect(keyboard.output, keyboard.wait_for_port(CLIENT, ":in"))
            synth.connect(synth.wait_for_port(CLIENT, ":out"), synth.input)
            assert_answered(keyboard, synth)
        pipewire.server.kill()
        player.wait_for("lost its MIDI server", count=2)
        synchronous_jack.start()
        player.wait_for("JACK is jackd now, where it was PipeWire")
        player.wait_for("playing again", count=2)
        with (
            JackPeer(synchronous_jack.client_environment, "keyboard") as keyboard,
            JackPeer(synchronous_jack.client_environment, "synth") as synth,
        ):
            assert_answered(keyboard, synth)
        assert player.leave(signal.SIGTERM) == 0


def test_a_jackd_that_starts_later_does_not_part_an_engine_from_its_daemon(
    synchronous_jack: JackServer, pipewire: PipeWire, tmp_path: Path
) -> None:
    synchronous_jack.kill()
    pipewire.client_environment["JACK_DEFAULT_SERVER"] = synchronous_jack.name
    with Player(pipewire.client_environment, tmp_path / "play.log", *options(tmp_path)) as player:
        player.wait_for(r"playing on jack \(PipeWire\)")
        synchronous_jack.start()
        keyboard, synth = connected(pipewire)
        with keyboard, synth:
            hold(keyboard, synth)
            os.kill(player.engine, signal.SIGKILL)
            wait_until_silent(synth)
            assert_answered(keyboard, synth)
        assert player.leave(signal.SIGTERM) == 0
