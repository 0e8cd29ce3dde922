"""What `--input` names besides MIDI ports: a MIDI file, played in real time, and the computer's keyboard."""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.midi.codec import encode
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.typed_notes import TypedNotes
from improviser.core.printable import shown
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Applied, Hear, Played, Step
from improviser.engine.service import Service
from improviser.errors import ConfigError
from improviser.files import user_path
from improviser.midifile import MidiPiece, is_midi_name, read_midi, remarks_on
from improviser.ports.interface import LOOPBACK
from improviser.ports.survey import survey
from improviser.recordings.live_rendering import (
    ANSWER_SECONDS,
    LISTEN_SECONDS,
    LONGEST_ENDING_SECONDS,
    messages_of,
    players_part,
)
from improviser.session.keypresses import can_press
from improviser.waiting import within

COMPUTER = "computer"
LEAD_SECONDS = 0.1
COMPUTER_LEGEND = (
    ("a–;", "play"),
    ("z x", "octave"),
    ("m", "mode"),
    ("+ −", "temp"),
    ("n", "model"),
    ("space", "panic"),
    ("r", "record"),
    ("q", "quit"),
)


class Player(Protocol):
    """A player that is not a MIDI port; `name` is what people read, `remarks` are lines to be said before it plays."""

    name: str
    remarks: tuple[str, ...]

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""

    def press(self, key: str) -> bool:
        """Take a key of the terminal, if it means anything here."""

    async def play(self, service: Service) -> None:
        """Play to the end, and then stop the service; or until cancelled."""


def player_for(choices: Sequence[str], *, loop: bool = False, strict: bool = False) -> Player | None:
    """Return the player that `--input` names, or None if it names ports.

    :param loop: whether a file begins again at its end.
    :param strict: whether a file that needs repairs is refused.
    :raises MidiFileError: if it is a file that cannot be read, or holds no notes.
    :raises ConfigError: if it is the computer's keyboard and there is no terminal, a port to be played in a loop, or a
        player among several inputs.
    """
    for choice in choices if len(choices) > 1 else ():
        if choice == COMPUTER or is_midi_name(choice):
            raise ConfigError(
                f"input: several inputs have to be ports; {shown(choice)} is none, so give it as the only one"
            )
    choice = choices[0]
    if choice == COMPUTER:
        if not can_press():
            raise ConfigError("--input computer needs a terminal in front of it whose keys can be read")
        return ComputerPlayer()
    if is_midi_name(choice):
        return FilePlayer(user_path(choice), loop=loop, strict=strict)
    if loop:
        raise ConfigError("--loop plays a file again and again; name one, such as --input tune.mid")
    return None


def api_for(api: str, ports: Sequence[str], *, plays_without: bool) -> str:
    """Return the MIDI system to play on: the loopback if none works, none was asked for, and it can be done without.

    :param ports: the inputs and outputs that were chosen, but no inputs that are no ports.
    :param plays_without: whether somebody plays who needs no port: a player of ours, or a page.
    """
    if not plays_without or {api, *ports} != {"auto"}:
        return api
    with contextlib.suppress(Exception):  # whatever is wrong with RtMidi: it is not needed
        if any(report.available for report in survey()):
            return api
    return LOOPBACK


async def feed(service: Service, messages: Iterable[tuple[float, bytes]], start: float) -> None:
    """Play each message when its time has come, in seconds after `start`, a time of the service's session.

    Its stamp is the time it is written for, whatever the clock's jitter.
    """
    for seconds, message in messages:
        await asyncio.sleep(max(0.0, service.epoch + start + seconds - time.perf_counter()))
        service.send(Hear(start + seconds, message))


class FilePlayer:
    """Plays the notes of a MIDI file in their own time, drums left out; of a recorded session, the player's.

    :raises MidiFileError: if the file cannot be read, or holds no notes.
    """

    def __init__(self, path: Path, *, loop: bool = False, strict: bool = False) -> None:
        self.name = path.name
        self._loop = loop
        piece = read_midi(path, need_notes=True, strict=strict)
        self.remarks = remarks_on(path, piece)
        self._messages = messages_of(players_part(piece))
        self._seconds = _length_of(piece)
        self._last_stamp = -1.0
        self._heard_all = asyncio.Event()
        self._sounding: set[tuple[int, int]] = set()
        self._active_at = 0.0

    def take(self, event: SessionEvent) -> None:
        """Follow what sounds."""
        report = event.report
        if isinstance(report, Step) and report.stamp == self._last_stamp and report.heard == self._messages[-1][1]:
            self._heard_all.set()
        if isinstance(report, Step | Played | Applied):
            self._active_at = time.monotonic()
            for played in event.played:
                if isinstance(played, NoteOn):
                    self._sounding.add((played.channel, played.pitch))
                elif isinstance(played, NoteOff):
                    self._sounding.discard((played.channel, played.pitch))

    def press(self, key: str) -> bool:  # noqa: ARG002
        """Take none."""
        return False

    async def play(self, service: Service) -> None:
        """Play the file, again and again with `loop`; else stop when the last answer has ended."""
        await service.opened()
        start = time.perf_counter() - service.epoch + LEAD_SECONDS
        self._last_stamp = start + self._messages[-1][0]
        await feed(service, self._messages, start)
        while self._loop:
            start += self._seconds
            await feed(service, self._messages, start)
        with contextlib.suppress(TimeoutError):
            await within(LONGEST_ENDING_SECONDS, self._ending(service))
        service.stop()

    async def _ending(self, service: Service) -> None:
        """Wait until all was heard, and the answers have ended."""
        await within(ANSWER_SECONDS, self._heard_all.wait())
        mode = MODES_BY_NAME[service.parameters.mode]
        if mode.endless:
            return
        patience = ANSWER_SECONDS if mode.replies else LISTEN_SECONDS
        while self._sounding or time.monotonic() - self._active_at < patience:
            await asyncio.sleep(LISTEN_SECONDS)


def _length_of(piece: MidiPiece) -> float:
    """Return how long one round of a loop lasts: to the beat at which the last note has ended."""
    end = max(timed.end_tick for timed in piece.notes)
    beats = -(-end // piece.ticks_per_beat)
    return max(piece.tempo.seconds_at(beats * piece.ticks_per_beat), LEAD_SECONDS)


class ComputerPlayer:
    """The keys of the terminal as a musical keyboard; see `TypedNotes`."""

    def __init__(self) -> None:
        self.name = "the computer's keyboard"
        self.remarks: tuple[str, ...] = ()
        self._notes = TypedNotes()
        self._service: Service | None = None
        self._timer: asyncio.TimerHandle | None = None

    def take(self, event: SessionEvent) -> None:
        """Nothing is to be known."""

    def press(self, key: str) -> bool:
        """Play a key, if it is one that plays."""
        if self._service is None:
            return False
        now = time.perf_counter() - self._service.epoch
        events = self._notes.press(key, now)
        if events is None:
            return False
        for event in events:
            self._service.send(Hear(now, encode(event)))
        self._wait()
        return True

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._service is not None and self._notes.end_seconds is not None:
            left = self._service.epoch + self._notes.end_seconds - time.perf_counter()
            self._timer = asyncio.get_running_loop().call_later(max(0.0, left), self._lapse)

    def _lapse(self) -> None:
        if self._service is not None and (end := self._notes.end_seconds) is not None:
            for event in self._notes.lapse(end):
                self._service.send(Hear(end, encode(event)))

    async def play(self, service: Service) -> None:
        """Play what is pressed, until cancelled."""
        await service.opened()
        self._service = service
        try:
            await asyncio.Event().wait()
        finally:
            self._service = None
            self._wait()
