"""Hearing: from a message that comes in to its answer, and to what is left to do once the answer has left.

Whoever hears holds the lock around performer and output: the backend's thread, for sources that are no ports the thread
that takes commands, and in a flood the main thread. Where the answer to a note is known at a look it is sent first, and
the note is heard afterwards.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from msgspec import UNSET

from improviser.core.live.due import LATE_SECONDS
from improviser.core.live.hearing import heeds_clock, messages_of, moments_due, understand
from improviser.core.live.outcome import Outcome
from improviser.core.live.output.ledger import Ledger
from improviser.core.live.performer import Performer
from improviser.core.midi.event import Event
from improviser.core.music.note import CHANNELS
from improviser.engine.flood_gate import Arrived, FloodGate
from improviser.engine.notices import Notices
from improviser.engine.output import Output
from improviser.engine.protocol import Done, Picked, Played, Step, Turned
from improviser.engine.reporter import Reporter
from improviser.engine.sensing import wait_if_late
from improviser.engine.shared_memory import HEARTBEAT
from improviser.engine.turns import RestOfPeriod, Turn, Wake
from improviser.ports.interface import Ports

NOTE_ON = 0x90
WARM_PERIODS, WARM_SECONDS, WARMING = 2, 2.0, (0, 60, 64)
"""How often, and how long after a message, what an answer takes is kept in the processor's caches, by such a note."""
IN_A_ROW = 16
"""Messages of a flood that the main thread answers before it looks up again."""
QUIET_SECONDS = 0.0001
LOCK_SECONDS = 0.0003
"""How long the backend's thread waits for the others: a quarter of JACK's period of 64 frames."""


class Ahead(NamedTuple):
    """The answer to a note that was sent before the note is heard: what was sent, how soon (seconds), if foreseen."""

    sent: list[bytes]
    latency: float
    foreseen: bool


class Hearing:
    """Hears messages with `performer`, sends its answers to `ports`, enters them in `ledger`, and reports them.

    :param epoch: the session's beginning, on `time.perf_counter`.
    """

    def __init__(self, performer: Performer, ports: Ports, ledger: Ledger, reporter: Reporter, epoch: float) -> None:
        self.lock = threading.Lock()
        self.fault: Exception | None = None
        self._performer = performer
        self._ports = ports
        self._output = Output(ports, ledger)
        self._reporter = reporter
        self._notices = Notices(reporter)
        self._epoch = epoch
        self._stopping = self._looking_ahead = False
        self._heart: memoryview | None = None
        self._beats = 0
        self._wake = Wake()
        self._gate = FloodGate()
        self._latest = self._sleeps_until = 0.0
        self._ahead: tuple[Arrived, float, Ahead] | None = None
        """A note that is still to be heard: when it was played (seconds of the session), and what was sent for it."""
        self._rest = RestOfPeriod(self._wake)
        self._silent = 0
        self._turn = Turn(self.lock, self._make_good)

    @property
    def _heeds_clock(self) -> bool:
        return heeds_clock(self._performer)

    def overhear(self, message: bytes, age: float, number: int = 0) -> None:
        """Answer a message in the backend's own thread; in a flood, or where others would wait, leave it.

        All else can wait until the answer has left: then the main thread is woken, learns from it, and reports it.

        On JACK that thread is the graph's: all that hear us wait for it, and nothing may hold it up for long.

        :param number: of the input, counted from 0.
        """
        arrived = self._gate.arrive(message, age, number)
        if self._gate.open and self._answer_ahead(arrived):
            return
        answers = self._gate.open and not self._ports.hurried
        if not (answers and self.lock.acquire(timeout=LOCK_SECONDS)):
            self._gate.waiting.append(arrived)
            return
        self._reporter.holding = True
        try:
            self._make_good()
            self._hear_arrived(arrived)
        finally:
            self._reporter.holding = False
            self.lock.release()

    def _answered(self, *, heard: bool, again: bool = False) -> None:
        """Take in that all that came in was answered, if anything was `heard`; called by the backend's thread."""
        self._rest.answered(heard=heard, again=again)
        if heard:
            return
        self._silent += 1
        if self._silent % WARM_PERIODS == 0 and time.perf_counter() - self._gate.last_arrival < WARM_SECONDS:
            self._keep_warm()

    def _keep_warm(self) -> None:
        """Compute an answer and throw it away: then code and data are in the processor's caches when a note comes."""
        if self.lock.acquire(blocking=False):
            try:
                if self._ahead is None:
                    now = max(self._latest, self._now())
                    self._performer.foretell(*WARMING, now, think=False)
            finally:
                self.lock.release()

    def _answer_ahead(self, arrived: Arrived) -> bool:
        """Send the answer to a note where it is known at a look, and leave it to `_make_good` to hear the note."""
        message = arrived.message
        if not _is_note_on(message) or self._stopping:
            return False
        if not self.lock.acquire(blocking=False):
            return False
        try:
            if self._ahead is not None:
                return False
            now = max(self._latest, arrived.stamp - self._epoch)
            ahead = self._sent_ahead(message, now, arrived.at, arrived.number, think=not self._ports.hurried)
            if ahead is None:
                return False
            self._ahead, self._latest = (arrived, now, ahead), now
        finally:
            self.lock.release()
        return True

    def _sent_ahead(self, message: bytes, now: float, arrived: float, number: int, *, think: bool) -> Ahead | None:
        """Send the answer to a note-on before it is heard, if that can be told; else return None."""
        lane = CHANNELS * number + (message[0] & 0x0F)
        told = self._performer.foretell(lane, message[1], message[2], now, think=think)
        if told is None:
            return None
        sent = self._output.send_ahead(told[0])
        return Ahead(sent, time.perf_counter() - arrived, told[1])

    def _make_good(self) -> None:
        """Hear the note whose answer was sent ahead; before anything else is done with the performer."""
        heard, self._ahead = self._ahead, None
        if heard is not None:
            arrived, now, ahead = heard
            self._hear_or_end(arrived.message, now, arrived.at, arrived.number, ahead=ahead)

    def _catch_up(self) -> None:
        """Answer what was left in a flood, whenever the backend's thread is quiet."""
        gate = self._gate
        while gate.waiting and not self._stopping:
            last_arrival = gate.last_arrival
            if time.perf_counter() - last_arrival < QUIET_SECONDS:
                time.sleep(QUIET_SECONDS)
                continue
            with self._turn, self._reporter.together():  # taken from the queue under it, so that nothing overtakes
                for _ in range(min(IN_A_ROW, len(gate.waiting))):
                    self._take_waiting()
                    self._settle()
                    if gate.last_arrival != last_arrival:  # the backend's thread gets in once for each of its messages
                        break

    def _take_waiting(self) -> None:
        waiting = self._gate.waiting.popleft()
        if isinstance(waiting, Arrived):
            self._hear_arrived(waiting)
        else:
            waiting()

    def _after_all_that_came_in(self, act: Callable[[], None]) -> None:
        """Do what ends notes once all that came in is heard: what a source that is gone played may be still to come."""
        self._ports.hand_over()
        with self._turn:
            if self._gate.waiting:
                self._gate.waiting.append(act)
            else:
                act()

    def _hear_arrived(self, arrived: Arrived) -> None:
        # What is heard later is stamped later, also where the systems' stamps say otherwise.
        stamp = max(self._latest, arrived.stamp - self._epoch)
        self._hear_or_end(arrived.message, stamp, arrived.at, arrived.number)

    def hear(self, message: bytes, stamp: float, number: int = 0) -> None:
        """Answer a message of a source that is not a port, which has stamped it. A fault ends the engine."""
        arrived = self._gate.arrive(message, 0.0)
        with self._turn:
            for one in messages_of(message):
                self._hear_or_end(one, stamp, arrived.at, number, stamped=True)
                self._settle()
            self._set_alarm()

    def _hear_or_end(
        self,
        message: bytes,
        stamp: float,
        arrived: float,
        number: int = 0,
        *,
        stamped: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        try:
            self._hear(message, stamp, arrived, number, stamped=stamped, ahead=ahead)
        except Exception as error:  # noqa: BLE001  a foreign thread calls this: the fault must reach the main thread
            self.fault = error
            self.stop()

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping = True
        self._wake.set()

    def _hear(
        self, message: bytes, now: float, arrived: float, number: int, *, stamped: bool, ahead: Ahead | None
    ) -> None:
        if self._stopping and ahead is None:
            return
        if stamped and _is_note_on(message):
            ahead = self._sent_ahead(message, now, arrived, number, think=True)
        if stamped:  # what was due is as old as its stamp says, also where its source was silent for too long
            self._keep_time(now, stamped=True)
        event = understand(message, self._performer, now, number)
        if event is None:
            return
        self._keep_time(now, stamped=stamped)
        self._latest = max(self._latest, now)
        outcome = self._performer.hear(event, now, number)
        played = self._send(outcome.events, None if ahead is None else ahead.sent)
        latency, foreseen = time.perf_counter() - arrived, outcome.foreseen
        if ahead is not None:
            latency, foreseen = ahead.latency, ahead.foreseen
        self._reporter.send(Step(now, message, played, latency, foreseen, number or UNSET))
        self._tell_what_else(outcome, now)
        self._beat()  # in a flood of notes the main thread may wait long for the lock

    def _settle(self) -> None:
        """Learn from what was heard and answered. A fault ends the engine."""
        try:
            self._performer.settle()
        except Exception as error:  # noqa: BLE001  as if it had come while the note was heard
            self.fault = error
            self.stop()

    def _tell_what_else(self, outcome: Outcome, now: float) -> None:
        """Report what the message that was heard has done, beside being answered."""
        if outcome.turned is not None:
            self._reporter.send(Turned(*outcome.turned))
            self._ports.heed_clock(heed=self._heeds_clock)
        if outcome.picked is not None:
            self._reporter.send(Picked(outcome.picked.number, outcome.picked.positions))
        if outcome.done is not None:
            self._reporter.send(Done(outcome.done, now, pedal=True))
        self._notices.look_at(outcome)

    def _keep_time(self, now: float, *, stamped: bool = False, patience: float = 0.0) -> None:
        """Play what is due by `now`, each at its own moment; `stamped`: that time does not pass by itself.

        :param patience: how long (seconds) a reply may be late, to be thought out; else it begins with the best so far.
        """
        if not stamped:
            wait_if_late(self._performer, now, busy=bool(self._gate.waiting))
        for moment in moments_due(self._performer, now, math.inf if stamped else LATE_SECONDS):
            pieces = None if stamped else self._performer.unfinished(moment)
            if pieces is not None and now < (self._performer.deadline or moment) + patience:
                return
            self._latest = max(self._latest, moment)
            outcome = self._performer.advance(moment, pieces)
            played = self._send(outcome.events)
            late = max(0.0, self._now() - moment)
            cause: Literal["lost", "timer"] = "lost" if outcome.lost else "timer"
            cut = UNSET if pieces is None else pieces
            self._reporter.send(Played(moment, played, cause, late, outcome.lost_input or UNSET, cut))
            self._notices.look_at(outcome)
            self._performer.settle()

    def _set_alarm(self) -> None:
        """Wake the main thread if something is due before it would wake by itself, or there is time to think."""
        due, sleeps_until = self._performer.deadline, self._sleeps_until
        self._sleeps_until = sleeps_until if due is None else min(due, sleeps_until)
        if self._sleeps_until < sleeps_until or (self._gate.quiet and not self._looking_ahead):
            self._wake.set()

    def _send(self, events: Iterable[Event], ahead: Sequence[bytes] | None = None) -> list[bytes]:
        return self._output.send(events, self._performer.sent, ahead)

    def _now(self) -> float:
        return time.perf_counter() - self._epoch

    def _beat(self) -> None:
        if self._heart is not None:
            self._beats += 1
            HEARTBEAT.pack_into(self._heart, 0, self._beats)


def _is_note_on(message: bytes) -> bool:
    return message[0] & 0xF0 == NOTE_ON and len(message) == 3 and message[2] > 0
