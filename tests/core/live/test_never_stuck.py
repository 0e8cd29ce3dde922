"""Never a stuck note: any interleaving of what a player, a user and a crash can do ends in silence.

The synth at the output takes no panic on trust (many real ones ignore CC 123): every note must get its own note-off,
and every pedal and bend must come back. Before and after each message that leaves, the sender is killed in thought: the
ledger alone must be able to end all that sounds.
"""

import contextlib
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from improviser.core.live.parameters.table import MODES, SIDES
from improviser.core.midi.event import (
    ChannelPressure,
    Continue,
    ControlChange,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
    Start,
    Stop,
    Tick,
    Transport,
)
from improviser.core.midi.lanes import input_of, to_send
from improviser.core.networks.responder import Model
from improviser.errors import ConfigError
from tests.core.chorale.small import small_chorale
from tests.core.live.desk import Desk
from tests.core.live.responders import AccompanistModel, RuleModel, SingerModel

# Few of each, so that they meet.
CHANNELS = st.sampled_from((0, 0, 0, 1, 9, 15, 16, 16, 25, 31))
"""Lanes: those of a second keyboard too."""
PITCHES = st.sampled_from((0, 48, 60, 61, 72, 127))
VALUES = st.sampled_from((0, 1, 63, 64, 127))
MODELS: dict[str, Model] = {
    "unison": RuleModel(lambda pitch: pitch),
    "below": RuleModel(lambda pitch: pitch - 12),
    "drone": RuleModel(lambda _: 48),
    "echo": RuleModel(lambda pitch: pitch + 1, task="echo"),
    "singer": SingerModel(),
    "accompanist": AccompanistModel(),
    "low": AccompanistModel(is_bass=True),
    "chorale": small_chorale(),
}
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.sampled_from(MODES),
    "temperature": st.sampled_from((0.0, 0.7, 4.0)),
    "density": st.sampled_from((0.0, 0.5, 1.0)),
    "follow": st.sampled_from(("every", "pulse", "harmony")),
    "bass": st.sampled_from(("support", "below", "off")),
    "scale": st.sampled_from(("off", "auto", "D minor", "C pentatonic")),
    "low": st.sampled_from((0, 48, 60)),
    "high": st.sampled_from((48, 60, 127)),
    "transpose": st.sampled_from((-48, -1, 0, 12)),
    "velocity_scale": st.sampled_from((0.0, 1.0, 2.0)),
    "velocity_curve": st.sampled_from((0.25, 1.0, 4.0)),
    "channel": st.sampled_from((0, 1, 2, 16)),
    "part": st.sampled_from(("soprano", "alto", "bass", "auto")),
    "channels": st.sampled_from(("one", "each")),
    "balance": st.sampled_from(("off", "alto 0.5, bass 2")),
    "registers": st.sampled_from(("off", "alto 60-66, bass 36-48")),
    "instruments": st.sampled_from(("off", "alto 20", "tenor 30, bass 33")),
    "hold": st.booleans(),
    "ornament": st.sampled_from((0.0, 1.0)),
    "thru": st.booleans(),
    "bend": st.booleans(),
    "aftertouch": st.booleans(),
    "thru_inputs": st.sampled_from(("all", "1", "2", "1,2")),
    "input_channel": st.sampled_from((0, 1, 16)),
    "input_low": st.sampled_from((0, 60)),
    "input_high": st.sampled_from((60, 127)),
    "side": st.sampled_from(SIDES),
    "split": st.sampled_from((48, 61)),
    "drums": st.sampled_from(("pulse", "notes", "ignore")),
    "delay": st.sampled_from((0.0, 0.3)),
    "release_after": st.sampled_from((0.0, 0.3, 1.5)),
    "quantise": st.sampled_from(("off", "1/4", "1/16t")),
    "guard": st.booleans(),
    "programs": st.booleans(),
    "pickup": st.booleans(),
    "controls": st.sampled_from(({}, {"mode": 20, "channel": 21, "thru": {"control": 22, "channel": 1}, "low": 23})),
}


class Session(RuleBasedStateMachine):
    """One session: a player, a user who changes everything, and a synth."""

    @initialize(
        models=st.lists(st.sampled_from(sorted(MODELS)), min_size=1, max_size=3),
        mode=st.sampled_from(MODES),
        thru=st.booleans(),
        seed=st.integers(0, 5),
    )
    def begin(self, models: list[str], mode: str, thru: bool, seed: int) -> None:
        chosen = [MODELS[name] for name in models]
        self.desk = Desk(*chosen, seed=seed, check_every_send=True, foretells=True, mode=mode, thru=thru)
        self.keys: set[tuple[int, int]] = set()
        self.pedals: set[tuple[int, int]] = set()
        self.bends: set[int] = set()

    def hear(self, event: Event | Transport, after: float) -> None:
        """Let the player do something on the input that the event's lane says."""
        if isinstance(event, Event):
            self.desk.hear(to_send(event), after, input_of(event.channel))
        else:
            self.desk.hear(event, after)

    @rule(channel=CHANNELS, pitch=PITCHES, velocity=st.integers(1, 127), after=st.sampled_from((0.0, 0.01, 0.2)))
    def press(self, channel: int, pitch: int, velocity: int, after: float) -> None:
        self.keys.add((channel, pitch))
        self.hear(NoteOn(channel, pitch, velocity), after)

    @rule(channel=CHANNELS, pitch=PITCHES)
    def release(self, channel: int, pitch: int) -> None:
        """Release a key, whether or not it was down."""
        self.keys.discard((channel, pitch))
        self.hear(NoteOff(channel, pitch), 0.1)

    @rule(channel=CHANNELS, pedal=st.sampled_from((64, 66, 67)), value=VALUES)
    def step_on(self, channel: int, pedal: int, value: int) -> None:
        (self.pedals.add if value else self.pedals.discard)((channel, pedal))
        self.hear(ControlChange(channel, pedal, value), 0.05)

    @rule(channel=CHANNELS, value=st.sampled_from((-8192, -1, 0, 8191)))
    def bend(self, channel: int, value: int) -> None:
        (self.bends.add if value else self.bends.discard)(channel)
        self.hear(PitchBend(channel, value), 0.0)

    @rule(
        event=st.one_of(
            st.builds(ControlChange, CHANNELS, st.sampled_from((1, 7, 11, 20, 21, 22, 23, 122)), VALUES),
            st.builds(ProgramChange, CHANNELS, VALUES),
            st.builds(ChannelPressure, CHANNELS, VALUES),
            st.builds(KeyPressure, CHANNELS, PITCHES, VALUES),
        )
    )
    def do_something_else(self, event: Event) -> None:
        self.hear(event, 0.0)

    @rule(manager=st.sampled_from((0, 15)), members=st.integers(0, 15))
    def configure_a_zone(self, manager: int, members: int) -> None:
        """An MPE keyboard says which channels its notes are on."""
        for control, value in ((101, 0), (100, 6), (6, members)):
            self.desk.hear(ControlChange(manager, control, value), 0.0)

    @rule(change=st.sampled_from(sorted(CHANGES)).flatmap(lambda name: st.tuples(st.just(name), CHANGES[name])))
    def change(self, change: tuple[str, Any]) -> None:
        with contextlib.suppress(ConfigError):  # low above high
            self.desk.change(*change)

    @rule(models=st.lists(st.sampled_from(sorted(MODELS)), max_size=3))
    def swap(self, models: list[str]) -> None:
        self.desk.swap(*(MODELS[name] for name in models))

    @rule()
    def panic(self) -> None:
        self.desk.panic()
        assert self.desk.synth.at_rest
        assert self.desk.performer.ledger.silent

    @rule(channel=CHANNELS, control=st.sampled_from((120, 123, 124, 125, 126, 127)))
    def end_the_notes_of_a_channel(self, channel: int, control: int) -> None:
        self.keys = {key for key in self.keys if key[0] != channel}
        self.hear(ControlChange(channel, control, 0), 0.0)

    @rule(control=st.sampled_from((120, 123)))
    def end_the_notes_of_all_channels(self, control: int) -> None:
        """What a sequencer sends where it stops: nothing sounds but replies, and (after 123) what pedals keep."""
        if control == 120:
            self.desk.change("input_channel", 0)
        for channel in range(32):
            self.end_the_notes_of_a_channel(channel, control)
        parameters = self.desk.performer.parameters
        if control == 123 and parameters.delay:
            self.desk.wait(0.5)
        if parameters.mode in ("shadow", "mute") and (control == 120 or parameters.quantise == "off"):
            assert not self.desk.synth.keys
            assert control == 123 or not self.desk.synth.kept

    @rule(channel=CHANNELS)
    def reset_all_controllers(self, channel: int) -> None:
        self.pedals = {pedal for pedal in self.pedals if pedal[0] != channel}
        self.bends.discard(channel)
        self.hear(ControlChange(channel, 121, 0), 0.0)

    @rule(number=st.integers(0, 1))
    def unplug(self, number: int) -> None:
        """One keyboard is gone: what the other holds goes on."""
        self.keys = {key for key in self.keys if input_of(key[0]) != number}
        self.pedals = {pedal for pedal in self.pedals if input_of(pedal[0]) != number}
        self.bends = {lane for lane in self.bends if input_of(lane) != number}
        self.desk.send(self.desk.performer.lose(self.desk.now, number))

    @rule(seconds=st.sampled_from((0.1, 0.3, 0.7)), number=st.integers(0, 1))
    def sense(self, seconds: float, number: int) -> None:
        """A keyboard says that it is there, perhaps for the last time."""
        self.desk.performer.sense(self.desk.now, number, promised=True)
        self.desk.wait(seconds)

    @rule()
    def lose_the_source(self) -> None:
        """The cable is pulled out: what the keys and pedals hold is released by itself."""
        for number in (0, 1):
            self.desk.performer.sense(self.desk.now, number, promised=True)
        self.desk.wait(5.0)
        self.keys.clear()
        self.pedals.clear()
        self.bends.clear()
        if self.desk.performer.parameters.mode in ("shadow", "mute"):
            assert self.desk.synth.at_rest
            assert self.desk.performer.ledger.silent

    @rule(ticks=st.integers(1, 30), first=st.sampled_from((Start(), Continue(), Stop(), Tick())))
    def tick(self, ticks: int, first: Transport) -> None:
        self.hear(first, 0.0)
        for _ in range(ticks):
            self.desk.wait(0.02)
            self.hear(Tick(), 0.0)

    @rule(seconds=st.sampled_from((0.1, 0.5, 2.0, 10.0)))
    def wait(self, seconds: float) -> None:
        self.desk.wait(seconds)

    @rule(seconds=st.sampled_from((0.5, 2.0, 60.0)))
    def sleep_and_wake_late(self, seconds: float) -> None:
        """Time passes, but the machine was asleep: what was due is due all at once."""
        self.desk.now += seconds
        self.desk.send(self.desk.performer.advance(self.desk.now).events)

    @precondition(lambda self: self.keys or self.pedals or self.bends)
    @rule()
    def let_go_of_everything(self) -> None:
        """All keys up, all pedals up, the wheel at rest: nothing may sound but a reply, and that is over when muted."""
        for channel, pitch in sorted(self.keys):
            self.release(channel, pitch)
        for channel, pedal in sorted(self.pedals):
            self.step_on(channel, pedal, 0)
        for channel in sorted(self.bends):
            self.bend(channel, 0)
        mode = self.desk.performer.parameters.mode
        if mode == "answer":
            self.desk.wait(60.0)
        elif mode == "solo":
            self.desk.change("mode", "mute")
            self.desk.change("mode", "solo")
        else:
            self.desk.wait(5.0)  # for answers that wait for the grid
        assert self.desk.synth.at_rest
        assert self.desk.performer.ledger.silent

    @invariant()
    def every_message_is_balanced(self) -> None:
        """No key is started twice or ended without having been started."""
        if hasattr(self, "desk"):
            assert not self.desk.synth.errors

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.let_go_of_everything()
            self.desk.panic()
            assert self.desk.synth.at_rest


Session.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestNeverStuck = Session.TestCase
