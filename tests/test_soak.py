"""A short soak, and a burst: nothing grows, nothing is lost or reordered, nothing sounds for ever."""

import asyncio
from collections import Counter
from itertools import accumulate

import pytest

from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import Hear, Lost
from tests.benchmarks.deaths import survive
from tests.benchmarks.soak import PROCESSES, Part, soak
from tests.engine.test_note_path import Reports, opening, play
from tests.jack_peer import held
from tests.playing import note_off, note_on

MEGABYTE = 1_000_000
NOTES, PARTS = 8_000, 4
BURST, BURST_SECONDS = 20_000, 2.0


def test_eight_thousand_notes_leave_nothing_behind() -> None:
    told: list[Part] = []
    parts = asyncio.run(soak(NOTES, "bach-bass", PARTS, told.append))
    assert told == parts
    assert sum(part.notes for part in parts) == sum(part.answers for part in parts) == NOTES
    assert all(part.in_order and not part.unended and not part.lost for part in parts)
    if PROCESSES.is_dir():
        assert parts[0].memory > 10 * MEGABYTE
        assert parts[-1].memory - parts[0].memory < 1 * MEGABYTE


@pytest.mark.skipif(not PROCESSES.is_dir(), reason="the system does not tell what a process has")
def test_a_session_whose_engines_die_keeps_nothing_of_them() -> None:
    first, last = survive(seconds=4.0, every=1.0)
    assert last.recordings > first.recordings
    assert (last.threads, last.children, last.temporary) == (first.threads, first.children, 0)
    assert abs(last.files - first.files) <= 1  # of a recording that is being written
    assert last.memory - first.memory < 2 * MEGABYTE


def test_a_burst_of_ten_thousand_notes_a_second_is_played_in_order() -> None:
    pitches = [36 + number * 7 % 60 for number in range(BURST)]
    gap = BURST_SECONDS / BURST

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        for number, pitch in enumerate(pitches):
            engine.send(Hear(number * gap, bytes(note_on(pitch))))
            engine.send(Hear((number + 0.5) * gap, bytes(note_off(pitch))))
            if number % 1000 == 999:
                await asyncio.sleep(0)
        await reports.until(lambda told: len(told.steps) == 2 * BURST, timeout=60)
        engine.send(Hear(BURST_SECONDS + 1.0, bytes(note_on(60))))
        engine.send(Hear(BURST_SECONDS + 1.5, bytes(note_off(60))))
        await reports.until(lambda told: len(told.steps) == 2 * BURST + 2)

    reports = play(opening("bach-bass", parameters={"follow": "every"}), scene)
    assert not [report for report in reports if isinstance(report, Lost)]
    steps = reports.steps
    assert [step.heard[1] for step in steps[:-2:2]] == pitches
    assert [step.stamp for step in steps] == sorted(step.stamp for step in steps)
    assert Counter(message[0] for step in steps for message in step.played)[0x90] == BURST + 1
    assert not held(reports.sent)
    sounding = accumulate(1 if message[0] == 0x90 else -1 for message in reports.sent if message[0] in (0x80, 0x90))
    assert min(sounding) >= 0
