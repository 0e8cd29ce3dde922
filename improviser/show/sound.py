"""The built-in synthesiser: a session as stereo sound, the player on the left, the improviser on the right."""

import wave
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from improviser.core.midi.event import TimedEvent
from improviser.core.midi.pairing import held_by_pedal, pair
from improviser.errors import OutputError
from improviser.files import check_writable, write_atomically

SAMPLE_RATE = 44_100
LONGEST_SECONDS = 1800.0
"""Half an hour of sound takes 300 MB."""
TAIL_SECONDS = 1.6
"""The room rings on for so long after the last note, the last of it fading out…"""
FADE_SECONDS = 0.4
SILENCE_SECONDS = 0.5
"""…and then there is nothing at all."""
BLOCK = 1 << 18
CYCLE_BITS = 15
"""One cycle of a wave is a table of 2**15 samples: the nearest is taken, and what that adds lies 70 dB below."""
HIGHEST_PARTIAL = 15_000.0
LOUDNESS = 0.32
ROOM_LOUDNESS = 0.22
KNEE = 0.7
"""Louder than this the sound is bent softly, so that it never reaches full scale."""

FULL_SCALE = 32_000

Samples = NDArray[np.float32]


class Synthesiser(Protocol):
    """Whatever renders a session as `render` does."""

    def __call__(
        self, player: Iterable[TimedEvent], improviser: Iterable[TimedEvent], *, end_seconds: float | None = None
    ) -> NDArray[np.int16]:
        """Return the session as sound, shape (frames, 2), 44.1 kHz."""


@dataclass(frozen=True, slots=True)
class Timbre:
    """How one of the two sounds.

    :param layers: what it is mixed from.
    :param attack_seconds: rise, a quarter of a sine: at once, since the ear takes the start of it for the onset.
    :param release_seconds: fall after the note's end, a raised cosine.
    :param pan: −1 left, 1 right.
    """

    layers: tuple["Layer", ...]
    attack_seconds: float
    release_seconds: float
    pan: float


@dataclass(frozen=True, slots=True)
class Layer:
    """Harmonics that rise and fall together.

    :param partials: (numbers from 1, their frequencies in Hz) → amplitudes.
    :param envelope: (seconds since the onset, fundamental in Hz, velocity 0–1) → amplitude.
    """

    partials: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
    envelope: Callable[[Samples, float, float], Samples]


def _tine(numbers: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lasting part of a struck tine: nearly a sine."""
    return np.where(numbers <= 3, numbers**-2.2, 0.0)


def _strike(numbers: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bright part of the stroke."""
    return np.where(numbers >= 3, 0.9 * numbers**-0.9, 0.0) * (numbers <= 12)


def _reed(numbers: NDArray[np.float64], frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the wave of a low reed: strong odd harmonics, and a formant at 500 Hz that small loudspeakers carry."""
    odd = np.where(numbers % 2 == 1, 1.0, 0.55)
    return odd * numbers**-1.1 * (0.6 + 1.4 * np.exp(-(((frequencies - 500) / 320) ** 2)))


def _decay(seconds: Samples, to_a_third: float) -> Samples:
    faded: Samples = np.exp(seconds * np.float32(-1 / to_a_third))
    return faded


def _fading(seconds: Samples, frequency: float, velocity: float) -> Samples:
    return _decay(seconds, 1.9 * (262 / frequency) ** 0.6) * np.float32(velocity**1.4)


def _flashing(seconds: Samples, frequency: float, velocity: float) -> Samples:
    return _decay(seconds, 0.22 * (262 / frequency) ** 0.4) * np.float32(0.75 * velocity**2.2)


def _blown(seconds: Samples, _: float, velocity: float) -> Samples:
    """Return a tone that speaks, settles at two thirds, and after a while trembles a little."""
    settled = np.float32(0.66) + np.float32(0.34) * _decay(seconds, 0.17)
    swell = np.float32(0.05) * np.clip(seconds - np.float32(0.3), 0, 1)
    tone: Samples = (settled + swell * np.sin(seconds * np.float32(2 * np.pi * 5))) * np.float32(0.7 * velocity**1.2)
    return tone


PLAYER = Timbre(
    (Layer(_tine, _fading), Layer(_strike, _flashing)), attack_seconds=0.003, release_seconds=0.09, pan=-0.4
)
IMPROVISER = Timbre((Layer(_reed, _blown),), attack_seconds=0.01, release_seconds=0.12, pan=0.4)


@cache
def cycle(layer: Layer, pitch: int) -> Samples:
    """Return one cycle of a layer's wave at a pitch, band-limited."""
    frequency = frequency_of(pitch)
    numbers = np.arange(1, max(2, int(HIGHEST_PARTIAL / frequency) + 1), dtype=np.float64)
    spectrum = np.zeros((1 << CYCLE_BITS) // 2 + 1, dtype=np.complex128)
    spectrum[1 : len(numbers) + 1] = -0.5j * (1 << CYCLE_BITS) * layer.partials(numbers, numbers * frequency)
    return np.fft.irfft(spectrum).astype(np.float32)


def frequency_of(pitch: int) -> float:
    """Return the frequency of a pitch in Hz, in equal temperament."""
    return float(440.0 * 2 ** ((pitch - 69) / 12))


@dataclass(frozen=True, slots=True)
class Tone:
    """One note as sound: frames of the session, pitch, velocity 0–1, timbre."""

    start: int
    end: int
    pitch: int
    velocity: float
    timbre: Timbre

    @property
    def last(self) -> int:
        """The frame where it has died away."""
        return self.end + _frames(self.timbre.release_seconds)

    def samples(self, first: int, last: int) -> Samples:
        """Return its sound in frames `first` to `last` of the session, which it fills."""
        ages = np.arange(first - self.start, last - self.start)
        seconds = ages.astype(np.float32) * np.float32(1 / SAMPLE_RATE)
        frequency = frequency_of(self.pitch)
        # The phase counts 2**-32ths of a cycle; its upper bits are the place in the table.
        ages *= round(frequency / SAMPLE_RATE * 2**32)
        ages >>= 32 - CYCLE_BITS
        ages &= (1 << CYCLE_BITS) - 1
        sound = np.zeros(len(ages), dtype=np.float32)
        for layer in self.timbre.layers:
            tone = cycle(layer, self.pitch).take(ages, mode="clip")
            tone *= layer.envelope(seconds, frequency, self.velocity)
            sound += tone
        self._shape(sound, first)
        return sound

    def _shape(self, sound: Samples, first: int) -> None:
        """Let the part of the sound that lies in the attack rise, and the part after the note's end fall."""
        attack, release = _ramps(self.timbre)
        rising = attack[first - self.start :][: len(sound)]
        sound[: len(rising)] *= rising
        begin = max(0, self.end - first)
        if begin < len(sound):
            sound[begin:] *= release[first + begin - self.end :][: len(sound) - begin]


@cache
def _ramps(timbre: Timbre) -> tuple[Samples, Samples]:
    """Return the factors of a timbre's attack and release, frame by frame."""
    attack, release = _frames(timbre.attack_seconds), _frames(timbre.release_seconds)
    rising = np.sin(np.pi / 2 / attack * np.arange(attack))
    falling = 0.5 + 0.5 * np.cos(np.pi / release * np.arange(release))
    return rising.astype(np.float32), falling.astype(np.float32)


def render(
    player: Iterable[TimedEvent], improviser: Iterable[TimedEvent], *, end_seconds: float | None = None
) -> NDArray[np.int16]:
    """Return a session as sound, shape (frames, 2), 44.1 kHz.

    Events are (seconds since the session began, event); the sustain pedal holds notes, other controllers do nothing.
    Unfinished notes end at `end_seconds`, or with the last event. After the last note the room rings out, and half a
    second of zeros follows.
    """
    heard, played = (sorted(events, key=lambda event: event[0]) for events in (player, improviser))
    last = max((seconds for seconds, _ in heard[-1:] + played[-1:]), default=0.0)
    end = max(last, end_seconds or 0.0)
    tones = sorted([*_tones(heard, end, PLAYER), *_tones(played, end, IMPROVISER)], key=lambda tone: tone.start)
    sounding = max([_frames(end), *(tone.last for tone in tones)]) + _frames(TAIL_SECONDS)
    sound, peak = _rendered(tones, sounding, LOUDNESS)
    if peak > 1:  # too many notes at once to be bent gently: turn it all down
        sound, _ = _rendered(tones, sounding, LOUDNESS / peak)
    return sound


def _rendered(tones: Sequence[Tone], sounding: int, loudness: float) -> tuple[NDArray[np.int16], float]:
    """Return `sounding` frames of sound and the silence after them, and the peak before it was limited."""
    sound = np.zeros((sounding + _frames(SILENCE_SECONDS), 2), dtype=np.int16)
    ringing = np.zeros((0, 2), dtype=np.float32)
    peak = 0.0
    for first in range(0, sounding, BLOCK):
        dry = mix(tones, first, min(first + BLOCK, sounding)) * np.float32(loudness)
        block, ringing = _in_room(dry, ringing)
        fade(block, sounding - first)
        peak = max(peak, float(np.abs(block).max()))
        sound[first : first + len(block)] = np.round(limit(block) * FULL_SCALE)
    return sound, peak


def _frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _tones(events: Sequence[TimedEvent], end: float, timbre: Timbre) -> list[Tone]:
    return [
        Tone(max(0, _frames(start)), max(0, _frames(finish)), on.pitch, on.velocity / 127, timbre)
        for start, finish, on in pair(held_by_pedal(events), end)
    ]


def mix(tones: Sequence[Tone], first: int, last: int) -> Samples:
    """Return the dry sound of the frames `first` to `last`, shape (frames, 2)."""
    mixed = np.zeros((2, last - first), dtype=np.float32)
    for tone in tones:
        if tone.start >= last:
            break
        begin, end = max(tone.start, first), min(tone.last, last)
        if begin < end:
            sound = tone.samples(begin, end)
            angle = (tone.timbre.pan + 1) * np.pi / 4
            mixed[0, begin - first : end - first] += np.float32(np.cos(angle)) * sound
            mixed[1, begin - first : end - first] += np.float32(np.sin(angle)) * sound
    return mixed.T


def _in_room(dry: Samples, ringing: Samples) -> tuple[Samples, Samples]:
    """Return the sound with the room's answer and what still rings from before, and what rings on after it."""
    spectrum, length = _room()
    sent = np.fft.rfft(dry.sum(axis=1), 2 * BLOCK)
    wet = np.fft.irfft(sent[:, np.newaxis] * spectrum, axis=0)[: len(dry) + length].astype(np.float32)
    wet[: len(dry)] += dry
    wet[: len(ringing)] += ringing[: len(wet)]
    return wet[: len(dry)], wet[len(dry) :]


@cache
def _room() -> tuple[NDArray[np.complex64], int]:
    """Return the room's spectra, shape (frequencies, 2), and its length in frames."""
    answer = room_answer()
    return np.fft.rfft(answer, 2 * BLOCK, axis=0).astype(np.complex64), len(answer)


def room_answer() -> NDArray[np.float64]:
    """Return what a small hall answers to a click, shape (frames, 2): decaying noise."""
    rng = np.random.default_rng(1685)
    length = _frames(TAIL_SECONDS)
    seconds = np.arange(length) / SAMPLE_RATE
    noise = rng.normal(size=(length, 2)) * np.exp(-seconds / 0.24)[:, np.newaxis]
    noise[: _frames(0.012)] = 0  # the walls are four metres away
    spectrum = np.fft.rfft(noise, 2 * BLOCK, axis=0)
    frequencies = np.fft.rfftfreq(2 * BLOCK, 1 / SAMPLE_RATE)[:, np.newaxis]
    spectrum *= 1 / (1 + 1j * frequencies / 3000) * (frequencies / (frequencies + 180))
    answer = np.fft.irfft(spectrum, axis=0)[:length] * np.linspace(1, 0, length)[:, np.newaxis]
    answer *= ROOM_LOUDNESS / np.sqrt((answer**2).sum(axis=0))
    return answer


def fade(block: Samples, remaining: int) -> None:
    """Fade the block out, in place, if the end of all sound is `remaining` frames after its start."""
    length = _frames(FADE_SECONDS)
    begin = max(0, remaining - length)
    if begin < len(block):
        left = remaining - np.arange(begin, len(block))
        block[begin:] *= (0.5 - 0.5 * np.cos(np.pi * left / length)).astype(np.float32)[:, np.newaxis]


def limit(sound: Samples) -> Samples:
    """Bend what is louder than the knee, so that nothing reaches 1."""
    excess = np.maximum(np.abs(sound) - KNEE, 0)
    if not excess.any():
        return sound
    return np.where(excess > 0, np.sign(sound) * (KNEE + (1 - KNEE) * np.tanh(excess / (1 - KNEE))), sound)


def write_wav(
    path: Path,
    player: Iterable[TimedEvent],
    improviser: Iterable[TimedEvent],
    *,
    end_seconds: float | None = None,
    synthesiser: Synthesiser = render,
) -> None:
    """Write a session as a WAV file (16 bits, stereo), whole or not at all; arguments as in `render`.

    :param synthesiser: what renders it.
    :raises OutputError: if it cannot be written, or is longer than half an hour.
    """
    check_writable(path)
    heard, played = list(player), list(improviser)
    longest = max([end_seconds or 0.0, *(seconds for seconds, _ in heard + played)])
    if longest > LONGEST_SECONDS:
        raise OutputError(
            f"cannot write {path}: the session lasts {longest / 60:.0f} minutes, and sound is kept for 30"
        )
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(synthesiser(heard, played, end_seconds=end_seconds).astype("<i2").tobytes())
    write_atomically(path, buffer.getvalue())
