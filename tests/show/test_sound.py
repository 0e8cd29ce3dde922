"""The built-in synthesiser, measured."""

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, TimedEvent
from improviser.errors import OutputError
from improviser.show.sound import LONGEST_SECONDS, SAMPLE_RATE, render, write_wav

Sound = NDArray[np.float64]
PLAYER, IMPROVISER = "player", "improviser"


def note(pitch: int, start: float = 0.0, end: float = 1.0, velocity: int = 90) -> list[TimedEvent]:
    return [(start, NoteOn(0, pitch, velocity)), (end, NoteOff(0, pitch))]


def sound_of(events: list[TimedEvent], who: str = PLAYER) -> Sound:
    """Return both sides together, full scale 1."""
    parts = (events, []) if who == PLAYER else ([], events)
    sound: Sound = render(*parts).astype(np.float64).sum(axis=1) / 65_536
    return sound


def spectrum_of(sound: Sound) -> tuple[Sound, Sound]:
    size = 1 << 19
    levels: Sound = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size))
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float64)
    return frequencies, levels


def loudness(sound: Sound) -> float:
    return float(np.sqrt((sound**2).mean()))


def frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


@pytest.mark.parametrize("who", [PLAYER, IMPROVISER])
@pytest.mark.parametrize("pitch", [36, 45, 57, 69, 81, 100])
def test_pitch_is_right(who: str, pitch: int) -> None:
    frequencies, levels = spectrum_of(sound_of(note(pitch, 0, 2), who)[: frames(2)])
    wanted = 440 * 2 ** ((pitch - 69) / 12)
    near = (frequencies > wanted * 0.8) & (frequencies < wanted * 1.25)
    assert frequencies[near][levels[near].argmax()] == pytest.approx(wanted, abs=0.5)
    assert levels[frequencies < wanted * 0.8].max() < 0.1 * levels[near].max()


@pytest.mark.parametrize("who", [PLAYER, IMPROVISER])
@pytest.mark.parametrize("pitch", [36, 60, 84])
def test_onset_is_where_it_was_played(who: str, pitch: int) -> None:
    sound = np.abs(sound_of(note(pitch, 0.5, 1.5), who))
    assert sound[: frames(0.5)].max() == 0
    heard = np.argmax(sound > 0.02 * sound.max()) / SAMPLE_RATE
    assert 0.5 <= heard < 0.502


@pytest.mark.parametrize("who", [PLAYER, IMPROVISER])
def test_no_clicks(who: str) -> None:
    sound = sound_of(note(57, 0.2, 1.0), who)
    # A click is high above everything in the tone: take what is above 16 kHz, where neither has partials.
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    high = np.fft.irfft(np.where(frequencies > 16_000, np.fft.rfft(sound), 0), len(sound))
    assert np.abs(high).max() < 0.001 * np.abs(sound).max()


def test_no_clipping_however_loud() -> None:
    chord = [event for pitch in range(36, 100, 3) for event in note(pitch, 0, 1, 127)]
    chord.sort(key=lambda event: event[0])
    sound = render(chord, chord)
    assert 25_000 < np.abs(sound.astype(np.int32)).max() < 32_767
    assert (np.abs(sound.astype(np.int32)) >= 31_900).mean() < 0.001


@pytest.mark.parametrize("who", [PLAYER, IMPROVISER])
def test_it_ends_in_silence_after_ringing_out(who: str) -> None:
    sound = sound_of(note(60), who)
    assert not sound[-frames(0.4) :].any()
    assert sound[frames(1.2) : frames(1.5)].any()
    assert loudness(sound[frames(0.3) : frames(0.9)]) > 50 * loudness(sound[frames(2.0) : frames(2.3)])


def test_nothing_played_is_silence() -> None:
    sound = render([], [], end_seconds=1.0)
    assert sound.shape[1] == 2
    assert len(sound) > SAMPLE_RATE
    assert not sound.any()


def test_pedal_holds_notes_until_it_is_released() -> None:
    short = note(45, 0, 0.3)
    pedalled: list[TimedEvent] = [(0.0, ControlChange(0, 64, 127)), *short, (1.5, ControlChange(0, 64, 0))]
    after = slice(frames(0.9), frames(1.4))
    assert loudness(sound_of(pedalled, IMPROVISER)[after]) > 30 * loudness(sound_of(short, IMPROVISER)[after])
    assert not sound_of(pedalled, IMPROVISER)[-frames(0.4) :].any()


def test_unfinished_notes_end() -> None:
    sound = render([(0.0, NoteOn(0, 60, 64))], [], end_seconds=1.0)
    assert not sound[-frames(0.4) :].any()


def test_player_left_improviser_right() -> None:
    for parts, louder in (((note(60), []), 0), (([], note(60)), 1)):
        sides = (render(*parts).astype(np.float64) ** 2).mean(axis=0)
        assert sides[louder] > 1.5 * sides[1 - louder]


def test_the_two_sound_different() -> None:
    """While a key is held the struck sound fades to nearly a sine; the blown one stays, and keeps its overtones."""
    late = slice(frames(1.0), frames(2.0))
    struck, blown = (sound_of(note(57, 0, 2), who) for who in (PLAYER, IMPROVISER))
    early = slice(frames(0.05), frames(0.2))
    assert loudness(struck[late]) < 0.6 * loudness(struck[early])
    assert loudness(blown[late]) > 0.6 * loudness(blown[early])
    overtones = []
    for sound in (struck, blown):
        frequencies, levels = spectrum_of(sound[late])
        fundamental = levels[np.abs(frequencies - 220) < 20].max()
        overtones.append(
            np.sqrt(sum(levels[np.abs(frequencies - 220 * k) < 20].max() ** 2 for k in range(2, 9))) / fundamental
        )
    assert overtones[1] > 1.5 * overtones[0]


@pytest.mark.parametrize("who", [PLAYER, IMPROVISER])
def test_velocity_is_loudness(who: str) -> None:
    levels = [loudness(sound_of(note(60, velocity=velocity), who)) for velocity in (30, 60, 90, 120)]
    assert levels == sorted(levels)
    assert levels[-1] > 3 * levels[0]


def test_sound_does_not_depend_on_where_it_falls() -> None:
    """Rendering goes block by block; no seam is heard."""
    early, late = sound_of(note(50, 0.0, 2.0)), sound_of(note(50, 5.0, 7.0))
    shifted = late[frames(5.0) :]
    assert len(shifted) == len(early)
    assert np.abs(shifted - early).max() <= 3 / 65_536


def test_wav_file(tmp_path: Path) -> None:
    write_wav(tmp_path / "session.wav", note(60), note(48), end_seconds=1.2)
    with wave.open(str(tmp_path / "session.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, SAMPLE_RATE)
        read = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    assert np.array_equal(read, render(note(60), note(48), end_seconds=1.2))


def test_too_long_or_nowhere_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="minutes"):
        write_wav(tmp_path / "session.wav", [], [], end_seconds=LONGEST_SECONDS + 1)
    with pytest.raises(OutputError, match="folder"):
        write_wav(tmp_path / "no" / "session.wav", [], [])
    assert list(tmp_path.iterdir()) == []
