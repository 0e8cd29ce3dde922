"""What seeing and hearing cost: the live view's share of a core on JACK, and how fast sound is rendered.

Run from a checkout::

    uv run python -m tests.benchmarks.display

It starts a JACK server of its own (dummy driver, 64 frames), plays four notes a second to `improviser play` on a
pseudo-terminal, and reads from /proc what daemon and engine used; then it renders two minutes of a session, measured by
the time of one core.
"""

import argparse
import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import numpy as np

from improviser.core.midi.event import NoteOff, NoteOn, TimedEvent
from improviser.show.sound import SAMPLE_RATE, Synthesiser, render
from improviser.show.soundfont import find_font, renderer
from tests.jack_peer import JackPeer
from tests.playing import note_off, note_on
from tests.servers import JackServer, jack_for_a_benchmark
from tests.terminals import colourful, terminal

NOTES_A_SECOND = 4
TICKS = os.sysconf("SC_CLK_TCK")
SIZES = ((80, 24), (140, 45))
SESSION_SECONDS = 120.0


def used_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def share_of_a_core(server: JackServer, seconds: float, size: tuple[int, int] | None) -> tuple[float, float]:
    """Return what daemon and engine use while notes are played, 0–1; `size` is the terminal's, None without display."""
    with terminal() as (ours, theirs), JackPeer(server.client_environment, "keyboard") as keyboard:
        columns, rows = size or SIZES[0]
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = {**colourful(), **server.client_environment, "COLUMNS": str(columns), "LINES": str(rows)}
        options = ["--input", "virtual", "--output", "virtual", "--no-record", *([] if size else ["--no-display"])]
        program = subprocess.Popen(
            [sys.executable, "-m", "improviser", "play", *options],
            stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=_swallow, args=(ours,), daemon=True).start()
        keyboard.connect_to("improviser", timeout=30)
        keyboard.play([(0.0, note_on(60)), (0.5, note_off(60))])
        listing = subprocess.run(["ps", "--ppid", str(program.pid), "-o", "pid="], capture_output=True, check=True)
        processes = [program.pid, int(listing.stdout.split()[0])]
        before = [used_seconds(pid) for pid in processes]
        notes = [(at / NOTES_A_SECOND, 60 + at * 7 % 24) for at in range(int(seconds * NOTES_A_SECOND))]
        began = time.monotonic()
        for at, pitch in notes:
            time.sleep(max(0.0, began + at - time.monotonic()))
            keyboard.send(note_on(pitch))
            time.sleep(0.1)
            keyboard.send(note_off(pitch))
        passed = time.monotonic() - began
        daemon, engine = (used_seconds(pid) - then for pid, then in zip(processes, before, strict=True))
        program.send_signal(signal.SIGTERM)
        program.wait(20)
    return daemon / passed, engine / passed


def _swallow(descriptor: int) -> None:
    """Read what is shown, as a terminal does."""
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:
        return


def times_faster(synthesiser: Synthesiser) -> float:
    """Return how much faster than it plays a session of eight notes a second, two by two, is rendered."""
    rng = np.random.default_rng(1)
    parts: list[list[TimedEvent]] = []
    for lowest in (60, 36):
        starts = np.arange(0, SESSION_SECONDS, 0.25)
        pitches = rng.integers(lowest, lowest + 24, len(starts))
        events: list[TimedEvent] = []
        for start, pitch in zip(starts.tolist(), pitches.tolist(), strict=True):
            events += [(start, NoteOn(0, pitch, 80)), (start + 0.4, NoteOff(0, pitch))]
        parts.append(sorted(events, key=lambda event: event[0]))
    began = sum(os.times()[:4])  # processor time, children's included: the machine may be busy with other things
    sound = synthesiser(*parts)
    return len(sound) / SAMPLE_RATE / (sum(os.times()[:4]) - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what the live view and sound cost.")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each session lasts (30)")
    seconds = parser.parse_args().seconds
    with jack_for_a_benchmark() as (server, _):
        for size in (None, *SIZES):
            daemon, engine = share_of_a_core(server, seconds, size)
            shown = f"{size[0]} × {size[1]}" if size else "no display"
            print(f"{shown:<12} daemon {daemon:6.1%}  engine {engine:6.1%}  in all {daemon + engine:6.1%} of a core")
    print(f"built-in synthesiser: {times_faster(render):.0f} × real time")
    print(f"SoundFont:            {times_faster(renderer(find_font('auto'))):.0f} × real time")


if __name__ == "__main__":
    main()
