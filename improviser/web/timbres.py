"""The built-in synthesiser for a browser: a few of its tones as WAV files, and how they are put together there.

Each layer of a timbre is rendered at the loudest velocity, every half octave; since a layer's loudness is a power of
the velocity, and its decay does not depend on it, factors do the rest. What does not decay is repeated between two
points where the wave is alike. Attacks are in the samples; releases, panning, room and limiter are the page's to do, by
numbers from here.
"""

import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from improviser.core.live.snapshot import Part
from improviser.show.sound import (
    FADE_SECONDS,
    IMPROVISER,
    KNEE,
    LOUDNESS,
    PLAYER,
    SAMPLE_RATE,
    Layer,
    Timbre,
    Tone,
    cycle,
    frequency_of,
    room_answer,
)

TIMBRES: Mapping[Part, Timbre] = {Part.PLAYER: PLAYER, Part.IMPROVISER: IMPROVISER}
PITCHES = range(27, 106, 6)
"""The pitches that are rendered; others are made of the nearest, three semitones off at most."""
LONGEST_SECONDS, SHORTEST_SECONDS = 4.0, 0.3
FAINT = 0.01
"""Fainter than this part of its beginning, a tone has died away."""
LOOP_AT_SECONDS, LOOP_SECONDS = 1.4, 1.0
"""Where a tone that lasts is repeated from, and about how much of it: some whole periods of its tremble."""
FULL_SCALE = 32_000
ROOM = "room.wav"


@dataclass(frozen=True, slots=True)
class Sample:
    """One layer of a timbre at one pitch."""

    timbre: Timbre
    layer: Layer
    pitch: int

    @property
    def peak(self) -> float:
        """By what the wave is divided to fit into a file."""
        loudest = self._envelope(np.linspace(0, LONGEST_SECONDS, 1000, dtype=np.float32)).max()
        return float(np.abs(cycle(self.layer, self.pitch)).max() * loudest)

    @property
    def loop(self) -> tuple[float, float] | None:
        """From where to where it is repeated, in seconds; None if it dies away."""
        late, early = self._envelope(np.array([LONGEST_SECONDS, 0.1], dtype=np.float32))
        if late < early / 2:
            return None
        frequency = round(frequency_of(self.pitch) / SAMPLE_RATE * 2**32) * SAMPLE_RATE / 2**32
        return LOOP_AT_SECONDS, LOOP_AT_SECONDS + round(LOOP_SECONDS * frequency) / frequency

    @property
    def seconds(self) -> float:
        """How long it is."""
        if self.loop is not None:
            return self.loop[1] + 0.01
        times = np.linspace(0, LONGEST_SECONDS, 500, dtype=np.float32)
        envelope = self._envelope(times)
        heard = times[envelope > FAINT * envelope.max()]
        return max(SHORTEST_SECONDS, float(heard[-1]))

    def _envelope(self, seconds: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.layer.envelope(seconds, frequency_of(self.pitch), 1.0)

    def gains(self) -> list[float]:
        """Return its loudness at each velocity 0–127, against the loudest."""
        soon = np.array([0.05], dtype=np.float32)
        loudest = float(self._envelope(soon)[0])
        heard = (float(self.layer.envelope(soon, frequency_of(self.pitch), v / 127)[0]) for v in range(128))
        return [round(each / loudest, 5) for each in heard]

    def wave(self) -> NDArray[np.float32]:
        """Return its sound, −1 to 1."""
        frames = round(self.seconds * SAMPLE_RATE)
        alone = Timbre((self.layer,), self.timbre.attack_seconds, self.timbre.release_seconds, self.timbre.pan)
        sound = Tone(0, 2 * frames, self.pitch, 1.0, alone).samples(0, frames) / np.float32(self.peak)
        if self.loop is None:
            fading = min(frames, round(FADE_SECONDS * SAMPLE_RATE))
            sound[-fading:] *= np.linspace(1, 0, fading, dtype=np.float32)
        return sound


def _samples() -> dict[str, Sample]:
    return {
        f"{part.value}-{number}-{pitch}.wav": Sample(timbre, layer, pitch)
        for part, timbre in TIMBRES.items()
        for number, layer in enumerate(timbre.layers)
        for pitch in PITCHES
    }


_SAMPLES = _samples()
SAMPLES = frozenset((*_SAMPLES, ROOM))
"""The names of all files."""


@cache
def described() -> dict[str, Any]:
    """Return how a page makes tones of the samples, and what it does with them."""
    parts: dict[str, Any] = {
        part.value: {
            "pan": timbre.pan,
            "release": timbre.release_seconds,
            "layers": [{"gains": [], "samples": []} for _ in timbre.layers],
        }
        for part, timbre in TIMBRES.items()
    }
    for name, each in _SAMPLES.items():
        part, number, _ = name.split("-")
        layer = parts[part]["layers"][int(number)]
        layer["gains"] = layer["gains"] or each.gains()
        layer["samples"].append({"name": name, "pitch": each.pitch, "gain": round(each.peak, 5), "loop": each.loop})
    room = {"name": ROOM, "gain": float(np.abs(room_answer()).max())}
    return {"loudness": LOUDNESS, "knee": KNEE, "room": room, "parts": parts}


@cache
def sample(name: str) -> bytes:
    """Return a file of `SAMPLES`, as WAV: 16 bits, 44.1 kHz, one channel (of the room: two)."""
    if name == ROOM:
        answer = room_answer()
        sound = answer / np.abs(answer).max()
    else:
        sound = _SAMPLES[name].wave().astype(np.float64)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2 if name == ROOM else 1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(np.clip(sound, -1, 1) * FULL_SCALE).astype("<i2").tobytes())
    return buffer.getvalue()
