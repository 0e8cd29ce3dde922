"""A SoundFont by FluidSynth: rendered, live, and what is said where it cannot be."""

import logging
from pathlib import Path

import numpy as np
import pytest

from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, TimedEvent
from improviser.show.loudspeaker import Loudspeaker
from improviser.show.sound import SAMPLE_RATE, TAIL_SECONDS, render, write_wav
from improviser.show.soundfont import find_font, renderer, synthesiser_for
from tests.servers import requires, sound_font


@pytest.fixture(name="font")
def a_font() -> Path:
    """A SoundFont, and a FluidSynth to play it."""
    requires("fluidsynth")
    return sound_font()


def note(pitch: int, start: float, end: float, channel: int = 0) -> list[TimedEvent]:
    return [(start, NoteOn(channel, pitch, 100)), (end, NoteOff(channel, pitch))]


def fundamental(sound: "np.ndarray[tuple[int, ...], np.dtype[np.int16]]", pitch: int) -> float:
    """Return the frequency of the strongest partial within a third of where a pitch is, in Hz."""
    wanted = 440 * 2 ** ((pitch - 69) / 12)
    spectrum = np.abs(np.fft.rfft(sound.astype(np.float64).sum(axis=1) * np.hanning(len(sound)), 1 << 18))
    frequencies = np.fft.rfftfreq(1 << 18, 1 / SAMPLE_RATE)
    near = (frequencies > wanted / 1.3) & (frequencies < wanted * 1.3)
    return float(frequencies[near][spectrum[near].argmax()])


def test_both_sound_at_their_pitch_on_their_side_and_fall_silent(font: Path) -> None:
    sound = renderer(font)(note(72, 0.0, 1.0), note(48, 1.5, 2.5), end_seconds=2.5)
    player, improviser = sound[: SAMPLE_RATE // 2], sound[int(1.6 * SAMPLE_RATE) : int(2.4 * SAMPLE_RATE)]
    assert fundamental(player, 72) == pytest.approx(523.3, rel=0.005)
    assert fundamental(improviser, 48) == pytest.approx(130.8, rel=0.005)
    left, right = (np.abs(part.astype(np.int64)).sum(axis=0) for part in (player, improviser))
    assert left[0] > left[1]
    assert right[1] > right[0]
    assert not sound[round((2.5 + TAIL_SECONDS) * SAMPLE_RATE) :].any()
    assert len(sound) == len(render([], [], end_seconds=2.5))


def test_nothing_clips_and_the_pedal_holds(font: Path) -> None:
    crowd = [event for pitch in range(36, 84, 2) for event in note(pitch, 0.0, 0.2)]
    pedal: list[TimedEvent] = [(0.0, ControlChange(0, 64, 127)), (1.5, ControlChange(0, 64, 0))]
    sound = renderer(font)(sorted([*pedal, *crowd], key=lambda moment: moment[0]), crowd)
    assert 8000 < np.abs(sound.astype(np.int64)).max() < 32_700
    alone = renderer(font)(crowd, crowd, end_seconds=1.5)
    held, let_go = (
        np.abs(each[SAMPLE_RATE : int(1.4 * SAMPLE_RATE)].astype(np.int64)).mean() for each in (sound, alone)
    )
    assert held > 3 * let_go


def test_a_wav_is_written_with_it_and_it_says_so(font: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        write_wav(tmp_path / "with.wav", note(60, 0, 1), [], synthesiser=synthesiser_for(str(font)))
    write_wav(tmp_path / "without.wav", note(60, 0, 1), [], synthesiser=synthesiser_for(None))
    assert caplog.messages == [f"sound: FluidSynth with {font.name}"]
    assert (tmp_path / "with.wav").read_bytes() != (tmp_path / "without.wav").read_bytes()


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "folder"])
def test_what_is_no_font_is_one_line_and_the_built_in_goes_on(
    font: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    path = tmp_path / "bad.sf2"
    if kind == "text":
        path.write_text("not a font")
    elif kind == "cut":
        path.write_bytes(font.read_bytes()[:2000])
    elif kind == "folder":
        path.mkdir()
    sound = synthesiser_for(str(path))(note(60, 0, 0.2), [])
    assert np.array_equal(sound, render(note(60, 0, 0.2), []))
    (line,) = caplog.messages
    assert "bad.sf2" in line
    assert line.endswith("the built-in synthesiser plays instead")


def test_without_fluidsynth_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LookupError, match="not installed"):
        find_font("auto")


def test_a_font_that_cannot_be_live_leaves_the_built_in_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("miniaudio")
    requires("fluidsynth")
    with caplog.at_level(logging.INFO):
        loudspeaker = Loudspeaker("null", str(tmp_path / "none.sf2"))
        assert loudspeaker.said.wait(20)
        loudspeaker.close()
    assert [line.partition(":")[0] for line in caplog.messages] == [
        f"cannot read the SoundFont {tmp_path}/none.sf2",
        "sound",
    ]
    assert caplog.messages[0].endswith("the built-in synthesiser goes on")
    assert caplog.messages[1] == "sound: the built-in synthesiser on Null"
    assert loudspeaker._process.returncode == 0
