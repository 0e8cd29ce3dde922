"""A desk for the tests: a performer, a synth at its output, and the keys that the player holds."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from improviser.core.live.outcome import Outcome
from improviser.core.live.output.ledger import Ledger
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn, TimedEvent, Transport
from improviser.core.midi.lanes import on_lane
from improviser.core.networks.responder import Model
from tests.core.live.responders import RuleModel
from tests.core.live.synth import Synth


class Desk:
    """Does with a performer what the engine does: hear, send, confirm, settle.

    `sent` is all that left, with stamps; `last` is what came of the event that was heard last. Before each message
    leaves, it is checked that whoever has the ledger alone could end everything. With `foretells`, each answer is
    foretold before its note is heard, where that can be, and the two are compared; `foretold` counts them.
    """

    def __init__(
        self,
        *models: Model,
        seed: int = 1,
        check_every_send: bool = False,
        foretells: bool = False,
        **parameters: Any,
    ) -> None:
        self.performer = Performer(
            models or (RuleModel(),), Parameters(**parameters), np.random.default_rng(seed), Ledger()
        )
        self.synth = Synth()
        self.sent: list[TimedEvent] = []
        self.now = 0.0
        self.last = Outcome([])
        self.foretold = 0
        self._check_every_send = check_every_send
        self._foretells = foretells

    def send(self, events: Iterable[Event]) -> list[Event]:
        """Send what the performer returned, and learn from it."""
        sent = list(events)
        for event in sent:
            self.check_survivors()
            self.synth.take([event])
            self.check_survivors()
            self.performer.sent(event)
            self.sent.append((self.now, event))
        self.check_survivors()
        self.performer.settle()
        return sent

    def check_survivors(self) -> None:
        """If the sender died now, what the ledger names would end all that sounds."""
        if self._check_every_send:
            after = self.synth.copy()
            after.take(Ledger(bytearray(self.performer.ledger.snapshot())).releases())
            assert after.at_rest

    def hear(self, event: Event | Transport, after: float = 0.25, number: int = 0) -> list[Event]:
        """Let the player do something, `after` seconds after the last, on input `number`."""
        self.now += after
        told = self._foretell(event, number) if self._foretells and isinstance(event, NoteOn) else None
        self.last = self.performer.hear(event, self.now, number)
        if told is not None:
            assert self.last.events == told[0]
            self.foretold += 1
        return self.send(self.last.events)

    def _foretell(self, event: NoteOn, number: int) -> tuple[list[Event], bool] | None:
        self.performer.foresee()
        return self.performer.foretell(
            on_lane(event, number).channel, event.pitch, event.velocity, self.now, think=True
        )

    def down(self, pitch: int, velocity: int = 80, *, channel: int = 0, after: float = 0.25) -> list[Event]:
        """Press a key."""
        return self.hear(NoteOn(channel, pitch, velocity), after)

    def up(self, pitch: int, *, channel: int = 0, after: float = 0.2) -> list[Event]:
        """Release a key."""
        return self.hear(NoteOff(channel, pitch), after)

    def pedal(self, value: int, *, control: int = 64, channel: int = 0) -> list[Event]:
        """Move a pedal."""
        return self.hear(ControlChange(channel, control, value))

    def change(self, name: str, value: Any) -> list[Event]:
        """Change a parameter."""
        return self.send(self.performer.change(name, value, self.now))

    def swap(self, *models: Model) -> list[Event]:
        """Play with other models."""
        return self.send(self.performer.swap(models, self.now))

    def wait(self, seconds: float) -> list[TimedEvent]:
        """Let time pass, as the engine's timer does; return what was played, with its stamps."""
        start, until = len(self.sent), self.now + seconds
        while (deadline := self.performer.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.send(self.performer.advance(self.now).events)
        self.now = until
        return self.sent[start:]

    def panic(self) -> list[Event]:
        """End everything."""
        return self.send(self.performer.panic())


def notes(events: Sequence[Event]) -> list[int]:
    """Return the pitches of the note-ons."""
    return [event.pitch for event in events if isinstance(event, NoteOn)]
