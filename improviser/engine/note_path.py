"""The note path: ports, a performer and its timers, in one lock that three threads share.

RtMidi's or JACK's thread hears; the reader's takes commands; the main thread beats the heart, plays what is due, and
answers what was left to it.
"""

import math
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal

import numpy as np
from msgspec import UNSET

from improviser.core.live.hearing import heeds_clock, messages_of, moments_due, understand
from improviser.core.live.ledger import Ledger
from improviser.core.live.outcome import Outcome
from improviser.core.live.parameters import Parameters
from improviser.core.live.performer import LATE_SECONDS, Performer
from improviser.core.midi.event import Event
from improviser.engine.flood_gate import Arrived, FloodGate
from improviser.engine.loading import load
from improviser.engine.lookahead import think_ahead
from improviser.engine.notices import Notices
from improviser.engine.output import Output
from improviser.engine.protocol import (
    HEARTBEAT,
    MODEL,
    AnyCommand,
    Applied,
    Change,
    Close,
    Hear,
    Lose,
    Noticed,
    Open,
    Panic,
    Picked,
    Played,
    Ready,
    Renew,
    Reporter,
    Step,
    Swap,
    Turned,
    one_or_list,
)
from improviser.engine.sensing import wait_if_late
from improviser.errors import EngineError, ImproviserError, MidiSystemError
from improviser.ports.opening import open_ports

HEARTBEAT_SECONDS, FLUSH_SECONDS = 0.1, 0.005
IN_A_ROW = 16
"""Messages of a flood that the main thread answers before it looks up again."""
QUIET_SECONDS = 0.0001
LOCK_SECONDS = 0.0003
"""How long the backend's thread waits for the others: a quarter of JACK's period of 64 frames."""
MUTE_NOTICE = "JACK goes on, but does not call the engine any more"


class Engine:
    """Ports around a performer, which begins with what `opening` says and enters what it plays in `ledger`.

    :raises ImproviserError: if models or ports cannot be opened.
    """

    def __init__(self, opening: Open, ledger: Ledger, reporter: Reporter) -> None:
        self.lock = threading.Lock()
        self.fault: Exception | None = None
        self._stopping = self._thinking = False
        self._heart: memoryview | None = None
        self._beats = 0
        self._wake = threading.Event()
        self._gate = FloodGate()
        self._latest = self._sleeps_until = 0.0
        self._thinking = False
        self._notices = Notices(reporter)
        self._opening = opening
        self._reporter = reporter
        self._epoch = opening.epoch
        self._models, self._loaded = load(opening.models)
        self._performer = self._begin(Parameters(**opening.parameters))
        self._ports = open_ports(opening.api, opening.name, opening.input, opening.output, patient=opening.patient)
        self._output = Output(self._ports, ledger)

    def _begin(self, parameters: Parameters) -> Performer:
        return Performer(self._models, parameters, np.random.default_rng(self._opening.seed))

    @property
    def _heeds_clock(self) -> bool:
        return heeds_clock(self._performer)

    def listen(self) -> None:
        """Answer what comes in on the input, from now on."""
        self._ports.heed_clock(heed=self._heeds_clock)
        self._ports.listen(self.overhear)
        for remark in self._ports.remarks:
            self._reporter.send(Noticed(remark))

    def release(self) -> None:
        """Send what ends the notes that a dead engine left sounding."""
        for message in self._opening.releases:
            self._ports.send(message)

    def report_ready(self) -> None:
        """Report what is open, and what the performer begins with."""
        ports, parameters = self._ports, asdict(self._performer.parameters)
        seed, client = self._opening.seed, ports.client
        hears, plays = one_or_list(ports.inputs), one_or_list(ports.outputs)
        self._reporter.send(Ready(ports.api, hears, plays, self._loaded, parameters, seed, client))

    def overhear(self, message: bytes, age: float, number: int = 0) -> None:
        """Answer a message in the backend's own thread; in a flood, or where others would wait, leave it.

        On JACK that thread is the graph's: all that hear us wait for it, and nothing may hold it up for long.

        :param number: of the input, counted from 0.
        """
        arrived = self._gate.arrive(message, age, number)
        answers = self._gate.open and not self._ports.hurried
        if not (answers and self.lock.acquire(timeout=LOCK_SECONDS)):
            self._gate.waiting.append(arrived)
            self._wake.set()
            return
        try:
            self._hear_arrived(arrived)
        finally:
            self.lock.release()

    def _catch_up(self) -> None:
        """Answer what was left in a flood, whenever the backend's thread is quiet."""
        gate = self._gate
        while gate.waiting and not self._stopping:
            last_arrival = gate.last_arrival
            if time.perf_counter() - last_arrival < QUIET_SECONDS:
                time.sleep(QUIET_SECONDS)
                continue
            with self.lock, self._reporter.together():  # taken from the queue under it, so that nothing overtakes
                for _ in range(min(IN_A_ROW, len(gate.waiting))):
                    self._hear_arrived(gate.waiting.popleft())
                    if gate.last_arrival != last_arrival:  # the backend's thread gets in once for each of its messages
                        break

    def _hear_arrived(self, arrived: Arrived) -> None:
        # What is heard later is stamped later, also where the systems' stamps say otherwise.
        stamp = max(self._latest, arrived.stamp - self._epoch)
        self._hear_or_end(arrived.message, stamp, arrived.at, arrived.number)

    def hear(self, message: bytes, stamp: float, number: int = 0) -> None:
        """Answer a message of a source that is not a port, which has stamped it. A fault ends the engine."""
        arrived = self._gate.arrive(message, 0.0)
        with self.lock:
            for one in messages_of(message):
                self._hear_or_end(one, stamp, arrived.at, number, stamped=True)

    def _hear_or_end(
        self, message: bytes, stamp: float, arrived: float, number: int = 0, *, stamped: bool = False
    ) -> None:
        try:
            self._hear(message, stamp, arrived, number, stamped=stamped)
        except Exception as error:  # noqa: BLE001  a foreign thread calls this: the fault must reach the main thread
            self.fault = error
            self.stop()

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping = True
        self._wake.set()

    def _hear(self, message: bytes, now: float, arrived: float, number: int, *, stamped: bool) -> None:
        if self._stopping:
            return
        if stamped:  # what was due is as old as its stamp says, also where its source was silent for too long
            self._keep_time(now, stamped=True)
        event = understand(message, self._performer, now, number)
        if event is None:
            return
        self._keep_time(now, stamped=stamped)
        self._latest = max(self._latest, now)
        outcome = self._performer.hear(event, now, number)
        played = self._send(outcome.events)
        latency = time.perf_counter() - arrived
        self._performer.settle()
        self._reporter.send(Step(now, message, played, latency, outcome.foreseen, number or UNSET))
        self._tell_what_else(outcome)
        self._set_alarm()
        self._beat()  # in a flood of notes the main thread may wait long for the lock

    def _tell_what_else(self, outcome: Outcome) -> None:
        """Report what the message that was heard has done, beside being answered."""
        if outcome.turned is not None:
            self._reporter.send(Turned(*outcome.turned))
            self._ports.heed_clock(heed=self._heeds_clock)
        if outcome.picked is not None:
            self._reporter.send(Picked(outcome.picked.number, outcome.picked.positions))
        self._notices.look_at(outcome)

    def _keep_time(self, now: float, *, stamped: bool = False) -> None:
        """Play what is due by `now`, each at its own moment; `stamped`: that time does not pass by itself."""
        if not stamped:
            wait_if_late(self._performer, now, busy=bool(self._gate.waiting))
        for moment in moments_due(self._performer, now, math.inf if stamped else LATE_SECONDS):
            self._latest = max(self._latest, moment)
            outcome = self._performer.advance(moment)
            played = self._send(outcome.events)
            late = max(0.0, self._now() - moment)
            cause: Literal["lost", "timer"] = "lost" if outcome.lost else "timer"
            self._reporter.send(Played(moment, played, cause, late, outcome.lost_input or UNSET))
            self._notices.look_at(outcome)
            self._performer.settle()

    def _set_alarm(self) -> None:
        """Wake the main thread if something is due before it would wake by itself, or there is time to think."""
        due, sleeps_until = self._performer.deadline, self._sleeps_until
        self._sleeps_until = sleeps_until if due is None else min(due, sleeps_until)
        if self._sleeps_until < sleeps_until or (self._gate.quiet and not self._thinking):
            self._wake.set()

    def _think_ahead(self) -> None:
        """Think about notes that may come, until something is due."""
        self._thinking = True
        think_ahead(self._foresee, lambda: self._gate.last_arrival, self._is_needed)
        self._thinking = False

    def _foresee(self) -> bool:
        with self.lock:
            self._thinking = self._performer.foresee()
            return self._thinking

    def _is_needed(self) -> bool:
        return self._stopping or not self._gate.quiet or self._now() >= self._sleeps_until

    def _send(self, events: Iterable[Event]) -> list[bytes]:
        return self._output.send(events, self._performer.sent)

    def obey(self, command: AnyCommand) -> None:
        """Carry out a command."""
        match command:
            case Hear(stamp, message, number):
                self.hear(message, stamp, number)
            case Change():
                self._change(command)
            case Swap():
                self._swap(command)
            case Panic():
                with self.lock:
                    self._panic()
            case Lose(number):
                self._lose(number)
            case Renew():
                self._renew()
            case Close():
                self.stop()
            case Open():
                raise EngineError("the engine is open already")

    def _change(self, change: Change) -> None:
        parameter, value, request = change.parameter, change.value, change.request
        with self.lock:
            now = self._latest = self._now()
            self._keep_time(now)
            try:
                events = self._performer.change(parameter, value, now)
            except (ImproviserError, TypeError, ValueError) as error:
                self._reporter.send(Applied(parameter, value, str(error), now, request=request))
            else:
                self._reporter.send(Applied(parameter, value, None, now, self._send(events), request=request))
                self._ports.heed_clock(heed=self._heeds_clock)
                self._set_alarm()

    def _swap(self, swap: Swap) -> None:
        names, request = swap.models, swap.request
        try:
            models, loaded = load(names)  # outside the lock: notes go on being answered by the old ones
        except ImproviserError as error:
            with self.lock:
                self._reporter.send(Applied(MODEL, names, str(error), self._now(), request=request))
        else:
            with self.lock:
                now = self._latest = self._now()
                self._keep_time(now)
                self._models, self._loaded = models, loaded
                played = self._send(self._performer.swap(models, now))
                self._reporter.send(Applied(MODEL, names, None, now, played, loaded, request))

    def _panic(self) -> None:
        now = self._now()
        self._reporter.send(Played(now, self._send(self._performer.panic())))

    def _lose(self, number: int) -> None:
        with self.lock:
            now = self._latest = self._now()
            self._keep_time(now)
            played = self._send(self._performer.lose(now, number))
            self._reporter.send(Played(now, played, "lost", input=number or UNSET))
            self._set_alarm()

    def _renew(self) -> None:
        with self.lock:
            self._panic()
            self._performer = self._begin(self._performer.parameters)
            self.report_ready()

    def _look_after_output(self) -> None:
        self._output.follow()
        if self._ports.mute:
            self.fault = MidiSystemError(MUTE_NOTICE)
            self.stop()

    def _now(self) -> float:
        return time.perf_counter() - self._epoch

    def _beat(self) -> None:
        if self._heart is not None:
            self._beats += 1
            HEARTBEAT.pack_into(self._heart, 0, self._beats)

    def run(self, heartbeat: memoryview) -> None:
        """Beat the heart and play what is due until told to stop; then end all that sounds and close the ports."""
        self._heart, next_beat = heartbeat, self._now()
        while not self._stopping:
            self._wake.clear()
            self._catch_up()
            with self.lock:  # a thread that hangs in a send holds the lock, and so stops the heart
                now = self._now()
                self._keep_time(now)
                if now >= next_beat:
                    next_beat = now + HEARTBEAT_SECONDS
                    self._beat()
                    self._gate.renew()
                    self._look_after_output()
                due = self._performer.deadline
                self._sleeps_until = next_beat if due is None else min(due, next_beat)
                if not self._reporter.flush():
                    self._sleeps_until = min(self._sleeps_until, now + FLUSH_SECONDS)
            self._think_ahead()
            self._wake.wait(max(0.0, self._sleeps_until - self._now()))
        with self.lock:
            self._panic()
            self._output.end_all(self._beat)
        # Not under the lock: the backend waits for its thread, which may be about to be heard, and is turned away.
        self._ports.close()
        if self.fault is not None:
            raise self.fault
