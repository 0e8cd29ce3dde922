"""Adapting a session's models to its player, in a process that breeds while somebody plays.

The process (`adapting_process`) is started when there is something to breed on. If it dies, it is started again with
all that was heard, and after some deaths no more. What it has bred is played from the next pause between phrases on,
and is in the log with its digest.
"""

import asyncio
import contextlib
import logging
import os
import sys
from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec

from improviser.core.live.parameters.table import ADAPTATIONS
from improviser.core.live.player.votes import FORGET
from improviser.core.melody.online import KEPT
from improviser.core.midi.event import NoteOn
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.phrase import CHORD_SECONDS
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import MODEL, Adapt, Applied, Done, Loaded, Ready, Step
from improviser.engine.service import Service
from improviser.session.adapting_process import Learned, Lesson
from improviser.signals import own_group
from improviser.waiting import within

log = logging.getLogger("improviser")

OFF: Final = ADAPTATIONS[0]
SHARES: Mapping[str, float] = {"gentle": 0.5, "full": 1.0}
"""How much of what is bred is played."""
LOOK_SECONDS, PATIENT_SECONDS, CLOSE_SECONDS = 0.25, 120.0, 2.0
ROUND_NOTES = 64
"""Notes after which some generations are bred: about a tune."""
DEATHS = 3
NICENESS = 19
"""How far the process steps back."""
LARGEST_LINE = 1 << 20
PROCESS = "improviser.session.adapting_process"
"""The module that breeds."""
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""It is to take one core at most."""

_decode = msgspec.json.Decoder(Learned).decode
_encode = msgspec.json.Encoder().encode


class Adapting:
    """Takes a session's events; `run` has its models adapted, as long as the parameter `adapt` says so.

    :param seed: of what is bred.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._heard: deque[tuple[int, float]] = deque(maxlen=KEPT)
        """The line that was heard: of a chord its highest note."""
        self._new = 0
        """How many notes of it were not bred on."""
        self._fresh = True
        """Whether the process is to begin anew, with all that was heard."""
        self._models: list[Loaded] = []
        """What plays, by digests: a personal model may be replaced meanwhile."""
        self._played: list[bytes] = []
        self._hopeless = False
        """Whether no model that plays can be adapted."""
        self._deaths = 0
        self.rounds = 0
        """How many lessons there were."""
        self.process: asyncio.subprocess.Process | None = None
        """What breeds, while it does."""

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""
        report = event.report
        if isinstance(report, Step) and isinstance(event.heard, NoteOn):
            self._hear(event.heard, report.stamp)
        elif isinstance(report, Ready) or (isinstance(report, Done) and report.command == FORGET):
            self._heard.clear()
            self._begin_anew(report.models if isinstance(report, Ready) else None)
        elif isinstance(report, Applied) and report.parameter == MODEL and report.error is None:
            self._begin_anew(report.models)

    def _hear(self, note: NoteOn, stamp: float) -> None:
        if note.channel == DRUM_CHANNEL:
            return
        if self._heard and stamp - self._heard[-1][1] < CHORD_SECONDS:
            pitch, onset = self._heard[-1]
            if self._new:
                self._heard[-1] = max(pitch, note.pitch), onset
            return
        self._heard.append((note.pitch, stamp))
        self._new += 1

    def _begin_anew(self, models: list[Loaded] | None = None) -> None:
        self._models = self._models if models is None else models
        self._new = len(self._heard)
        self._fresh, self._hopeless, self._played = True, False, []

    async def run(self, service: Service) -> None:
        """Adapt until cancelled; then end the process."""
        await service.opened()
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                share = SHARES.get(service.parameters.adapt, 0.0)
                if not share and self.process is not None:
                    await self._end()
                elif share and self._is_due():
                    await self._round(service, share)
        finally:
            await self._end()

    def _is_due(self) -> bool:
        return self._new >= ROUND_NOTES and not self._hopeless and self._deaths < DEATHS

    async def _round(self, service: Service, share: float) -> None:
        """Have what is new bred on, and the engine play what comes of it."""
        if self.process is not None and self.process.returncode is not None:
            await self._end()
        anew, count = self._fresh or self.process is None, self._new
        notes = list(self._heard) if anew else list(self._heard)[-count:]
        self._fresh, self._new = False, 0
        self.rounds += 1
        models = self._models if anew else None
        try:
            learned = await self._ask(Lesson(notes, models, self._seed, share))
        except (OSError, EOFError, TimeoutError, ValueError, msgspec.MsgspecError) as error:  # or a line without end
            self._deaths += 1
            log.debug("what adapts to the player has ended: %s", error)
            if self._deaths == DEATHS:
                log.warning("adapting to your playing has ended by a fault; playing and all else go on")
            self._fresh, self._new = True, max(self._new, count)
            await self._end()
            return
        if self._fresh:  # meanwhile all was forgotten, or others play
            return
        self._hopeless = not learned.adaptable
        if self._hopeless:
            log.warning("nothing adapts to your playing: none of the models that play can; melody models do, as auto")
        if learned.files is not None and learned.files != self._played and service.parameters.adapt != OFF:
            log.debug("adapting: %.3f bits a note ahead, %.3f without", learned.ahead, learned.without)
            self._played = learned.files
            service.send(Adapt(learned.files))

    async def _ask(self, lesson: Lesson) -> Learned:
        process = self.process
        if process is None:
            pipe = asyncio.subprocess.PIPE
            process = self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", PROCESS, str(NICENESS)),
                stdin=pipe,
                stdout=pipe,
                stderr=asyncio.subprocess.DEVNULL,
                limit=LARGEST_LINE,
                env={**os.environ, **THREADS},
                **own_group(),
            )
        if process.stdin is None or process.stdout is None:
            raise EOFError("there is no pipe")
        process.stdin.write(_encode(lesson) + b"\n")
        await process.stdin.drain()
        line = await within(PATIENT_SECONDS, process.stdout.readline())
        if not line:
            raise EOFError("it has ended")
        return _decode(line)

    async def _end(self) -> None:
        """End the process, if there is one."""
        process, self.process = self.process, None
        self._fresh = True
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.kill()
        with contextlib.suppress(TimeoutError):
            await within(CLOSE_SECONDS, process.wait())
