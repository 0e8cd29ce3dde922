"""A DAW on a real JACK server: Ardour plays to the improviser, and its session holds exactly what was answered."""

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

from tests.jack_peer import JackPeer, Received
from tests.playing import Player, note_off, note_on
from tests.servers import FAULT_NAMES, JackServer, Server, claimed

ARDOUR = shutil.which("ardour7-lua")

pytestmark = [
    pytest.mark.jack,
    pytest.mark.daw,
    pytest.mark.skipif(
        ARDOUR is None,
        reason="Ardour 7 (ardour7-lua) is not installed; it is too large for continuous integration, "
        "so it is the one server that is not required there",
    ),
]

SCRIPT = Path(__file__).parents[1] / "data" / "ardour_take.lua"
CLIENT = "improviser-under-test"
PERIOD_FRAMES = 512
ATTEMPTS = 4
TUNE = ((67, 90), (69, 70), (71, 50), (72, 100), (71, 80), (69, 64), (67, 33), (60, 127))
GAPS = (0.3, 0.15, 0.15, 0.6, 0.2, 0.1, 0.3)


class DawJack(JackServer):
    """A JACK server with the long periods that people give a DAW: a busy machine cannot run Ardour at 64 frames."""

    period_seconds = PERIOD_FRAMES / 48_000

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, folder)
        self.command[-1] = str(PERIOD_FRAMES)

    def seconds_lost(self) -> float:
        """Return by how much JACK's clock, by which Ardour records, is behind the real one: its driver logs it."""
        late = re.findall(r"XRun = (\d+) usec", self.log.read_text(errors="replace"))
        return sum(map(int, late)) / 1e6


class LostJackError(Exception):
    """Ardour has garbled what it asked of JACK, and is no client any more."""


class Ardour(Server):
    """An Ardour with the armed MIDI tracks “Keyboard” and “Answers”, in a session in `folder`; see the Lua script."""

    def __init__(self, jack: JackServer, folder: Path) -> None:
        folder.mkdir()
        self.session = folder / "session"
        home = {name: str(folder / "ardour-home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        # On one processor its threads seldom interrupt each other while they ask JACK for something (see `ardour`).
        one_processor = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
        command = [*one_processor, str(ARDOUR), str(SCRIPT), str(self.session)]
        super().__init__(command, folder / "ardour.log", {**jack.client_environment, **home})

    def is_usable(self) -> bool:
        """Whether its tracks are there."""
        if "[ERROR]: JACK: " in self._said():
            raise LostJackError(self._said())
        return self._has_said("ready")

    def record(self, timeout: float = 20.0) -> None:
        """Start a take, which `stop` ends."""
        self._press_enter()
        deadline = time.monotonic() + timeout
        while not self._has_said("recording"):
            assert self.is_running(), self._said()
            assert time.monotonic() < deadline, self._said()
            time.sleep(0.02)

    def take(self, track: str) -> Path:
        """Return the MIDI file that it saved of a track."""
        takes = re.findall(f"^take {track} (.+)$", self._said(), re.MULTILINE)
        assert len(takes) == 1, f"Ardour has {len(takes)} takes on {track}:\n{self._said()}"
        path = Path(takes[0])
        assert path.is_relative_to(self.session)
        return path

    def _said(self) -> str:
        return self.log.read_text(errors="replace")

    def _has_said(self, word: str) -> bool:
        return word in self._said().splitlines()

    def _press_enter(self) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def _ask_to_leave(self) -> None:
        self._press_enter()


@pytest.fixture
def daw_jack(tmp_path: Path) -> Iterator[DawJack]:
    with claimed(FAULT_NAMES) as name:
        server = DawJack(name, tmp_path)
        server.start()
        yield server
        server.close()


@pytest.fixture
def ardour(daw_jack: DawJack, tmp_path: Path) -> Iterator[Ardour]:
    """An Ardour that is ready to record.

    While Ardour 7.3 opens a new session, its thread “autoconnect” names a port, and so writes to the socket on which
    the main thread speaks to JACK. On a busy machine that goes wrong now and then; it is started again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        ardour = Ardour(daw_jack, tmp_path / f"ardour-{attempt}")
        try:
            ardour.start(timeout=30)
        except LostJackError:
            ardour.kill()
            if attempt == ATTEMPTS:
                raise
            daw_jack.kill()
            daw_jack.start()
        else:
            break
    yield ardour
    ardour.kill()


def recorded(path: Path) -> list[Received]:
    """Return all messages of a MIDI file (no tempo in it: 120 beats per minute) with their times in seconds."""
    seconds, messages = 0.0, []
    for message in mido.MidiFile(path):
        seconds += message.time
        if not message.is_meta:
            messages.append(Received(seconds, bytes(message.bytes())))
    return messages


def tune() -> list[tuple[float, tuple[int, int, int]]]:
    """Return `TUNE` for `JackPeer.play`, each note held for half the time until the next."""
    schedule, now = [], 0.0
    for (pitch, velocity), gap in zip(TUNE, (*GAPS, 0.4), strict=True):
        schedule += [(now, note_on(pitch, velocity)), (now + gap / 2, note_off(pitch))]
        now += gap
    return schedule


def test_ardour_plays_to_it_and_its_session_holds_exactly_the_answers(
    daw_jack: DawJack, ardour: Ardour, tmp_path: Path
) -> None:
    options = ("--name", CLIENT, "--seed", "1", "--input", "virtual", "--output", "virtual")
    with (
        JackPeer(daw_jack.client_environment, "keyboard") as keyboard,
        Player(daw_jack.client_environment, tmp_path / "play.log", *options) as player,
    ):
        player.wait_for("playing on jack")
        answers_port = keyboard.wait_for_port(CLIENT, ":out")
        keyboard.connect(keyboard.output, "ardour:Keyboard/midi_in 1")
        keyboard.connect("ardour:Keyboard/midi_out 1", keyboard.wait_for_port(CLIENT, ":in"))
        keyboard.connect(answers_port, "ardour:Answers/midi_in 1")
        keyboard.connect(answers_port, keyboard.input)
        ardour.record()
        lost_before = daw_jack.seconds_lost()
        keyboard.play(tune())
        heard = keyboard.wait_for(2 * len(TUNE))
        ardour.stop()
        lost = daw_jack.seconds_lost() - lost_before
        assert player.leave(signal.SIGTERM) == 0

    played, answers = recorded(ardour.take("Keyboard")), recorded(ardour.take("Answers"))
    assert [message for _, message in played] == [bytes(message) for _, message in tune()]
    assert [message for _, message in answers] == [message for _, message in heard]
    assert [message[2] for _, message in answers if message[0] == 0x90] == [velocity for _, velocity in TUNE]
    assert all(answer.seconds > key.seconds for key, answer in zip(played, answers, strict=True))
    for answer, reference in zip(answers, heard, strict=True):
        in_ardour, in_the_peer = answer.seconds - answers[0].seconds, reference.seconds - heard[0].seconds
        assert in_ardour == pytest.approx(in_the_peer, abs=2 * daw_jack.period_seconds + lost)
