"""A SoundFont instead of the built-in synthesiser, played by FluidSynth where that is installed: live, or into a file.

Live, FluidSynth is a child of the speaker's process and takes its notes as lines on its shell, so it needs no MIDI
port; it plays on JACK if a server runs, else on whatever the system has. Off line it renders a MIDI file.

FluidSynth's command rather than its library through pyfluidsynth: that needs FluidSynth installed as well, and there a
font that crashes FluidSynth, or an audio device that hangs, would take our own process with it.
"""

import logging
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from improviser.core.midi.codec import BEND_CENTRE, decode
from improviser.core.midi.event import (
    ALL_NOTES_OFF,
    SUSTAIN,
    ControlChange,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
    TimedEvent,
)
from improviser.core.midi.pairing import held_by_pedal, pair
from improviser.files import open_regular, user_path
from improviser.pipes import never_waiting
from improviser.recordings.midi_recording import write_session
from improviser.show.sound import (
    FULL_SCALE,
    SAMPLE_RATE,
    SILENCE_SECONDS,
    TAIL_SECONDS,
    Synthesiser,
    fade,
    limit,
)
from improviser.show.sound import render as built_in

log = logging.getLogger("improviser")

OFF, AUTO = "off", "auto"
FONTS = (
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/soundfonts/default.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/opt/homebrew/share/soundfonts/default.sf2",
)
"""Where systems keep theirs."""
PROGRAMS, PANS = (0, 20), (40, 88)
"""Of the player and of the improviser: a piano on the left, a reed organ on the right."""
LARGEST_FONT = 1 << 33
GAIN = 1.2
PART_CHANNELS = 16
PAN = 10
DRIVERS: tuple[str | None, ...] = ("jack", "pipewire", "pulseaudio", "alsa") if sys.platform == "linux" else (None,)
READY = b"\nimproviser listens"
START_SECONDS, CLOSE_SECONDS, RENDER_SECONDS = 20.0, 5.0, 600.0


def find_font(choice: str) -> Path:
    """Return the SoundFont that is named, or for `auto` one of the system's.

    :raises LookupError: if there is none, it is none, or FluidSynth is not installed; it says what to do.
    """
    if shutil.which("fluidsynth") is None:
        raise LookupError("FluidSynth is not installed (Debian: apt install fluidsynth)")
    if choice == AUTO:
        found = next((Path(name) for name in FONTS if Path(name).is_file()), None)
        if found is None:
            raise LookupError("no SoundFont was found where systems keep them; name one: --soundfont FILE.sf2")
        return found
    path = user_path(choice).absolute()
    try:
        with open_regular(path, LARGEST_FONT) as file:
            start, size = file.read(12), path.stat().st_size
    except OSError as error:
        raise LookupError(f"cannot read the SoundFont {choice}: {error.strerror or error}") from None
    if start[:4] != b"RIFF" or start[8:] != b"sfbk":
        raise LookupError(f"{choice} is not a SoundFont (a .sf2 or .sf3 file)")
    if int.from_bytes(start[4:8], "little") + 8 > size:  # FluidSynth would play it, and be heard by nobody
        raise LookupError(f"the SoundFont {choice} is cut short: get it again")
    return path


def _command(*options: str) -> list[str]:
    return ["fluidsynth", "-q", "-n", "-g", str(GAIN), *options]


class LiveFont:
    """A running FluidSynth that plays a SoundFont: the player on its channels 0–15, the improviser on 16–31.

    :raises LookupError: if it has no audio device, or cannot play the font.
    """

    def __init__(self, font: Path) -> None:
        for driver in DRIVERS:
            process = _started(font, driver)
            if process is not None:
                self._process = process
                self._pipe = never_waiting(_descriptor(process.stdin))  # one that hangs is one that has gone
                break
        else:
            raise LookupError(f"FluidSynth found no audio device to play {font.name} on")
        self.plays_on = f"FluidSynth with {font.name}{f' on {driver}' if driver else ''}"
        for part, (program, pan) in enumerate(zip(PROGRAMS, PANS, strict=True)):
            for channel in range(part * PART_CHANNELS, (part + 1) * PART_CHANNELS):
                self._tell(f"prog {channel} {program}", f"cc {channel} {PAN} {pan}")

    def take(self, part: int, message: bytes) -> None:
        """Play a message of the player (part 0) or of the improviser (1).

        :raises LookupError: if FluidSynth has gone.
        """
        match decode(message):
            case NoteOn(channel, pitch, velocity):
                self._tell(f"noteon {part * PART_CHANNELS + channel} {pitch} {velocity}")
            case NoteOff(channel, pitch):
                self._tell(f"noteoff {part * PART_CHANNELS + channel} {pitch}")
            case ControlChange(channel, control, value):
                self._tell(f"cc {part * PART_CHANNELS + channel} {control} {value}")
            case PitchBend(channel, value):
                self._tell(f"pitch_bend {part * PART_CHANNELS + channel} {BEND_CENTRE + value}")

    def silence(self) -> None:
        """Let all that sounds end."""
        for channel in range(2 * PART_CHANNELS):
            self._tell(f"cc {channel} {SUSTAIN} 0", f"cc {channel} {ALL_NOTES_OFF} 0")

    def close(self) -> None:
        """End it. It ends by itself, too, when its stdin does."""
        try:
            self._tell("quit")
            self._process.wait(CLOSE_SECONDS)
        except (LookupError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()

    def _tell(self, *lines: str) -> None:
        try:
            self._pipe.write("".join(f"{line}\n" for line in lines).encode())
        except OSError:
            raise LookupError("FluidSynth has gone") from None


def _started(font: Path, driver: str | None) -> "subprocess.Popen[bytes] | None":
    """Return a FluidSynth that listens, or None if it cannot play on that driver."""
    audio = ["-a", driver] if driver else []
    names = ["-j", "-o", "audio.jack.id=improviser-sound"] if driver == "jack" else []
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(
        _command("-K", str(2 * PART_CHANNELS), *audio, *names, str(font)),
        stdin=pipe,
        stdout=pipe,
        stderr=null,
        env={**os.environ, "JACK_NO_START_SERVER": "1"},
    )
    try:
        os.write(_descriptor(process.stdin), b"echo" + READY.replace(b"\n", b' "') + b'"\n')
        if _answers(process):
            return process
    except OSError:  # it has gone already
        pass
    process.kill()
    process.wait()
    return None


def _answers(process: "subprocess.Popen[bytes]") -> bool:
    """Say whether it says what it was told to, and go on reading what it says, so that it never waits for a reader."""
    ready: queue.Queue[bool] = queue.Queue()

    def listen() -> None:
        said = b""
        while data := os.read(_descriptor(process.stdout), 4096):
            said = (said + data)[-1000:]
            if READY in said:
                ready.put(True)
                said = b""
        ready.put(False)

    threading.Thread(target=listen, name="fluidsynth", daemon=True).start()
    try:
        return ready.get(timeout=START_SECONDS)
    except queue.Empty:
        return False


def _descriptor(pipe: object) -> int:
    descriptor: int = pipe.fileno()  # type: ignore[attr-defined]
    return descriptor


def synthesiser_for(choice: str | None) -> Synthesiser:
    """Return what renders with the SoundFont that is named (or one of the system's, for `auto`), and says so.

    If that is impossible, that is one line, and it is the built-in synthesiser.
    """
    if choice is None or choice == OFF:
        return built_in
    try:
        font = find_font(choice)
    except LookupError as error:
        log.warning("%s; the built-in synthesiser plays instead", error)
        return built_in
    with_font = renderer(font)

    def render(
        player: Iterable[TimedEvent], improviser: Iterable[TimedEvent], *, end_seconds: float | None = None
    ) -> NDArray[np.int16]:
        heard, played = list(player), list(improviser)
        try:
            rendered = with_font(heard, played, end_seconds=end_seconds)
        except LookupError as error:
            log.warning("%s; the built-in synthesiser plays instead", error)
            return built_in(heard, played, end_seconds=end_seconds)
        log.info("sound: FluidSynth with %s", font.name)
        return rendered

    return render


def renderer(font: Path) -> Synthesiser:
    """Return what renders with a SoundFont; it raises LookupError if FluidSynth cannot."""

    def render(
        player: Iterable[TimedEvent], improviser: Iterable[TimedEvent], *, end_seconds: float | None = None
    ) -> NDArray[np.int16]:
        parts = [sorted(events, key=lambda event: event[0]) for events in (player, improviser)]
        end = max(end_seconds or 0.0, *(events[-1][0] if events else 0.0 for events in parts))
        with tempfile.TemporaryDirectory(prefix="improviser-") as folder:
            midi, raw = Path(folder) / "session.mid", Path(folder) / "session.raw"
            heard, played = (_on_one_channel(part, events, end) for part, events in enumerate(parts))
            write_session(midi, heard, played, end_seconds=end + TAIL_SECONDS)
            _run(font, midi, raw)
            sound = np.fromfile(raw, dtype="<f4").reshape(-1, 2)
        sounding = round((end + TAIL_SECONDS) * SAMPLE_RATE)
        return _settled(sound[:sounding])

    return render


def _on_one_channel(part: int, events: Sequence[TimedEvent], end: float) -> list[TimedEvent]:
    """Return a part's notes on a channel of its own, with its timbre and place; held pedals lengthen them."""
    moments: list[TimedEvent] = [
        (0.0, ProgramChange(part, PROGRAMS[part])),
        (0.0, ControlChange(part, PAN, PANS[part])),
    ]
    for start, finish, on in pair(held_by_pedal(events), end):
        moments += [(start, replace(on, channel=part)), (finish, NoteOff(part, on.pitch))]
    return moments


def _run(font: Path, midi: Path, raw: Path) -> None:
    files = ["-F", str(raw), "-T", "raw", "-O", "float", "-E", "little", "-r", str(SAMPLE_RATE), str(font), str(midi)]
    try:
        subprocess.run(_command("-i", *files), capture_output=True, check=True, timeout=RENDER_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise LookupError(f"FluidSynth cannot play {font.name}: {type(error).__name__}") from None
    if not raw.is_file():
        raise LookupError(f"FluidSynth cannot play {font.name}: it wrote no sound")


def _settled(sound: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the sound with its loudest part bent below full scale, its end faded out, and silence after it."""
    faded = sound.copy()
    fade(faded, len(faded))
    loudest = max(1.0, float(np.abs(faded).max(initial=0.0)))
    whole = np.zeros((len(faded) + round(SILENCE_SECONDS * SAMPLE_RATE), 2), dtype=np.int16)
    whole[: len(faded)] = np.round(limit(faded / np.float32(loudest)) * FULL_SCALE)
    return whole
