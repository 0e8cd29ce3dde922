"""`improviser play` on a real JACK server, from another client's point of view."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, is_one_note, note_ons, sounding
from tests.playing import PEDAL_DOWN, Player, note_off, note_on, virtual_ports, write_small_model
from tests.servers import JackServer

pytestmark = pytest.mark.jack

CLIENT = "improviser-under-test"
CHORD = (60, 64, 67, 71)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_model(tmp_path_factory.mktemp("models") / "small.safetensors"))


@pytest.fixture
def player(jack_server: JackServer, model: str, tmp_path: Path) -> Iterator[Player]:
    options = virtual_ports(CLIENT, model)
    with Player(jack_server.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack")
        yield player


def connected(jack_peer: Callable[[str], JackPeer]) -> JackPeer:
    peer = jack_peer("peer")
    peer.connect_to(CLIENT)
    return peer


def assert_silent_after(peer: JackPeer, timeout: float = 20.0) -> list[bytes]:
    """Wait until nothing the peer heard sounds any more, pedal included; return all it heard."""
    deadline = time.monotonic() + timeout
    while True:
        heard = [received.message for received in peer.received()]
        pedals = [message[2] for message in heard if message[:2] == b"\xb0\x40"]
        if not sounding(heard) and pedals[-1:] == [0]:
            return heard
        assert time.monotonic() < deadline, f"sounding: {sounding(heard)}, pedal: {pedals}"
        time.sleep(0.05)


def hold_four_notes_and_the_pedal(peer: JackPeer) -> None:
    peer.send(PEDAL_DOWN, *(note_on(pitch) for pitch in CHORD))
    heard = [received.message for received in peer.wait_for(5)]
    assert len(sounding(heard)) == 4, heard


def test_every_note_is_answered_once_and_ended(player: Player, jack_peer: Callable[[str], JackPeer]) -> None:
    peer = connected(jack_peer)
    schedule = []
    for number in range(500):
        pitch = 55 + number * 7 % 30
        schedule += [(number * 0.004, note_on(pitch)), (number * 0.004 + 0.003, note_off(pitch))]
    peer.play(schedule)
    heard = peer.wait_until(lambda messages: len(note_ons(messages)) == 500 and not sounding(messages))
    assert len(note_ons(heard)) == 500, player.said()
    assert not sounding(heard)
    for before, after in pairwise(message for message in heard if message[0] in (0x80, 0x90)):
        assert before[0] != after[0] or after[0] == 0x80  # each note ends before the next begins
    assert player.leave(signal.SIGTERM) == 0


def test_the_answer_has_the_players_channel_velocity_and_length(
    player: Player, jack_peer: Callable[[str], JackPeer]
) -> None:
    peer = connected(jack_peer)
    peer.play([(0.0, note_on(60, 33, channel=5)), (0.25, (0x95, 60, 0))])
    on, off = peer.wait_for(2)
    assert on.message[0] == 0x95
    assert on.message[2] == 33
    assert off.message[0] == 0x85
    assert on.message[1] == off.message[1]
    assert off.seconds - on.seconds == pytest.approx(0.25, abs=0.1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_what_sounds(
    player: Player, jack_peer: Callable[[str], JackPeer], number: signal.Signals, code: int
) -> None:
    peer = connected(jack_peer)
    hold_four_notes_and_the_pedal(peer)
    assert player.leave(number) == code
    assert_silent_after(peer)
    player.assert_gone()


def test_settings_are_read_again_without_touching_what_sounds(
    player: Player, jack_peer: Callable[[str], JackPeer]
) -> None:
    peer = connected(jack_peer)
    hold_four_notes_and_the_pedal(peer)
    before = len(peer.received())
    player.process.send_signal(signal.SIGHUP)
    player.wait_for("read the settings again")
    peer.send(note_on(72))
    after = peer.wait_for(before + 1)[before:]
    assert [received.message[0] for received in after] == [0x90]
    assert player.leave(signal.SIGTERM) == 0
    assert_silent_after(peer)


def test_the_daemons_death_ends_what_sounds(player: Player, jack_peer: Callable[[str], JackPeer]) -> None:
    peer = connected(jack_peer)
    hold_four_notes_and_the_pedal(peer)
    player.leave(signal.SIGKILL)
    assert_silent_after(peer)
    player.assert_gone()


def test_a_phrase_is_replied_to_in_its_own_rhythm(
    jack_server: JackServer, model: str, tmp_path: Path, jack_peer: Callable[[str], JackPeer]
) -> None:
    options = virtual_ports(CLIENT, model)
    with Player(jack_server.client_environment, tmp_path / "play.log", *options, "--mode", "answer") as player:
        player.wait_for("playing on jack")
        peer = connected(jack_peer)
        rhythm = [0.0, 0.2, 0.3, 0.6, 0.8]
        schedule = []
        for number, onset in enumerate(rhythm):
            schedule += [(onset, note_on(60 + number, 40 + 10 * number)), (onset + 0.08, note_off(60 + number))]
        peer.play(schedule)
        reply = [received for received in peer.wait_for(10) if received.message[0] == 0x90]
        assert [received.message[2] for received in reply] == [40, 50, 60, 70, 80]
        assert [received.seconds - reply[0].seconds for received in reply] == pytest.approx(rhythm, abs=0.05)
        assert not sounding(received.message for received in peer.received())
        peer.clear()
        peer.play(schedule)
        peer.wait_for(1)
        peer.send(note_on(72))  # the player interrupts
        time.sleep(0.5)
        heard = [received.message for received in peer.received()]
        assert not sounding(heard)
        assert len(heard) < 10
        peer.send(note_off(72))
        assert player.leave(signal.SIGTERM) == 0


def test_answers_wait_for_the_grid_of_a_clock(
    jack_server: JackServer, model: str, tmp_path: Path, jack_peer: Callable[[str], JackPeer]
) -> None:
    """Two notes off the beat, at 125 to the minute: their answers are whole beats apart, and keep their lengths."""
    options = virtual_ports(CLIENT, model)
    environment = {**jack_server.client_environment, "IMPROVISER_QUANTISE": "1/4"}
    with Player(environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack")
        peer = connected(jack_peer)
        schedule: list[tuple[float, tuple[int, ...]]] = [(0.0, (0xFA,))]
        schedule += [(0.001 + 0.02 * tick, (0xF8,)) for tick in range(120)]
        for onset in (0.9, 1.6):
            schedule += [(onset, note_on(60)), (onset + 0.1, note_off(60))]
        peer.play(sorted(schedule, key=lambda timed: timed[0]))
        first, first_end, second, second_end = peer.wait_for(4)
        assert [message.message[0] for message in (first, first_end, second, second_end)] == [0x90, 0x80, 0x90, 0x80]
        # They were played .7 s apart; on a busy machine the clock's ticks come late, and the beats are where they say.
        assert second.seconds - first.seconds == pytest.approx(0.96, abs=0.12)
        assert first_end.seconds - first.seconds == pytest.approx(0.1, abs=0.04)
        assert player.leave(signal.SIGTERM) == 0


@pytest.fixture
def fault_player(synchronous_jack: JackServer, model: str, tmp_path: Path) -> Iterator[Player]:
    options = virtual_ports(CLIENT, model)
    with Player(synchronous_jack.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack")
        yield player


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP])
def test_the_engines_death_ends_what_sounds_and_playing_goes_on(
    fault_player: Player, synchronous_jack: JackServer, fate: signal.Signals
) -> None:
    with (
        JackPeer(synchronous_jack.client_environment, "keyboard") as keyboard,
        JackPeer(synchronous_jack.client_environment, "synth") as synth,
    ):
        keyboard.connect(keyboard.output, keyboard.wait_for_port(CLIENT, ":in"))
        synth.connect(synth.wait_for_port(CLIENT, ":out"), synth.input)
        keyboard.send(PEDAL_DOWN, *(note_on(pitch) for pitch in CHORD))
        assert len(sounding(received.message for received in synth.wait_for(5))) == 4
        dead = fault_player.engine
        os.kill(dead, fate)
        assert_silent_after(synth)
        fault_player.wait_for("playing again; connections restored: .*keyboard.*synth.*", timeout=20)
        assert fault_player.engine != dead
        synth.clear()
        keyboard.send(note_on(72), note_off(72))
        assert is_one_note(received.message for received in synth.wait_for(2))
    assert fault_player.leave(signal.SIGTERM) == 0
    fault_player.assert_gone()


def test_named_ports_are_connected(
    jack_server: JackServer, jack_peer: Callable[[str], JackPeer], model: str, tmp_path: Path
) -> None:
    keyboard, synth = jack_peer("my keyboard"), jack_peer("my synth")
    options = ("--name", CLIENT, "--model", model, "--input", "MY KEYB", "--output", "my synth")
    with Player(jack_server.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("hears my keyboard-out:out, plays to my synth-in:in")
        keyboard.send(note_on(60), note_off(60))
        assert is_one_note(received.message for received in synth.wait_for(2))
        assert player.leave(signal.SIGTERM) == 0


def test_a_port_that_does_not_exist_is_an_error_and_leaves_nothing_behind(
    jack_server: JackServer, model: str, tmp_path: Path
) -> None:
    options = ("--name", CLIENT, "--model", model, "--input", "no such keyboard")
    with Player(jack_server.client_environment, tmp_path / "play.log", *options) as player:
        assert player.process.wait(15) == 2
        (line,) = player.said().splitlines()
        assert line.startswith("improviser: error: no MIDI input matches 'no such keyboard'")
        player.assert_gone()


def test_a_keyboard_may_come_later(
    jack_server: JackServer, jack_peer: Callable[[str], JackPeer], model: str, tmp_path: Path
) -> None:
    options = ("--name", CLIENT, "--model", model, "--input", "late keyboard", "--output", "virtual")
    with Player(jack_server.client_environment, tmp_path / "play.log", *options, "--wait-for-ports") as player:
        player.wait_for("playing on jack")
        keyboard = jack_peer("late keyboard")
        player.wait_for("connected to late keyboard-out:out")
        keyboard.connect(keyboard.wait_for_port(CLIENT, ":out"), keyboard.input)
        keyboard.send(note_on(60), note_off(60))
        assert is_one_note(received.message for received in keyboard.wait_for(2))
        assert player.leave(signal.SIGTERM) == 0


def test_without_any_midi_system_one_line_says_what_to_do(model: str, tmp_path: Path) -> None:
    environment = {"JACK_DEFAULT_SERVER": "improviser-no-such-server", "JACK_NO_START_SERVER": "1"}
    with Player(environment, tmp_path / "play.log", "--model", model, "--api", "jack") as player:
        assert player.process.wait(15) == 1
        (line,) = player.said().splitlines()
        assert line.startswith("improviser: error: JACK does not work here")
        assert "start a JACK server" in line
