"""The process that plays live sound: a synthesiser, fed on stdin, that the audio device pulls from.

It is started as `python -m improviser.show.speaker [BACKEND [SOUNDFONT]]`, says on stdout what it plays on, or what is
wrong, and plays until stdin ends and the room has rung out. What comes in is four bytes an event: who plays (0 the
player, 1 the improviser), and a MIDI message of three. With a SoundFont that cannot be played, or not any more, it says
so in a line that begins with `!`, and the built-in synthesiser goes on.

miniaudio is tested with its null backend, which pulls like a device but is heard by nobody; no sound card was at hand.
"""

import gc
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from improviser.core.midi import codec
from improviser.extras import how_to_add
from improviser.show.live_sound import BLOCK, LiveSynth
from improviser.show.sound import FULL_SCALE, SAMPLE_RATE, TAIL_SECONDS
from improviser.show.soundfont import OFF, LiveFont, find_font
from improviser.signals import pass_over_interrupts

EVENT_BYTES = 4
PERIOD_MILLISECONDS, PERIODS = 10, 3
READ_BYTES = 4096
PLAYS, WARNS = "plays on ", "!"
NULL = "null"
REMEDY = "connect a loudspeaker, or listen to the MIDI output with a synthesiser"


def frames_of(synth: LiveSynth, settle: Callable[[], None]) -> Generator[bytes, int, None]:
    """Yield as many frames of sound (16 bits, stereo) as are sent; `settle` is called before each block."""
    ready = bytearray()
    wanted = yield b""
    while True:
        while len(ready) < 4 * wanted:
            settle()
            ready += (synth.block() * FULL_SCALE).round().astype("<i2").tobytes()
        frames, ready = bytes(ready[: 4 * wanted]), ready[4 * wanted :]
        wanted = yield frames


def open_device(backend: str | None) -> Any:
    """Open the audio device that miniaudio finds, or one of the backend of that name.

    :raises LookupError: if there is none; it says what to do.
    """
    try:
        import miniaudio
    except ImportError:
        raise LookupError(f"miniaudio is not installed; {how_to_add('sound')}") from None
    chosen = [each for each in miniaudio.Backend if backend is not None and each.name.lower() == backend.lower()]
    try:
        device = miniaudio.PlaybackDevice(
            output_format=miniaudio.SampleFormat.SIGNED16,
            nchannels=2,
            sample_rate=SAMPLE_RATE,
            buffersize_msec=PERIOD_MILLISECONDS,
            callback_periods=PERIODS,
            backends=chosen or None,
            app_name="improviser",
        )
    except miniaudio.MiniaudioError:
        raise LookupError(f"there is no audio device; {REMEDY}") from None
    if device.backend.lower() == NULL and backend != NULL:
        device.close()
        raise LookupError(f"there is no audio device; {REMEDY}")
    return device


def events_in(descriptor: int) -> Iterator[tuple[int, bytes]]:
    """Yield (part, message) for all that comes in, until it ends."""
    waiting = b""
    while data := os.read(descriptor, READ_BYTES):
        waiting += data
        whole = len(waiting) // EVENT_BYTES * EVENT_BYTES
        for at in range(0, whole, EVENT_BYTES):
            yield waiting[at], waiting[at + 1 : at + EVENT_BYTES]
        waiting = waiting[whole:]


def play(device: Any, events: Iterable[tuple[int, bytes]]) -> None:
    """Play the events as they come on the device, until they end and the room has rung out."""
    synth = LiveSynth()
    waiting: deque[tuple[int, bytes]] = deque()
    over = threading.Event()

    def settle() -> None:
        while waiting:
            part, message = waiting.popleft()
            event = codec.decode(message)
            if event is not None and part in (0, 1):
                synth.take(part, event)
        if over.is_set():
            synth.silence()

    frames = frames_of(synth, settle)
    next(frames)
    synth.block()  # what is computed once is computed before the first note
    gc.collect()
    gc.freeze()
    device.start(frames)
    print(f"{PLAYS}the built-in synthesiser on {device.backend}", flush=True)
    for event in events:
        waiting.append(event)
    over.set()
    time.sleep(TAIL_SECONDS + PERIODS * PERIOD_MILLISECONDS / 1000 + BLOCK / SAMPLE_RATE)
    device.close()


def play_font(choice: str, events: Iterable[tuple[int, bytes]]) -> None:
    """Play the events with a SoundFont as they come, until they end and the last note has rung out.

    :raises LookupError: if that is impossible, or not possible any more.
    """
    synth = LiveFont(find_font(choice))
    try:
        print(f"{PLAYS}{synth.plays_on}", flush=True)
        for part, message in events:
            if part in (0, 1):
                synth.take(part, message)
        synth.silence()
        time.sleep(TAIL_SECONDS)
    finally:
        synth.close()


def main(backend: str = "", font: str = "") -> int:
    """Run the process; return its exit code."""
    pass_over_interrupts()
    events = events_in(sys.stdin.fileno())
    try:
        if font and font != OFF:
            try:
                play_font(font, events)
            except LookupError as error:
                print(f"{WARNS}{error}", flush=True)
            else:
                return 0
        device = open_device(backend or None)
    except LookupError as error:
        print(error, flush=True)
        return 1
    play(device, events)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
