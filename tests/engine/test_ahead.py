"""Answers that leave before their notes are heard: what is sent, entered and told, and what a mistake would come to."""

import os
import time
from collections.abc import Iterator, Sequence

import pytest

from improviser.core.live.output.ledger import Ledger
from improviser.core.midi.event import Event, NoteOn
from improviser.engine import note_path
from improviser.engine.frames import FrameReader, decode_report
from improviser.engine.note_path import Engine
from improviser.engine.protocol import EndAgain, Lose, Open, Panic, Step
from improviser.engine.reporter import Reporter
from improviser.ports.interface import LoopbackPorts
from tests.jack_peer import held
from tests.playing import note_off, note_on

TUNE = (60, 62, 64, 65, 67, 65, 64, 62)


class Wire(LoopbackPorts):
    """Ports that keep what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def send(self, message: bytes) -> None:
        self.sent.append(message)


class Bench:
    """An engine of which each thread's part is done by hand."""

    def __init__(self, wire: Wire, descriptors: tuple[int, int]) -> None:
        self.wire = wire
        self._reports = descriptors[0]
        self.ledger = Ledger()
        every = {"follow": "every"}
        opening = Open("loopback", "test", ["auto"], ["auto"], ["bach-bass"], every, 1, time.perf_counter())
        self.engine = Engine(opening, self.ledger, Reporter(descriptors[1]))

    def hear(self, message: Sequence[int]) -> list[bytes]:
        """Let the backend's thread hear; return what leaves at once."""
        start = len(self.wire.sent)
        self.engine.overhear(bytes(message), 0.0)
        return self.wire.sent[start:]

    def do_the_rest(self) -> list[Step]:
        """Let the main thread do what waits for it, and think to the end; return what it reports of notes."""
        with self.engine._turn:
            self.engine._settle()
            self.engine._reporter.flush()
            self.engine._reporter._pipe.drain(10.0)
        while self.engine._think():
            pass
        try:
            data = os.read(self._reports, 1 << 16)
        except BlockingIOError:
            return []
        return [step for step in map(decode_report, FrameReader().feed(data)) if isinstance(step, Step)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    wire = Wire()
    monkeypatch.setattr(note_path, "open_ports", lambda *_, **__: wire)
    descriptors = os.pipe()
    os.set_blocking(descriptors[0], False)
    yield Bench(wire, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def test_an_answer_leaves_before_its_note_is_heard_and_is_entered_for_survivors(bench: Bench) -> None:
    for pitch in TUNE:
        (answer,) = bench.hear(note_on(pitch))
        assert (0, answer[1]) in bench.ledger.sounding
        (step,) = bench.do_the_rest()
        assert (step.heard, step.played) == (bytes(note_on(pitch)), [answer])
        assert (0, answer[1]) in bench.ledger.sounding
        (end,) = bench.hear(note_off(pitch))
        assert end[1] == answer[1]
        (step,) = bench.do_the_rest()
        assert step.played == [end]
        assert bench.ledger.silent
    assert not held(bench.wire.sent)


def test_the_next_message_finds_the_note_heard(bench: Bench) -> None:
    """The main thread has had no time: a chord, and a release right after the first of it."""
    bench.do_the_rest()
    for pitch in (60, 64, 67):
        assert len(bench.hear(note_on(pitch))) == 1
    for pitch in (60, 64, 67):
        assert len(bench.hear(note_off(pitch))) == 1
    steps = bench.do_the_rest()
    assert [step.heard[1] for step in steps] == [60, 64, 67, 60, 64, 67]
    assert [message for step in steps for message in step.played] == bench.wire.sent
    assert not held(bench.wire.sent)
    assert bench.ledger.silent


def test_a_note_that_should_not_have_been_sent_is_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.do_the_rest()
    wrong: list[Event] = [NoteOn(0, 100, 80)]
    monkeypatch.setattr(bench.engine._performer, "foretell", lambda *_, **__: (wrong, True), raising=False)
    assert bench.hear(note_on(60)) == [bytes((0x90, 100, 80))]
    assert bench.ledger.sounding == [(0, 100)]
    (step,) = bench.do_the_rest()
    assert step.played == bench.wire.sent
    assert [held_note for held_note in held(step.played) if held_note[1] == 100] == []
    monkeypatch.undo()
    bench.hear(note_off(60))
    bench.do_the_rest()
    assert not held(bench.wire.sent)
    assert bench.ledger.silent


def test_a_panic_ends_what_was_sent_ahead(bench: Bench) -> None:
    bench.do_the_rest()
    bench.hear(note_on(60))
    with bench.engine._turn:
        bench.engine._panic()
    assert not held(bench.wire.sent)
    assert bench.ledger.silent


@pytest.mark.parametrize("command", [Panic(), Lose(0)])
def test_what_ends_notes_also_ends_those_that_came_in_before_it_and_wait(bench: Bench, command: Panic | Lose) -> None:
    """Their source is gone, and sends no end: as in a flood, or when there was no time to answer at once."""
    bench.do_the_rest()
    bench.hear(note_on(60))
    bench.engine._gate._at_once = 0  # what comes in is left to the main thread from here on
    for pitch in (64, 67):
        assert bench.hear(note_on(pitch)) == []
    bench.engine.obey(command)
    if isinstance(command, Panic):
        assert not held(bench.wire.sent)  # at once, however long the flood is
    bench.engine._catch_up()
    assert sum(message[0] == 0x90 for message in bench.wire.sent) == 3
    assert not held(bench.wire.sent)
    assert bench.ledger.silent


def test_ends_that_may_not_have_arrived_are_sent_again_but_for_what_sounds(bench: Bench) -> None:
    (answer,) = bench.hear(note_on(60))
    bench.do_the_rest()
    sounding, other = bytes(note_off(answer[1])), bytes(note_off(answer[1] + 1))
    bench.wire.sent.clear()
    bench.engine.obey(EndAgain([sounding, other, b"\xb0\x40\x00"]))
    assert bench.wire.sent == [other, b"\xb0\x40\x00"]
    assert (0, answer[1]) in bench.ledger.sounding
    bench.hear(note_off(60))
    bench.do_the_rest()
    bench.wire.sent.clear()
    bench.engine.obey(EndAgain([sounding, other]))
    assert bench.wire.sent == [sounding, other]
    assert bench.ledger.silent
