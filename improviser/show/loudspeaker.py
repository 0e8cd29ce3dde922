"""The daemon's handle on live sound: a process of its own that hears what the engine reports, and never delays it."""

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterable

from improviser.core.midi.codec import encode
from improviser.core.midi.event import ALL_NOTES_OFF, ControlChange, Event, NoteOff, NoteOn, PitchBend
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Ready
from improviser.pipes import never_waiting
from improviser.show.sound import TAIL_SECONDS
from improviser.show.speaker import PLAYS, WARNS
from improviser.signals import own_group

log = logging.getLogger("improviser")

HEARD, PLAYED = 0, 1
MOST_WAITING = 1 << 20
CLOSE_SECONDS = TAIL_SECONDS + 1.0


class Loudspeaker:
    """Plays what is heard and played, from now on; if that is impossible, it says so once and does nothing.

    :param backend: the name of one of miniaudio's backends; the one that works by default.
    :param font: the SoundFont to play with, or `auto`; the built-in synthesiser by default.
    """

    def __init__(self, backend: str = "", font: str = "") -> None:
        arguments = [sys.executable, "-m", "improviser.show.speaker", backend, font]
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        # What the system's audio libraries print on stderr is for their authors.
        self._process = subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=null, **own_group())
        self._waiting = bytearray()
        self._dead = False
        self.said = threading.Event()
        """Set when it is known whether there is sound."""
        self.plays_on: str | None = None
        """The audio system that is played on."""
        self._pipe = None if self._process.stdin is None else never_waiting(self._process.stdin.fileno())
        threading.Thread(target=self._listen, name="loudspeaker", daemon=True).start()

    def _listen(self) -> None:
        """Pass on what the process says of itself, as long as it lives."""
        why = ""
        for line in map(bytes.decode, self._process.stdout or ()):
            if line.startswith(PLAYS):
                self.plays_on = line.removeprefix(PLAYS).strip()
                log.info("sound: %s", self.plays_on)
                self.said.set()
            elif line.startswith(WARNS):
                self.plays_on = None
                log.warning("%s; the built-in synthesiser goes on", line.removeprefix(WARNS).strip())
            else:
                why = line.strip()
        if self.plays_on is None:
            self._dead = True
            log.warning("no sound: %s; everything else goes on", why or "the audio system failed")
            self.said.set()

    def take(self, event: SessionEvent) -> None:
        """Play an event; returns at once."""
        if isinstance(event.report, Ready):  # a new engine: what its predecessor left sounding was released
            self._send(PLAYED, (ControlChange(channel, ALL_NOTES_OFF, 0) for channel in range(16)))
            self._send(PLAYED, (PitchBend(channel, 0) for channel in range(16)))
        else:
            self._send(HEARD, () if event.heard is None else (event.heard,))
            self._send(PLAYED, event.played)

    def _send(self, part: int, events: Iterable[Event]) -> None:
        if self._dead or self._pipe is None:
            return
        for event in events:
            if isinstance(event, NoteOff | NoteOn | ControlChange | PitchBend):
                self._waiting += bytes((part,)) + encode(event)
        try:
            while self._waiting:
                written = self._pipe.write(self._waiting)
                del self._waiting[:written]
        except BlockingIOError:
            if len(self._waiting) > MOST_WAITING:
                self._give_up("the audio system hangs")
                self._process.kill()  # it may have to be gone before its pipe can be closed
        except OSError:
            self._give_up("the audio system has gone")

    def _give_up(self, why: str) -> None:
        if not self._dead and self.plays_on is not None:
            log.warning("no sound any more: %s; everything else goes on", why)
        self._dead = True

    def close(self, *, wait: bool = True) -> None:
        """Let the room ring out; without `wait`, it does so after this has returned."""
        if self._process.stdin is not None and self._pipe is not None:
            self._pipe.drain(CLOSE_SECONDS)
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._dead = True
        if not wait:
            return
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.said.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
