"""The engine: ports and a performer, the commands that they obey, and the main thread's rounds.

Three threads share one lock. RtMidi's or JACK's hears (`hearing`); the reader's takes commands; the main thread beats
the heart, plays what is due, answers what was left to it, and thinks ahead.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

import numpy as np
from msgspec import UNSET

from improviser.core.live.output.ledger import Ledger
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.live.player.votes import FORGET
from improviser.engine.adaptations import Adaptations
from improviser.engine.hearing import Hearing
from improviser.engine.loading import load
from improviser.engine.lookahead import think_ahead
from improviser.engine.model_changes import ModelChange, ModelChanges
from improviser.engine.protocol import (
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
    Played,
    Ready,
    Renew,
    Swap,
    one_or_list,
)
from improviser.engine.reporter import Reporter
from improviser.errors import EngineError, ImproviserError, MidiSystemError
from improviser.ports.opening import open_ports

HEARTBEAT_SECONDS, FLUSH_SECONDS = 0.1, 0.005
THINKING_SECONDS = 0.15
"""So late a reply may begin, on a machine too busy to think it out in time, unless a note of the player's comes."""
MUTE_NOTICE = "JACK goes on, but does not call the engine any more"


class Engine(Hearing):
    """Ports around a performer, which begins with what `opening` says and enters what it plays in `ledger`.

    :raises ImproviserError: if models or ports cannot be opened.
    """

    def __init__(self, opening: Open, ledger: Ledger, reporter: Reporter) -> None:
        self._opening = opening
        self._adaptations = Adaptations()
        self._models, self._loaded = load(opening.models)
        self._changes = ModelChanges()
        performer = self._begin(Parameters(**opening.parameters))
        ports = open_ports(
            opening.api,
            opening.name,
            opening.input,
            opening.output,
            opening.jack_server,
            patient=opening.patient,
            spare=opening.spare,
        )
        super().__init__(performer, ports, ledger, reporter, opening.epoch)

    def _begin(self, parameters: Parameters) -> Performer:
        return Performer(self._models, parameters, np.random.default_rng(self._opening.seed))

    def start(self, early: Sequence[AnyCommand] = ()) -> None:
        """Answer what comes in on the input from now on, and report what is open, and what the performer begins with.

        We listen before we report: the daemon may connect the ports, and the player play, as soon as they are reported.

        :param early: commands that came with the first; they are obeyed before anything is heard.
        """
        self._reporter.holding = True
        self._report_ready()
        for command in early:
            self.obey(command)
        with self.lock:  # what is heard is reported after that
            self._ports.heed_clock(heed=self._heeds_clock)
            self._ports.listen(self.overhear, self._answered)
            for remark in self._ports.remarks:
                self._reporter.send(Noticed(remark))
            self._reporter.holding = False
            self._reporter.flush()

    def release(self) -> None:
        """Send what ends the notes that a dead engine left sounding."""
        for message in self._opening.releases:
            self._ports.send(message)

    def _report_ready(self) -> None:
        ports, parameters = self._ports, asdict(self._performer.parameters)
        seed, client = self._opening.seed, ports.client
        hears, plays = one_or_list(ports.inputs), one_or_list(ports.outputs)
        self._reporter.send(Ready(ports.api, hears, plays, self._loaded, parameters, seed, client))

    def run(self, heartbeat: memoryview) -> None:
        """Beat the heart and play what is due until told to stop; then end all that sounds and close the ports."""
        self._heart, next_beat = heartbeat, self._now()
        while not self._stopping:
            if not self._rest.wait(self._epoch + self._sleeps_until):
                continue
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
            if self._rest.lasts:
                continue
            with self._turn:
                self._sleeps_until = min(self._sleeps_until, self._next_due())
            self._wake.wait(max(0.0, self._sleeps_until - self._now()))
        with self._turn:
            self._panic()
            self._output.end_all(self._beat)
            self._reporter.flush()  # jackd's library may freeze us while we leave, on a busy machine (`jack_sending`)
        # Not under the lock: the backend waits for its thread, which may be about to be heard, and is turned away.
        self._ports.close()
        if self.fault is not None:
            raise self.fault

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
        return self._stopping or self._rest.lasts or not self._gate.quiet or self._now() >= self._sleeps_until

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
            self._report_ready()
