"""The whole chain on real parts: a key, the answer, FluidSynth, and a sound that has the answer's pitch."""

import logging
import os
import signal
import subprocess
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from improviser.engine.events import event_of
from improviser.engine.protocol import Step
from improviser.show.loudspeaker import Loudspeaker
from tests.jack_peer import JackPeer
from tests.playing import Player, note_off, note_on
from tests.servers import FluidSynth, JackServer, requires, sound_font

CLIENT = "improviser-to-synth"


def loudest_frequency(path: Path, seconds: float) -> float:
    """Return the frequency in Hz of the strongest partial within `seconds` from where the sound begins."""
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())
    sound = samples.sum(axis=1).astype(np.float64)
    start = int(np.argmax(np.abs(sound) > 0.1 * np.abs(sound).max())) + rate // 20
    piece = sound[start : start + int(seconds * rate)]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 18))
    return float(np.argmax(spectrum) * rate / (1 << 18))


@pytest.mark.jack
@pytest.mark.fluidsynth
def test_the_answer_sounds_at_its_pitch_and_falls_silent(
    jack_server: JackServer,
    fluidsynth_on_jack: FluidSynth,
    jack_peer: Callable[[str], JackPeer],
    tmp_path: Path,
) -> None:
    options = ("--name", CLIENT, "--input", "virtual", "--output", fluidsynth_on_jack.name, "--seed", "3")
    recording = tmp_path / "answer.wav"
    with Player(jack_server.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("playing on jack: .*plays to .*midi_00")
        keyboard = jack_peer("keyboard")
        keyboard.connect_to(CLIENT)
        synth_program = bytes((0xC0, 79))  # the ocarina: next to nothing but its fundamental
        keyboard.connect(keyboard.output, fluidsynth_on_jack.midi)
        keyboard.send(synth_program)
        keyboard.disconnect(keyboard.output, fluidsynth_on_jack.midi)
        with jack_server.recorded(recording, 3, fluidsynth_on_jack.left, fluidsynth_on_jack.right):
            time.sleep(0.3)
            keyboard.play([(0.0, note_on(72, 100)), (0.9, note_off(72))])
        answer = keyboard.wait_for(2)[0].message[1]
        assert player.leave(signal.SIGTERM) == 0
    played = 440 * 2 ** ((answer - 69) / 12)
    assert loudest_frequency(recording, 0.6) == pytest.approx(played, rel=0.01)
    with wave.open(str(recording)) as file:
        file.setpos(file.getnframes() - file.getframerate() // 4)
        assert not any(file.readframes(file.getframerate() // 4))


@pytest.mark.jack
@pytest.mark.fluidsynth
def test_a_session_is_heard_with_a_soundfont_and_falls_silent(
    jack_server: JackServer, jack_peer: Callable[[str], JackPeer], tmp_path: Path
) -> None:
    """FluidSynth as a part of ours: the answer's pitch is heard, also if a note is still held when the session ends."""
    requires("fluidsynth")
    font, recording = str(sound_font()), tmp_path / "session.wav"
    options = ("--name", CLIENT, "--input", "virtual", "--output", "virtual", "--seed", "3", "--soundfont", font)
    with Player(jack_server.client_environment, tmp_path / "play.log", *options) as player:
        player.wait_for("sound: FluidSynth with .* on jack")
        keyboard = jack_peer("keyboard")
        keyboard.connect_to(CLIENT)
        ports = [f"improviser-sound:{side}" for side in ("left", "right")]
        with jack_server.recorded(recording, 5, *ports):
            time.sleep(0.3)
            keyboard.play([(0.0, note_on(72, 100)), (0.9, note_off(72)), (1.2, note_on(74, 100))])
            answer = keyboard.wait_for(3)[0].message[1]
            assert player.leave(signal.SIGTERM) == 0
            player.assert_gone()
    with wave.open(str(recording)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2).astype(np.float64)
    start = int(np.argmax(np.abs(samples).max(axis=1) > 300))
    piece = samples[start + rate // 20 : start + rate * 3 // 4, 1]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 18))
    frequencies = np.fft.rfftfreq(1 << 18, 1 / rate)
    played = 440 * 2 ** ((answer - 69) / 12)
    near = (frequencies > played / 1.05) & (frequencies < played * 1.05)
    far = (frequencies > played * 1.06) & (frequencies < played * 1.9)
    assert frequencies[near][spectrum[near].argmax()] == pytest.approx(played, rel=0.01)
    assert spectrum[near].max() > 3 * spectrum[far & (np.abs(frequencies - 523.25) > 20)].max()
    assert not samples[-rate // 2 :].any()


@pytest.mark.jack
@pytest.mark.fluidsynth
def test_a_soundfont_bends_with_the_wheel(restartable_jack: JackServer, tmp_path: Path) -> None:
    requires("fluidsynth")
    loudspeaker, recording = Loudspeaker(font=str(sound_font())), tmp_path / "bent.wav"
    try:
        assert loudspeaker.said.wait(30)
        with restartable_jack.recorded(recording, 2, "improviser-sound:left"):
            loudspeaker.take(event_of(Step(0.0, bytes((0xE0, 127, 127)), [], 0.0)))
            loudspeaker.take(event_of(Step(0.0, bytes(note_on(69, 100)), [], 0.0)))
            time.sleep(1)
    finally:
        loudspeaker.close()
    assert loudest_frequency(recording, 0.6) == pytest.approx(440 * 2 ** (2 / 12), rel=0.01)


def fluidsynth_of(loudspeaker: Loudspeaker) -> int:
    """Return the process id of the FluidSynth that a loudspeaker plays with; 0 if there is none."""
    listing = subprocess.run(
        ["ps", "--ppid", str(loudspeaker._process.pid), "-o", "pid="], capture_output=True, text=True, check=False
    )
    return int(listing.stdout.split()[0]) if listing.stdout.strip() else 0


@pytest.mark.jack
@pytest.mark.fluidsynth
def test_when_fluidsynth_dies_the_built_in_synthesiser_goes_on(
    restartable_jack: JackServer, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("miniaudio")
    requires("fluidsynth")
    with caplog.at_level(logging.INFO):
        loudspeaker = Loudspeaker("null", str(sound_font()))
        assert loudspeaker.said.wait(30)
        assert loudspeaker.plays_on is not None
        assert loudspeaker.plays_on.endswith("on jack")
        os.kill(fluidsynth_of(loudspeaker), signal.SIGKILL)
        deadline = time.monotonic() + 30
        while loudspeaker.plays_on != "the built-in synthesiser on Null":
            assert time.monotonic() < deadline, caplog.messages
            loudspeaker.take(event_of(Step(0.0, bytes(note_on(60)), [bytes(note_off(60))], 0.0)))
            time.sleep(0.05)
        loudspeaker.close()
    assert "FluidSynth has gone; the built-in synthesiser goes on" in caplog.messages
    assert loudspeaker._process.returncode == 0


@pytest.mark.jack
@pytest.mark.fluidsynth
def test_no_fluidsynth_survives_its_speaker(restartable_jack: JackServer) -> None:
    requires("fluidsynth")
    loudspeaker = Loudspeaker(font=str(sound_font()))
    assert loudspeaker.said.wait(30)
    synth = fluidsynth_of(loudspeaker)
    loudspeaker.take(event_of(Step(0.0, bytes(note_on(60)), [], 0.0)))
    loudspeaker._process.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{synth}/exe").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    loudspeaker.close()
