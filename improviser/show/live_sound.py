"""The built-in synthesiser, live: what `sound` renders of a whole session, block by block while it is played.

What is heard is the same, but for two things that only the future could tell: a note's end, and how loud it will get.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from improviser.core.midi.event import ALL_NOTES_OFF, ALL_SOUND_OFF, SUSTAIN, ControlChange, Event, NoteOff, NoteOn
from improviser.core.midi.pairing import PEDAL_DOWN
from improviser.show.sound import IMPROVISER, LOUDNESS, PLAYER, Samples, Timbre, Tone, limit, mix, room_answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 256
"""Frames, 6 ms: what is played takes effect at the start of the next block."""
MOST_TONES = 40
"""When more sound, the oldest ends."""
NOT_YET = 1 << 60
TIMBRES = (PLAYER, IMPROVISER)

Key = tuple[Timbre, int, int]


class LiveSynth:
    """Takes in what the two play, and renders a block at a time."""

    def __init__(self) -> None:
        self._frame = 0
        self._sounding: dict[Key, Tone] = {}
        self._ending: list[Tone] = []
        self._pedals: set[tuple[Timbre, int]] = set()
        self._held: set[Key] = set()
        self._room = _Room()

    def take(self, part: int, event: Event) -> None:
        """Take in an event of the player (part 0) or of the improviser (1)."""
        timbre = TIMBRES[part]
        match event:
            case NoteOn(channel, pitch, velocity):
                self._end((timbre, channel, pitch))
                if len(self._sounding) >= MOST_TONES:
                    self._end(next(iter(self._sounding)))
                self._sounding[timbre, channel, pitch] = Tone(self._frame, NOT_YET, pitch, velocity / 127, timbre)
            case NoteOff(channel, pitch):
                if (timbre, channel) in self._pedals:
                    self._held.add((timbre, channel, pitch))
                else:
                    self._end((timbre, channel, pitch))
            case ControlChange(channel, control, value) if control == SUSTAIN:
                self._move_pedal(timbre, channel, down=value >= PEDAL_DOWN)
            case ControlChange(channel, control) if control in (ALL_SOUND_OFF, ALL_NOTES_OFF):
                self._move_pedal(timbre, channel, down=False)
                for key in [key for key in self._sounding if key[:2] == (timbre, channel)]:
                    self._end(key)

    def _end(self, key: Key) -> None:
        self._held.discard(key)
        tone = self._sounding.pop(key, None)
        if tone is not None:
            self._ending.append(replace(tone, end=max(self._frame, tone.start)))

    def _move_pedal(self, timbre: Timbre, channel: int, *, down: bool) -> None:
        if down:
            self._pedals.add((timbre, channel))
            return
        self._pedals.discard((timbre, channel))
        for key in [key for key in self._held if key[:2] == (timbre, channel)]:
            self._end(key)

    def silence(self) -> None:
        """Let all that sounds end."""
        self._pedals.clear()
        for key in list(self._sounding):
            self._end(key)

    def block(self) -> Samples:
        """Return the next block of sound, shape (BLOCK, 2), between −1 and 1."""
        first, last = self._frame, self._frame + BLOCK
        tones = sorted([*self._ending, *self._sounding.values()], key=lambda tone: tone.start)
        dry = mix(tones, first, last) * np.float32(LOUDNESS)
        self._frame = last
        self._ending = [tone for tone in self._ending if tone.last > last]
        return limit(dry + self._room.answer(dry))


class _Room:
    """The room of `sound`, its answer to a block at a time (uniformly partitioned convolution, Stockham 1966)."""

    def __init__(self) -> None:
        parts = -(-len(room_answer()) // BLOCK)
        padded = np.zeros((parts * BLOCK, 2))
        padded[: len(room_answer())] = room_answer()
        spectra = np.fft.rfft(padded.reshape(parts, BLOCK, 2), 2 * BLOCK, axis=1)
        # By frequency, the latest part last: so that the newest block meets the room's first part.
        self._spectra = np.ascontiguousarray(spectra.transpose(1, 0, 2)[:, ::-1]).astype(np.complex64)
        self._parts = parts
        # The spectra of the last blocks, twice in a row: any `parts` in a row, without a copy.
        self._heard: NDArray[np.complex64] = np.zeros((BLOCK + 1, 2 * parts), dtype=np.complex64)
        self._place = 0
        self._before: Samples = np.zeros(BLOCK, dtype=np.float32)

    def answer(self, dry: Samples) -> Samples:
        """Return what comes back from the walls during this block, shape (BLOCK, 2)."""
        mono = dry.sum(axis=1)
        spectrum = np.fft.rfft(np.concatenate([self._before, mono]))
        self._before = mono
        self._heard[:, self._place] = self._heard[:, self._place + self._parts] = spectrum
        self._place = (self._place + 1) % self._parts
        latest = self._heard[:, np.newaxis, self._place : self._place + self._parts]
        wet = np.fft.irfft(np.matmul(latest, self._spectra)[:, 0], axis=0)[BLOCK:]
        return wet.astype(np.float32)
