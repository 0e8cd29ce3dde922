"""The note path: ports, a performer and its timers, in one lock that three threads share.

RtMidi's or JACK's thread hears; the reader's takes commands; the main thread beats the heart, plays what is due, and
answers what was left to it.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from msgspec import UNSET

from improviser.core.live.hearing import heeds_clock, messages_of, moments_due, understand
from improviser.core.live.ledger import Ledger
from improviser.core.live.outcome import Outcome
from improviser.core.live.parameters import Parameters
from improviser.core.live.performer import LATE_SECONDS, Performer
from improviser.core.live.votes import FORGET
from improviser.core.midi.event import Event
from improviser.core.music.note import CHANNELS
from improviser.engine.adaptations import Adaptations
from improviser.engine.flood_gate import Arrived, FloodGate
from improviser.engine.loading import load
from improviser.engine.lookahead import think_ahead
from improviser.engine.model_changes import ModelChange, ModelChanges
from improviser.engine.notices import Notices
from improviser.engine.output import Output
from improviser.engine.protocol import (
    HEARTBEAT,
    MODEL,
    Adapt,
    Adapted,
    AnyCommand,
    Applied,
    Bring,
    Change,
    Close,
    Done,
    EndAgain,
    Hear,
    Instruct,
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
from improviser.engine.turns import Turn, Wake
from improviser.errors import EngineError, ImproviserError, MidiSystemError
from improviser.ports.opening import open_ports

NOTE_ON = 0x90
WARM_PERIODS, WARM_SECONDS, WARMING = 2, 2.0, (0, 60, 64)
"""How often, and how long after a message, what an answer takes is kept in the processor's caches, by such a note."""
HEARTBEAT_SECONDS, FLUSH_SECONDS = 0.1, 0.005
THINKING_SECONDS = 0.15
"""So late a reply may begin, on a machine too busy to think it out in time, unless a note of the player's comes."""
IN_A_ROW = 16
"""Messages of a flood that the main thread answers before it looks up again."""
QUIET_SECONDS = 0.0001
LOCK_SECONDS = 0.0003
"""How long the backend's thread waits for the others: a quarter of JACK's period of 64 frames."""
MUTE_NOTICE = "JACK goes on, but does not call the engine any more"


class Ahead(NamedTuple):
    """A note whose answer was sent before it was heard: when it was played, what was sent, and how soon (seconds)."""

    arrived: Arrived
    now: float
    sent: list[bytes]
    latency: float
    foreseen: bool


class Engine:
    """Ports around a performer, which begins with what `opening` says and enters what it plays in `ledger`.

    :raises ImproviserError: if models or ports cannot be opened.
    """

    def __init__(self, opening: Open, ledger: Ledger, reporter: Reporter) -> None:
        self.lock = threading.Lock()
        self.fault: Exception | None = None
        self._stopping = self._looking_ahead = False
        self._heart: memoryview | None = None
        self._beats = 0
        self._wake = Wake()
        self._gate = FloodGate()
        self._latest = self._sleeps_until = 0.0
        self._ahead: Ahead | None = None
        self._adaptations = Adaptations()
        self._silent = 0
        self._turn = Turn(self.lock, self._make_good)
        self._notices = Notices(reporter)
        self._opening = opening
        self._reporter = reporter
        self._epoch = opening.epoch
        self._models, self._loaded = load(opening.models)
        self._changes = ModelChanges()
        self._performer = self._begin(Parameters(**opening.parameters))
        self._ports = open_ports(
            opening.api, opening.name, opening.input, opening.output, opening.jack_server, patient=opening.patient
        )
        self._output = Output(self._ports, ledger)

    def _begin(self, parameters: Parameters) -> Performer:
        return Performer(self._models, parameters, np.random.default_rng(self._opening.seed))

    @property
    def _heeds_clock(self) -> bool:
        return heeds_clock(self._performer)

    def listen(self) -> None:
        """Answer what comes in on the input, from now on."""
        self._ports.heed_clock(heed=self._heeds_clock)
        self._ports.listen(self.overhear, self._answered)
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

    def _answered(self, *, heard: bool) -> None:
        """Take in that all that came in was answered, if anything was `heard`; called by the backend's thread."""
        if heard:
            self._wake.set()
            return
        self._silent += 1
        if self._silent % WARM_PERIODS == 0 and time.perf_counter() - self._gate.last_arrival < WARM_SECONDS:
            self._keep_warm()

    def _keep_warm(self) -> None:
        """Look what a note would be answered, to no end but that all that takes is at hand when one comes."""
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
        if not (message[0] & 0xF0 == NOTE_ON and len(message) == 3 and message[2]) or self._stopping:
            return False
        if not self.lock.acquire(blocking=False):
            return False
        try:
            if self._ahead is not None:
                return False
            now = max(self._latest, arrived.stamp - self._epoch)
            lane, pitch, velocity = CHANNELS * arrived.number + (message[0] & 0x0F), message[1], message[2]
            told = self._performer.foretell(lane, pitch, velocity, now, think=not self._ports.hurried)
            if told is None:
                return False
            sent = self._output.send_ahead(told[0])
            self._ahead = Ahead(arrived, now, sent, time.perf_counter() - arrived.at, told[1])
            self._latest = now
        finally:
            self.lock.release()
        return True

    def _make_good(self) -> None:
        """Hear the note whose answer was sent ahead; before anything else is done with the performer."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            arrived = ahead.arrived
            self._hear_or_end(arrived.message, ahead.now, arrived.at, arrived.number, ahead=ahead)

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

    def _think_ahead(self) -> None:
        """Prepare models, and think about notes that may come, until something is due."""
        self._looking_ahead = True
        think_ahead(self._think, lambda: self._gate.last_arrival, self._is_needed)
        self._looking_ahead = False

    def _think(self) -> bool:
        models_wait = self._get_to_know()
        with self._turn:
            self._looking_ahead = self._performer.foresee(self._now()) or models_wait
            return self._looking_ahead

    def _is_needed(self) -> bool:
        return self._stopping or not self._gate.quiet or self._now() >= self._sleeps_until

    def _send(self, events: Iterable[Event], ahead: Sequence[bytes] | None = None) -> list[bytes]:
        return self._output.send(events, self._performer.sent, ahead)

    def obey(self, command: AnyCommand) -> None:
        """Carry out a command."""
        match command:
            case Hear(stamp, message, number):
                self.hear(message, stamp, number)
            case Change():
                self._change(command)
            case Bring(data):
                self._changes.bring(data)
            case Swap():
                self._swap(command)
            case Panic():
                self._panic_now_and_later()
            case Instruct(asked):
                self._instruct(asked)
            case Adapt(files):
                self._prepare(files)
            case Lose(number):
                self._after_all_that_came_in(partial(self._lose, number))
            case Renew():
                self._renew()
            case EndAgain(messages):
                with self._turn:
                    self._output.end_again(messages)
            case Close():
                self.stop()
            case Open():
                raise EngineError("the engine is open already")

    def _change(self, change: Change) -> None:
        parameter, value, request = change.parameter, change.value, change.request
        with self._turn:
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
        try:
            self._changes.begin(swap)  # outside the lock: notes go on being answered by the old ones
        except ImproviserError as error:
            with self._turn:
                self._reporter.send(Applied(MODEL, swap.models, str(error), self._now(), request=swap.request))
        else:
            self._wake.set()

    def _get_to_know(self) -> bool:
        """Let models that are to play next learn one note, or play if they know all; return whether there are any."""
        change = self._changes.next
        if change is None:
            return False
        with self._turn:
            self._settle()
            heard = self._performer.heard
        if not change.joining.learn(heard):  # outside the lock, too
            self._exchange(change)
        return True

    def _exchange(self, change: ModelChange) -> None:
        """Let other models play, if they know all that was played, or it cannot wait."""
        with self._turn:
            now = max(self._latest, self._now())
            self._settle()
            self._keep_time(now)
            if self._changes.next is not change or (change.joining.learn(self._performer.heard) and not change.late):
                return
            self._latest = now
            self._changes.end(change)
            self._models, self._loaded = change.models, change.loaded
            played = self._send(self._performer.swap(change.joining, now))
            models, request = change.swap.models, change.swap.request
            self._reporter.send(Applied(MODEL, models, None, now, played, change.loaded, request))

    def _prepare(self, files: Sequence[bytes]) -> None:
        """Get adaptations ready, outside the lock."""
        try:
            self._adaptations.prepare(files, self._performer.models)
        except ImproviserError as error:
            self._reporter.send(Noticed(f"the models stay as they were: {error}"))
        else:
            self._wake.set()

    def _adapt(self, now: float) -> None:
        """Play with the adaptations that are ready, if this is a pause between phrases."""
        if (due := self._adaptations.due(self._performer, now)) is not None:
            now = self._latest = max(self._latest, now)
            played = self._send(self._performer.adapt(due.models, now))
            self._reporter.send(Adapted(now, [*due.digests], played, [*due.files]))

    def _instruct(self, command: str) -> None:
        with self._turn:
            now = self._latest = self._now()
            self._keep_time(now)
            if command == FORGET:
                self._adaptations.drop()
            self._reporter.send(Done(command, now, self._send(self._performer.do(command, now))))
            self._set_alarm()

    def _panic_now_and_later(self) -> None:
        """End all that sounds behind what came in; in a flood at once as well, since that may be heard much later."""
        if self._gate.waiting:
            with self._turn:
                self._panic()
        self._after_all_that_came_in(self._panic)

    def _panic(self) -> None:
        now = self._now()
        self._reporter.send(Played(now, self._send(self._performer.panic())))

    def _lose(self, number: int) -> None:
        now = self._latest = self._now()
        self._keep_time(now)
        played = self._send(self._performer.lose(now, number))
        self._reporter.send(Played(now, played, "lost", input=number or UNSET))
        self._set_alarm()

    def _renew(self) -> None:
        with self._turn:
            self._panic()
            self._adaptations.drop()
            self._performer = self._begin(self._performer.parameters)
            self._changes.renew()
            self.report_ready()

    def _next_due(self) -> float:
        """Return when the main thread has something to play: a reply that is not thought out yet may be late."""
        due = self._performer.deadline
        if due is None:
            return math.inf
        return due if self._performer.unfinished(due) is None else due + THINKING_SECONDS

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
            self._catch_up()
            if (change := self._changes.next) is not None and change.late:
                self._exchange(change)
            with self._turn:  # a thread that hangs in a send holds the lock, and so stops the heart
                self._settle()
                now = self._now()
                self._keep_time(now, patience=THINKING_SECONDS)
                if (self._performer.deadline or math.inf) > now:  # no reply is being waited for
                    self._adapt(now)
                if now >= next_beat:
                    next_beat = now + HEARTBEAT_SECONDS
                    self._beat()
                    self._gate.renew()
                    self._look_after_output()
                    self._notices.weigh(self._performer.weights, now)
                self._sleeps_until = min(next_beat, self._next_due())
                if not self._reporter.flush():
                    self._sleeps_until = min(self._sleeps_until, now + FLUSH_SECONDS)
            self._think_ahead()
            with self._turn:
                self._sleeps_until = min(self._sleeps_until, self._next_due())
            self._wake.wait(max(0.0, self._sleeps_until - self._now()))
        with self._turn:
            self._panic()
            self._output.end_all(self._beat)
        # Not under the lock: the backend waits for its thread, which may be about to be heard, and is turned away.
        self._ports.close()
        if self.fault is not None:
            raise self.fault
