"""Replies on the note path: thought out in quiet times, late for a moment at most, cut where a note comes; replayed."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from improviser.core.live.output.ledger import Ledger
from improviser.engine import hearing, note_path
from improviser.engine.note_path import THINKING_SECONDS, Engine
from improviser.engine.protocol import AnyReport, FrameReader, Open, Played, Reporter, Step, decode_report
from improviser.ports.interface import LoopbackPorts
from improviser.recordings.log import read_chain
from improviser.recordings.replaying import replay
from tests.jack_peer import held
from tests.playing import note_off, note_on
from tests.recordings.test_replaying import record

TUNE = (60, 62, 64, 67, 65, 64, 62, 60)


class Bench:
    """An engine in answer mode of which each thread's part is done by hand, at times of our own."""

    def __init__(self, descriptors: tuple[int, int]) -> None:
        self._reports = descriptors[0]
        self.told: list[AnyReport] = []
        opening = Open(
            "loopback", "test", ["auto"], ["auto"], ["bach-melody"], {"mode": "answer"}, 1, time.perf_counter()
        )
        self.engine = Engine(opening, Ledger(), Reporter(descriptors[1]))
        self.performer = self.engine._performer
        self.engine.start()
        self._reader = FrameReader()

    def play_tune(self, start: float) -> float:
        """Let the player play a phrase; return when the reply to it is due."""
        for place, pitch in enumerate(TUNE):
            self.hear(note_on(pitch), start + 0.3 * place)
            self.hear(note_off(pitch), start + 0.3 * place + 0.25)
        assert self.performer.deadline is not None
        return self.performer.deadline

    def hear(self, message: list[int] | tuple[int, ...] | bytes, now: float) -> None:
        self.engine._hear_or_end(bytes(message), now, time.perf_counter())
        self.engine._settle()

    def reports(self) -> list[AnyReport]:
        self.engine._reporter.drain(10.0)
        try:
            while data := os.read(self._reports, 1 << 16):
                self.told += map(decode_report, self._reader.feed(data))
        except BlockingIOError:
            pass
        return self.told

    @property
    def played(self) -> list[Played]:
        return [report for report in self.reports() if isinstance(report, Played)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(note_path, "open_ports", lambda *_, **__: LoopbackPorts())
    monkeypatch.setattr(hearing, "wait_if_late", lambda *_, **__: None)
    descriptors = os.pipe()
    os.set_blocking(descriptors[0], False)
    yield Bench(descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_reply_that_is_not_thought_out_waits_for_a_moment_and_no_longer(bench: Bench) -> None:
    due = bench.play_tune(1.0)
    bench.engine._keep_time(due, patience=THINKING_SECONDS)
    bench.engine._keep_time(due + 0.9 * THINKING_SECONDS, patience=THINKING_SECONDS)
    assert bench.played == []
    for _ in range(25):
        assert bench.performer.foresee(due)
    bench.engine._keep_time(due + 1.1 * THINKING_SECONDS, patience=THINKING_SECONDS)
    first = bench.played[0]
    assert (first.stamp, first.pieces) == (due, 24)  # one piece went by to begin
    assert first.played[0][0] == 0x90


def test_a_reply_that_is_thought_out_is_on_time_and_whole(bench: Bench) -> None:
    due = bench.play_tune(1.0)
    while bench.performer.foresee(due):
        pass
    bench.engine._keep_time(due, patience=THINKING_SECONDS)
    assert bench.played[0].stamp == due
    assert bench.played[0].pieces is msgspec.UNSET


def test_a_note_does_not_wait_for_thoughts_and_the_log_says_what_was_thought(bench: Bench, tmp_path: Path) -> None:
    due = bench.play_tune(1.0)
    for _ in range(10):
        bench.performer.foresee(due)
    bench.hear(note_on(72), due + 0.01)  # the reply has begun, with the best so far, and ends
    bench.hear(note_off(72), due + 0.2)
    second = bench.play_tune(due + 0.5)
    for _ in range(60):
        bench.performer.foresee(second)
    while (now := bench.performer.deadline) is not None:
        bench.engine._keep_time(now)
        bench.engine._settle()
    reports = bench.reports()
    cut = [report.pieces for report in bench.played if report.pieces is not msgspec.UNSET]
    assert cut == [9, 59]
    assert not held([message for report in reports if isinstance(report, Step | Played) for message in report.played])
    (log,) = record(reports, tmp_path)
    assert replay(read_chain(log)).difference is None
    log.write_bytes(log.read_bytes().replace(b'"pieces":59', b'"pieces":0'))
    assert replay(read_chain(log)).difference is not None
