"""Players that are not a MIDI port, in whole sessions without a MIDI system."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.core.live.raw import Performer
from improviser.core.midi.codec import decode, encode, events_of
from improviser.core.midi.event import Event, NoteOff, NoteOn, TimedEvent
from improviser.core.midi.pairing import notes_of
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Played, Step
from improviser.engine.session import Session
from improviser.errors import ConfigError, MidiFileError
from improviser.library.catalogue import load_model
from improviser.midifile import read_midi
from improviser.ports.interface import LOOPBACK
from improviser.ports.survey import ApiReport
from improviser.recordings.live_rendering import messages_of, perform, players_part
from improviser.recordings.midi_recording import write_session
from improviser.session.performance import session_of
from improviser.session.players import ComputerPlayer, FilePlayer, api_for, player_for
from improviser.settings.config import load
from tests.jack_peer import JackPeer, held
from tests.playing import Player as Playing
from tests.playing import write_small_model
from tests.servers import JackServer
from tests.session.test_key_commands import Recorded

PLAYED: list[TimedEvent] = [
    (0.0, NoteOn(0, 60, 70)),
    (0.2, NoteOff(0, 60)),
    (0.2, NoteOn(0, 64, 90)),
    (0.25, NoteOn(3, 67, 91)),
    (0.4, NoteOff(0, 64)),
    (0.45, NoteOff(3, 67)),
]
ANSWERED: list[TimedEvent] = [(0.0, NoteOn(0, 40, 70)), (0.4, NoteOff(0, 40))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A session's recording."""
    path = tmp_path / "tune.mid"
    write_session(path, PLAYED, ANSWERED)
    return path


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(write_small_model(tmp_path / "small.safetensors"))


def session(
    player: FilePlayer, model: str, *, rounds: int = 1, mode: str = "shadow"
) -> tuple[Recorded, list[Step], list[Event]]:
    """Run a session with the player; return its steps, and what was played without any.

    It is stopped after so many rounds at the latest, if there is more than one.
    """
    steps: list[Step] = []
    replies: list[Event] = []

    async def run() -> Recorded:
        parameters = {"mode": mode}
        service = Recorded(Session(api=LOOPBACK, models=(model,), player=player.name, parameters=parameters))

        def take(event: SessionEvent) -> None:
            player.take(event)
            if isinstance(event.report, Played):
                replies.extend(event.played)
            if isinstance(event.report, Step):
                steps.append(event.report)
                if len(steps) == rounds * len(PLAYED):
                    looped.set()

        service._bus.subscribe("the player", take)
        looped = asyncio.Event()
        running = asyncio.ensure_future(service.run())
        playing = asyncio.ensure_future(player.play(service))
        await asyncio.wait({running, playing, asyncio.ensure_future(looped.wait())}, return_when="FIRST_COMPLETED")
        if rounds == 1:
            await asyncio.wait_for(running, 20)
        assert service.connections[0] == player.name
        service.stop()
        await running
        playing.cancel()
        return service

    return asyncio.run(run()), steps, replies


def test_a_file_is_played_as_it_is_written_and_then_the_session_ends(file: Path, model: str) -> None:
    service, steps, _ = session(FilePlayer(file), model)
    assert service.stopped
    heard = [(step.stamp - steps[0].stamp, decode(step.heard)) for step in steps]
    assert [event for _, event in heard] == [event for _, event in PLAYED], "the player's notes, the answers left out"
    assert [seconds for seconds, _ in heard] == pytest.approx([seconds for seconds, _ in PLAYED], abs=0.001)
    played = [(step.stamp, event) for step in steps for event in events_of(step.played)]
    assert len(notes_of(played, 99.0)) == 3
    assert all(step.played for step in steps), "every note is answered, and every answer ended"


@pytest.mark.parametrize("mode", ["shadow", "answer"])
def test_off_line_it_is_answered_as_in_a_session(file: Path, model: str, mode: str) -> None:
    _, steps, replies = session(FilePlayer(file), model, mode=mode)
    in_session = [event for step in steps for event in events_of(step.played)] + replies
    heard = messages_of(players_part(read_midi(file)))
    played, end = perform(heard, Performer([load_model(model)], mode=mode), None)
    assert in_session
    notes = [event for event in in_session if isinstance(event, NoteOn | NoteOff)]  # its end sends more than that
    assert [event for _, event in played] == notes
    assert end >= heard[-1][0]


def test_a_loop_goes_on_in_time(file: Path, model: str) -> None:
    _, steps, _ = session(FilePlayer(file, loop=True), model, rounds=3)
    heard = [step.heard for step in steps]  # it may have gone on until it was stopped
    assert heard[: 3 * len(PLAYED)] == [encode(event) for _, event in PLAYED] * 3
    rounds = [steps[number * len(PLAYED)].stamp for number in range(3)]
    assert [rounds[1] - rounds[0], rounds[2] - rounds[1]] == pytest.approx([0.5, 0.5]), "one beat of the file"


def test_the_session_waits_for_the_reply(file: Path, model: str) -> None:
    service, _, replies = session(FilePlayer(file), model, mode="answer")
    assert service.stopped
    assert len([event for event in replies if isinstance(event, NoteOn)]) >= 2
    sounding = [event for event in replies if isinstance(event, NoteOn | NoteOff)]
    assert isinstance(sounding[-1], NoteOff)


def test_what_input_names(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = player_for([str(file)])
    assert isinstance(player, FilePlayer)
    assert player.name == "tune.mid"
    assert player_for(["nanoKEY"]) is None
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ConfigError, match="terminal"):
        player_for(["computer"])
    with pytest.raises(ConfigError, match="--loop"):
        player_for(["auto"], loop=True)
    with pytest.raises(MidiFileError, match="does not exist"):
        player_for([str(tmp_path / "none.MID")])
    (tmp_path / "noise.mid").write_bytes(b"noise")
    with pytest.raises(MidiFileError, match=r"noise\.mid is not a MIDI file"):
        player_for([str(tmp_path / "noise.mid")])


def test_only_who_needs_no_midi_system_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improviser.session.players.survey", list)
    assert api_for("auto", ["auto", "auto"], plays_without=True) == LOOPBACK
    assert api_for("auto", ["auto", "auto"], plays_without=False) == "auto"
    assert api_for("jack", ["auto", "auto"], plays_without=True) == "jack"
    assert api_for("auto", ["auto", "my synth"], plays_without=True) == "auto"
    assert api_for("auto", ["my keyboard", "auto"], plays_without=True) == "auto"


def test_the_computers_keyboard_plays() -> None:
    async def play() -> list[object]:
        service = Recorded(Session())
        service._supervisor._opened.set()
        player = ComputerPlayer()
        assert not player.press("a"), "nobody would hear it"
        playing = asyncio.ensure_future(player.play(service))
        await asyncio.sleep(0)
        assert player.press("a")
        assert player.press("x")
        assert not player.press("m")
        while len(service.sent) < 2:
            await asyncio.sleep(0.01)
        playing.cancel()
        return [decode(command.message) for command in service.sent if hasattr(command, "message")]

    assert asyncio.run(play()) == [NoteOn(0, 60, 80), NoteOff(0, 60)]


@pytest.mark.unix
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_the_computers_keyboard_in_a_terminal(tmp_path: Path, model: str) -> None:
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "dumb", "JACK_DEFAULT_SERVER": "improviser-no-such-server"}
    options = ["--name", "keys", "--input", "computer", "--display", "--no-record", "--model", model]
    program = subprocess.Popen(
        [sys.executable, "-m", "improviser", "play", *options],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=tmp_path,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while b"hears the computer's keyboard" not in said:
            said += os.read(ours, 65536)
        while b"heard E4 (64)" not in said:
            os.write(ours, b"d")
            said += os.read(ours, 65536)
        os.write(ours, b"q")
        assert program.wait(20) == 0, said
    except OSError:  # that is how Linux says that the other side was closed
        pytest.fail(f"it ended with {program.wait(20)} and had said {said!r}")
    finally:
        program.kill()
        program.wait()
        os.close(ours)


@pytest.mark.jack
def test_a_file_is_answered_on_real_ports_and_the_session_ends(
    jack_server: JackServer, jack_peer: Callable[[str], JackPeer], file: Path, model: str, tmp_path: Path
) -> None:
    synth = jack_peer("my synth")
    options = ("--input", str(file), "--output", "my synth", "--model", model, "--no-record")
    with Playing(jack_server.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("hears tune.mid, plays to my synth-in:in")
        heard = [received.message for received in synth.wait_for(6)]
        assert [message[0] for message in heard if message[0] & 0xF0 == 0x90] == [0x90, 0x90, 0x93]
        assert not held(heard)
        assert player.process.wait(20) == 0
        player.assert_gone()


@pytest.mark.parametrize("available", [False, True])
def test_who_listens_to_another_needs_no_midi_system_and_sees_whom_it_hears(
    monkeypatch: pytest.MonkeyPatch, available: bool
) -> None:
    monkeypatch.setattr("improviser.session.players.survey", lambda: [ApiReport("jack", "JACK", available)])
    session = session_of(load({"listen_to": "left", "mqtt": "mqtt://broker.local", "name": "right"}), 1)
    assert session.api == ("auto" if available else LOOPBACK)

    async def heard() -> str:
        return Recorded(session).connections[0]

    assert asyncio.run(heard()).endswith("left (over MQTT)")
