"""`improviser play` on ALSA's real sequencer: play, unplug and plug in again, and release after a killed engine."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.jack_peer import sounding
from tests.playing import Player, note_off, note_on, write_small_model

pytestmark = [
    pytest.mark.skipif(not Path("/dev/snd/seq").exists(), reason="this kernel has no ALSA sequencer (see guest.py)"),
    pytest.mark.timeout(1500),
]

KEYS, SYNTH = "alsa-test-keys", "alsa-test-synth"
PATIENCE_SECONDS = 400.0
"""A machine that is emulated in software is slow."""


class Device:
    """A port of a sequencer client of our own; others see it as they see a keyboard or a synthesiser."""

    def __init__(self, kind: str, name: str) -> None:
        import rtmidi

        self.port: Any = getattr(rtmidi, kind)(rtmidi.API_LINUX_ALSA, name=name)
        self.port.open_virtual_port(name)
        self.messages: list[bytes] = []
        if kind == "MidiIn":
            self.port.set_callback(lambda timed, _: self.messages.append(bytes(timed[0])))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        port, self.port = self.port, None
        if port is not None:  # RtMidi's crashes if it is deleted twice
            port.close_port()
            port.delete()

    def send(self, *messages: tuple[int, int, int]) -> None:
        for message in messages:
            self.port.send_message(message)

    @property
    def sounding(self) -> set[tuple[int, int]]:
        return sounding([*self.messages])


def keyboard() -> Device:
    return Device("MidiOut", KEYS)


def synthesiser() -> Device:
    return Device("MidiIn", SYNTH)


def wait_until_sounding(synth: Device, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(synth.sounding) != count:
        assert time.monotonic() < deadline, synth.messages
        time.sleep(0.02)


def assert_answered(keys: Device, synth: Device) -> None:
    """Play until an answer sounds, and assert that it ends with its note."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    synth.messages.clear()
    while not any(message[0] & 0xF0 == 0x90 for message in [*synth.messages]):
        assert time.monotonic() < deadline, "no answer is heard"
        keys.send(note_on(72), note_off(72))
        time.sleep(0.5)
    wait_until_sounding(synth, 0)


@pytest.fixture
def keys() -> Iterator[Device]:
    with keyboard() as keys:
        yield keys


@pytest.fixture
def synth() -> Iterator[Device]:
    with synthesiser() as synth:
        yield synth


@pytest.fixture
def player(keys: Device, synth: Device, tmp_path: Path) -> Iterator[Player]:
    model = write_small_model(tmp_path / "small.safetensors")
    options = ("--api", "alsa", "--input", KEYS, "--output", SYNTH, "--model", str(model), "--seed", "1")
    with Player({}, tmp_path / "play.log", *options, "--no-record", "--no-display") as player:
        player.wait_for("playing on alsa", timeout=PATIENCE_SECONDS)
        yield player


def test_notes_are_answered_and_ended(player: Player, keys: Device, synth: Device) -> None:
    keys.send(note_on(60), note_on(64))
    wait_until_sounding(synth, 2)
    keys.send(note_off(60), note_off(64))
    wait_until_sounding(synth, 0)
    assert player.leave(signal.SIGTERM, timeout=PATIENCE_SECONDS) == 0


def test_a_keyboard_that_is_unplugged_is_released_and_heard_again(player: Player, keys: Device, synth: Device) -> None:
    keys.send(note_on(60), note_on(64))
    wait_until_sounding(synth, 2)
    keys.unplug()
    wait_until_sounding(synth, 0)
    player.wait_for("is unplugged", timeout=PATIENCE_SECONDS)
    with keyboard() as back:
        assert_answered(back, synth)
    assert player.leave(signal.SIGTERM, timeout=PATIENCE_SECONDS) == 0


def test_a_synth_that_is_plugged_in_again_is_played_to(player: Player, keys: Device, synth: Device) -> None:
    assert_answered(keys, synth)
    synth.unplug()
    time.sleep(3)  # longer than a look at the ports takes to come round
    with synthesiser() as back:
        assert_answered(keys, back)
    assert player.leave(signal.SIGTERM, timeout=PATIENCE_SECONDS) == 0


def test_a_killed_engine_leaves_silence_and_playing_goes_on(player: Player, keys: Device, synth: Device) -> None:
    keys.send(note_on(60), note_on(64))
    wait_until_sounding(synth, 2)
    os.kill(player.engine, signal.SIGKILL)
    wait_until_sounding(synth, 0)
    player.wait_for("playing again", timeout=PATIENCE_SECONDS)
    assert_answered(keys, synth)
    assert player.leave(signal.SIGTERM, timeout=PATIENCE_SECONDS) == 0
    player.assert_gone()
