"""What the benchmarks of faults share: a busy machine, and a session on JACK with a keyboard and a synth beside it."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.jack_peer import JackPeer, sounding
from tests.playing import PEDAL_DOWN, PEDAL_UP, Player, note_off, note_on
from tests.servers import JackServer, claimed

SERVERS = ("improviser-ways", "improviser-ways-b")
CHORD = (60, 64, 67)
PEDAL = 64
POLL_SECONDS, ASK_SECONDS = 0.01, 0.4
START_SECONDS, ANSWER_SECONDS = 60.0, 30.0


class Load:
    """Keeps the machine busy with `wanted` processes, whatever else runs on it counted in; `adjust` now and then."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._busy: list[subprocess.Popen[bytes]] = []

    def adjust(self) -> None:
        """Start or end as many busy processes as are missing or too many by the load average of the last minute."""
        others = max(0.0, os.getloadavg()[0] - len(self._busy))
        count = max(0, round(self._wanted - others))
        while len(self._busy) < count:
            self._busy.append(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
        while len(self._busy) > count:
            self._end(self._busy.pop())

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

    def __enter__(self) -> Self:
        self.adjust()
        return self

    def __exit__(self, *_: object) -> None:
        while self._busy:
            self._end(self._busy.pop())


@contextlib.contextmanager
def server(folder: Path, mode: str, frames: int) -> Iterator[JackServer]:
    """Yield a running JACK server, "sync" (with -S) or "async"."""
    with claimed(SERVERS) as name:
        jack = JackServer(name, folder, synchronous=mode == "sync", frames=frames)
        jack.start()
        try:
            yield jack
        finally:
            jack.close()


def own_folders(folder: Path) -> dict[str, str]:
    """Return an environment in which a session shares no state, settings or temporary files with any other."""
    kinds = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR")
    for kind in kinds:
        (folder / kind.lower()).mkdir(mode=0o700, exist_ok=True)
    return {kind: str(folder / kind.lower()) for kind in kinds}


def held_by(messages: Iterable[bytes]) -> set[tuple[int, int]]:
    """Return what sounds on after `messages`: (channel, pitch) of notes, and (channel, 128) of a held pedal."""
    kept = list(messages)
    pedals = {message[0] & 0x0F: message[2] for message in kept if message[0] & 0xF0 == 0xB0 and message[1] == PEDAL}
    return sounding(kept) | {(channel, 128) for channel, value in pedals.items() if value}


@dataclass
class Scene:
    """A session that plays on JACK, with a keyboard and a synth of ours connected to it."""

    player: Player
    keyboard: JackPeer
    synth: JackPeer

    def held(self) -> set[tuple[int, int]]:
        """Return what sounds on at the synth."""
        return held_by(received.message for received in self.synth.received())

    def hold_a_chord(self, seconds: float = ANSWER_SECONDS) -> None:
        """Hold a chord and the pedal until the synth has heard all of it, however much JACK loses.

        :raises TimeoutError: if it has not by then.
        """
        end = time.monotonic() + seconds
        while len(self.held()) < len(CHORD) + 1:
            if time.monotonic() > end:
                raise TimeoutError(f"nothing is answered: {self.synth.received()}; {self.player.said()[-2000:]}")
            self.release()
            self.keyboard.send(PEDAL_DOWN, *(note_on(pitch) for pitch in CHORD))
            self.wait(lambda: len(self.held()) > len(CHORD), ASK_SECONDS)

    def release(self) -> None:
        """Let the chord and the pedal go: once."""
        self.keyboard.send(PEDAL_UP, *(note_off(pitch) for pitch in CHORD))

    @staticmethod
    def wait(holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds, but no longer than this; return whether it does."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(POLL_SECONDS)
        return True


@contextlib.contextmanager
def scene(jack: JackServer, folder: Path, name: str, *options: str) -> Iterator[Scene]:
    """Yield a session called `name` that plays on `jack` with a keyboard and a synth; its log is a file in `folder`.

    It shows its display, with which the daemon is busiest; only then are its keys heard.
    """
    environment = jack.client_environment
    played = ("--name", name, "--input", "virtual", "--output", "virtual", "--no-record")
    log = folder / "play.log"
    with (
        Player({**environment, **own_folders(folder)}, log, *played, "--display", *options, keys=True) as player,
        JackPeer(environment, f"{name}-keys") as keyboard,
        JackPeer(environment, f"{name}-synth") as synth,
    ):
        player.wait_for("playing on", START_SECONDS)
        connect(name, keyboard, synth)
        yield Scene(player, keyboard, synth)


def connect(name: str, keyboard: JackPeer, synth: JackPeer) -> None:
    """Connect a keyboard and a synth to the session `name`; JACK adds a number to a name that was not given back yet.

    :raises TimeoutError: if it is not there.
    """

    def connected() -> bool:
        ports = keyboard.ports()
        inputs = [port for port in ports if re.fullmatch(re.escape(name) + r"(-\d+)?:in", port)]
        outputs = [port for port in ports if re.fullmatch(re.escape(name) + r"(-\d+)?:out", port)]
        if not (len(inputs) == len(outputs) == 1):  # none yet, or those of a dead engine beside them
            return False
        try:
            keyboard.connect(keyboard.output, inputs[0])
            synth.connect(outputs[0], synth.input)
        except RuntimeError:  # gone meanwhile
            return False
        return True

    if not Scene.wait(connected, START_SECONDS):
        raise TimeoutError(f"{name} is not there: {keyboard.ports()}")
