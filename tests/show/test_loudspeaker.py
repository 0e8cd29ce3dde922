"""Live sound in its process: with a device that is heard by nobody, and without any."""

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from improviser.core.midi.codec import encode
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.engine.events import event_of
from improviser.engine.protocol import Played, Ready, Step
from improviser.show.live_sound import BLOCK, LiveSynth
from improviser.show.loudspeaker import Loudspeaker
from improviser.show.sound import FULL_SCALE
from improviser.show.speaker import PLAYS, events_in, frames_of, open_device, play

if TYPE_CHECKING:
    from collections.abc import Callable

ON, OFF = encode(NoteOn(0, 60, 100)), encode(NoteOff(0, 60))


class Device:
    """Pulls frames when told to, like a sound card."""

    backend = "fake"

    def __init__(self) -> None:
        self.frames: np.ndarray = np.zeros((0, 2), dtype="<i2")
        self.pull: Callable[[int], None] = lambda _: None
        self.started = threading.Event()
        self.closed = False

    def start(self, frames: object) -> None:
        def pull(count: int) -> None:
            data = frames.send(count)  # type: ignore[attr-defined]
            self.frames = np.concatenate([self.frames, np.frombuffer(data, "<i2").reshape(-1, 2)])

        self.pull = pull
        self.started.set()

    def close(self) -> None:
        self.closed = True


def test_the_device_gets_as_many_frames_as_it_wants() -> None:
    synth, same = LiveSynth(), LiveSynth()
    for each in (synth, same):
        each.take(0, NoteOn(0, 60, 100))
    frames = frames_of(synth, lambda: None)
    next(frames)
    pieces = [frames.send(count) for count in (1, 440, 0, 7, 1000)]
    assert [len(piece) for piece in pieces] == [4, 1760, 0, 28, 4000]
    expected = np.concatenate([same.block() for _ in range(-(-1448 // BLOCK))])[:1448]
    heard = np.frombuffer(b"".join(pieces), "<i2").reshape(-1, 2)
    assert np.abs(heard - expected * FULL_SCALE).max() <= 0.5


def test_what_comes_in_is_played_to_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("improviser.show.speaker.TAIL_SECONDS", 0.0)
    reading, writing = os.pipe()
    device = Device()
    playing = threading.Thread(target=play, args=(device, events_in(reading)))
    playing.start()
    assert device.started.wait(10)
    os.write(writing, b"\0" + ON[:2])
    os.write(writing, ON[2:] + b"\1" + encode(NoteOn(0, 40, 100)) + b"\7nix")
    while not device.frames.any():
        device.pull(BLOCK)
    os.close(writing)
    playing.join(10)
    assert device.closed
    for _ in range(400):
        device.pull(BLOCK)
    assert np.abs(device.frames[-BLOCK:]).max() <= 1, "all notes were ended"
    assert capsys.readouterr().out == f"{PLAYS}the built-in synthesiser on fake\n"
    os.close(reading)


def test_events_come_whole() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\0\x90\x3c")
    events = events_in(reading)
    os.write(writing, b"\x40\1\x80\x3c\x40\0")
    assert [next(events), next(events)] == [(0, b"\x90\x3c\x40"), (1, b"\x80\x3c\x40")]
    os.close(writing)
    assert list(events) == []
    os.close(reading)


def test_it_plays_beside_everything_else() -> None:
    pytest.importorskip("miniaudio")
    loudspeaker = Loudspeaker("null")
    assert loudspeaker.said.wait(20)
    assert loudspeaker.plays_on == "the built-in synthesiser on Null"
    for report in (Ready("loopback", "", ""), Step(0.0, ON, [ON], 0.0), Played(1.0, [OFF, b"\xc0\1"])):
        loudspeaker.take(event_of(report))
    assert not loudspeaker._waiting
    loudspeaker.close()
    assert loudspeaker._process.returncode == 0
    loudspeaker.take(event_of(Step(2.0, OFF, [OFF], 0.0)))


def test_without_a_device_it_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        loudspeaker = Loudspeaker("coreaudio" if sys.platform != "darwin" else "alsa")
        assert loudspeaker.said.wait(20)
        for _ in range(3):
            loudspeaker.take(event_of(Step(0.0, ON, [ON], 0.0)))
        loudspeaker.close()
    assert loudspeaker.plays_on is None
    (line,) = caplog.messages
    assert line.startswith("no sound: ")
    assert line.endswith("; everything else goes on")


def test_a_speaker_that_dies_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("miniaudio")
    loudspeaker = Loudspeaker("null")
    assert loudspeaker.said.wait(20)
    loudspeaker._process.kill()
    loudspeaker._process.wait()
    for _ in range(3):
        loudspeaker.take(event_of(Step(0.0, ON, [ON], 0.0)))
    loudspeaker.close()
    assert [line for line in caplog.messages if "no sound any more" in line] == caplog.messages[:1]


def test_the_extra_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    with pytest.raises(LookupError, match="extra sound"):
        open_device(None)
