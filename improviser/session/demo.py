"""The demo: the built-in player plays Bach through the real engine, over loopback ports, in real time."""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from improviser.core.live.parameters.table import DEFAULTS
from improviser.core.midi.codec import encode
from improviser.core.midi.pairing import notes_of
from improviser.core.music.player import note_events, performance
from improviser.engine.bus import Bus
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Applied, Played, Step
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import MidiFileError
from improviser.files import check_writable, create_folder, open_regular, write_atomically
from improviser.midifile import read_midi
from improviser.ports.interface import LOOPBACK
from improviser.recordings.midi_recording import IMPROVISER, PLAYER, write_session
from improviser.recordings.transcript import Transcript
from improviser.session.display import Display
from improviser.session.key_commands import LEGEND
from improviser.session.live import Live
from improviser.session.players import feed
from improviser.show.loudspeaker import Loudspeaker
from improviser.show.picture import session_picture, terminal_picture
from improviser.show.sound import Synthesiser, render, write_wav
from improviser.waiting import within

FILES = ("session.mid", "session.wav", "session.svg")
TITLE = "improviser demo: "
LARGEST_PICTURE = 1 << 28
TITLE_WITHIN = 1024
"""Bytes from the beginning of a picture, in which its title is."""
PICTURE_AT = 0.63
LEAD_SECONDS = 0.1
LAST_ANSWER_SECONDS = 5.0
STEP = 2.0**-20
"""Onsets are whole numbers of it, and the run begins at a whole number of `START`, in seconds of the session: so
the times between notes are the same to the last bit whenever it begins, and so is what is played."""
START = 2.0**-6


LOWER = {"alto": 12, "tenor": 12, "bass": 24}
"""So many semitones lower the tune is played as a part that is no soprano."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What to play: `seconds` None is the tune's first part, once."""

    model: str
    seed: int
    seconds: float | None = None
    temperature: float = DEFAULTS["temperature"]
    part: str = DEFAULTS["part"]


class DemoRun:
    """One run of the demo; `display` and, if there is one, `loudspeaker` take all that is heard and played.

    :param begins: is awaited before the tune begins.
    """

    def __init__(
        self,
        demo: Demo,
        display: Display,
        loudspeaker: Loudspeaker | None = None,
        begins: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        notes = [
            replace(note, pitch=note.pitch - LOWER.get(demo.part, 0))
            for note in performance(np.random.default_rng(demo.seed), demo.seconds)
        ]
        self._events = [(round(seconds / STEP) * STEP, encode(event)) for seconds, event in note_events(notes)]
        self._unheard = deque(message for _, message in self._events)
        self._begins = begins
        self.begun = asyncio.Event()
        """Set when the tune begins."""
        self._all_heard = asyncio.Event()
        self._display = display
        self.transcript = Transcript()
        self.bus = Bus()
        if loudspeaker is not None:
            self.bus.subscribe("the sound", loudspeaker.take)
        self.bus.subscribe("the files", lambda event: self._pass_on(event, self.transcript.take))
        self.bus.subscribe("the end of the demo", self._count)
        self.bus.subscribe_slow("the display", lambda event: self._pass_on(event, display.take))
        parameters = {"temperature": demo.temperature, "part": demo.part}
        self.session = Session(
            api=LOOPBACK, models=(demo.model,), parameters=parameters, seed=demo.seed, player="the built-in player"
        )

    def _count(self, event: SessionEvent) -> None:
        # On a page, others may play along.
        if isinstance(event.report, Step) and self._unheard and event.report.heard == self._unheard[0]:
            self._unheard.popleft()
            if not self._unheard:
                self._all_heard.set()

    def _pass_on(self, event: SessionEvent, take: Callable[[SessionEvent], None]) -> None:
        """Let `take` have an event, with times that count from the run's beginning."""
        report = event.report
        if isinstance(report, Step | Played | Applied):
            stamp = report.stamp - self._display.zero
            event = replace(event, report=msgspec.structs.replace(report, stamp=stamp))
        # What ends the session comes when the clock says; the files end by themselves.
        if not isinstance(report, Played) or report.cause != "panic":
            take(event)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self._events[-1][0]

    async def play(self, playing: Live) -> None:
        """Play to the end, or until the service is stopped.

        :raises ImproviserError: if the engine cannot play.
        """
        ended = asyncio.ensure_future(playing.ended())
        feeding = asyncio.ensure_future(self._feed(playing.service))
        await asyncio.wait({ended, feeding}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            with contextlib.suppress(TimeoutError):
                await within(LAST_ANSWER_SECONDS, self._all_heard.wait())
            playing.service.stop()
        feeding.cancel()
        await ended

    async def _feed(self, service: Service) -> None:
        """Play all, as soon as there is an engine."""
        await service.opened()
        if self._begins is not None:
            await self._begins()
        self.begun.set()
        now = time.perf_counter() - service.epoch
        self._display.zero = math.ceil((now + LEAD_SECONDS) / START) * START
        await feed(service, self._events, self._display.zero)


async def write_screenshot(run: DemoRun, service: Service, display: Display, path: Path) -> None:
    """Write what a terminal shows when most of the run has been played, as SVG.

    :raises OutputError: if it cannot be written.
    """
    await run.begun.wait()
    await asyncio.sleep(LEAD_SECONDS + run.seconds * PICTURE_AT)
    screen = display.screen(service, LEGEND)
    write_atomically(path, terminal_picture(screen, "improviser demo").encode())


def title_of(demo: Demo) -> str:
    """Return what the picture of a demo is called; by its beginning a demo knows an earlier one."""
    own = f", played as {demo.part}" if demo.part in LOWER else ""
    return f"{TITLE}{demo.model} answers Bach's “Wachet auf”{own} (seed {demo.seed})"


def prepare(folder: Path, *, force: bool = False) -> None:
    """Create the folder and make sure that the files can be written, before anyone plays for them.

    :param force: whether files may be written over that no demo has written; its own are renewed.
    :raises OutputError: if not.
    """
    create_folder(folder)
    renewed = force or _is_of_a_demo(folder)
    for name in FILES:
        check_writable(folder / name, force=renewed)


def _is_of_a_demo(folder: Path) -> bool:
    """Say whether the session in `folder` is of an earlier demo, and nobody has changed it since.

    Its picture says so, and was written last; the others are what a demo writes.
    """
    midi, wav, svg = (folder / name for name in FILES)
    try:
        with open_regular(svg, LARGEST_PICTURE) as file:
            if TITLE.encode() not in file.read(TITLE_WITHIN):
                return False
        if any(path.exists() and path.stat().st_mtime > svg.stat().st_mtime for path in (midi, wav)):
            return False
        return not midi.exists() or read_midi(midi).tracks == (PLAYER, IMPROVISER)
    except (OSError, MidiFileError):
        return False


def write_files(played: Transcript, folder: Path, title: str, synthesiser: Synthesiser = render) -> list[Path]:
    """Write what was heard and played as MIDI, sound and picture; return the files.

    :param synthesiser: what the sound is made with.
    :raises OutputError: if one cannot be written.
    """
    midi, wav, svg = paths = [folder / name for name in FILES]
    end = max((seconds for seconds, _ in played.heard + played.played), default=0.0)
    with contextlib.ExitStack() as undo:  # a run that fails leaves nothing behind
        write_session(midi, played.heard, played.played, end_seconds=end)
        undo.callback(midi.unlink, missing_ok=True)
        write_wav(wav, played.heard, played.played, end_seconds=end, synthesiser=synthesiser)
        undo.callback(wav.unlink, missing_ok=True)
        picture = session_picture(notes_of(played.heard, end), notes_of(played.played, end), title)
        write_atomically(svg, picture.encode())
        undo.pop_all()
    return paths
