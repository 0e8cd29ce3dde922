"""A real engine over loopback lives through whatever comes over the wire, and answers the next note."""

import random
from pathlib import Path

import pytest

from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import Hear, Panic, Step
from tests.engine.test_note_path import Reports, opening, play
from tests.fuzz.live_kinds import WireBytes, left_sounding, unsound
from tests.playing import write_small_model

GAP_SECONDS = 0.02


@pytest.mark.parametrize("mode", ["shadow", "answer"])
def test_an_engine_lives_through_whatever_comes(mode: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    rng = random.Random(f"engine {mode} {pytestconfig.getoption('fuzz_seed')}")
    messages = [bytes(WireBytes.message(rng)) for _ in range(pytestconfig.getoption("fuzz_cases"))]
    opened = opening(write_small_model(tmp_path / "small.safetensors"), parameters={"mode": mode})

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        for number, message in enumerate(messages):
            engine.send(Hear(number * GAP_SECONDS, message))
        engine.send(Panic())
        now = len(messages) * GAP_SECONDS + 60
        engine.send(Hear(now, bytes((0xB0, 123, 0))))
        engine.send(Hear(now, bytes((0x90, 64, 80))))
        engine.send(Hear(now + 0.2, bytes((0x80, 64, 64))))
        await reports.until(lambda told: bool(told.steps) and told.steps[-1].heard == bytes((0x80, 64, 64)), 60.0)
        engine.send(Panic())

    reports = play(opened, scene)
    last = [report for report in reports if isinstance(report, Step)][-2:]
    assert [step.heard for step in last] == [bytes((0x90, 64, 80)), bytes((0x80, 64, 64))]
    if mode == "shadow":
        assert any(message[0] & 0xF0 == 0x90 for message in last[0].played)
    assert unsound(reports.sent) == []
    assert left_sounding(reports.sent) == set()
