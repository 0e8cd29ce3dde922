"""The public performer and the engine: the same stamped input, the same output."""

import time
from typing import Any

import numpy as np
import pytest

import improviser
from improviser.engine.handle import EngineProcess
from improviser.engine.protocol import Applied, Change, Hear, Swap
from tests.engine.test_note_path import Reports, opening, play

MODELS = ["bach-melody", "bach-bass"]
KEYS = (57, 60, 62, 64, 65, 67)
SETTINGS: dict[str, dict[str, Any]] = {
    "shadow": {"delay": 0.125, "thru": True, "controls": {"density": 20, "transpose": 21}},
    "clocked": {"quantise": "1/8", "density": 0.8, "release_after": 2.0},
    "answer": {"mode": "answer", "scale": "auto"},
    "solo": {"mode": "solo", "velocity_scale": 0.5, "release_after": 3.0},
}


def stream(seed: int) -> list[tuple[float, bytes]]:
    """Return 400 stamped messages: notes, pedals, knobs, clock, active sensing, silences, and garbage between."""
    rng = np.random.default_rng(seed)
    heard: list[tuple[float, bytes]] = []
    now = 1.0
    for _ in range(400):
        now += float(rng.choice([0.0, 0.02, 0.1, 0.25, 0.4, 1.1, 6.0], p=[0.15, 0.25, 0.25, 0.2, 0.1, 0.03, 0.02]))
        pitch, value = int(rng.choice(KEYS)), int(rng.integers(1, 128))
        kinds = [
            bytes((0x90, pitch, value)),
            bytes((0x80, pitch, value)),
            bytes((0x90, pitch, 0)),
            bytes((0xB0, int(rng.choice([1, 20, 21, 64, 66, 121, 123])), int(rng.choice([0, value, 127])))),
            bytes((0xE0, 0, value)),
            bytes((int(rng.choice([0xF8, 0xFA, 0xFC])),)),
            b"\xfe",
            rng.integers(0, 256, int(rng.integers(0, 6)), dtype=np.uint8).tobytes(),
            bytes((0x90, pitch, value, pitch + 4, value)) + b"\xf8",
        ]
        chances = [0.35, 0.25, 0.06, 0.07, 0.03, 0.1, 0.04, 0.06, 0.04]
        heard.append((now, kinds[int(rng.choice(len(kinds), p=chances))]))
    return [*heard, (now + 30, b"\xfe")]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_engine_plays_what_the_public_performer_plays(name: str) -> None:
    heard = stream(len(name))
    done = (heard[-1][0] + 1, b"\xb0\x03\x07")

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        engine.send(Change("temperature", 1.5))
        engine.send(Change("mode", "dance"))
        engine.send(Swap(MODELS[::-1]))
        await reports.until(lambda told: sum(isinstance(report, Applied) for report in told) == 3)
        for stamp, message in [*heard, done]:
            engine.send(Hear(stamp, message))
        await reports.until(lambda told: any(step.stamp == done[0] for step in told.steps))

    # Before its time has come, nothing is due by the engine's own clock: what happens is what stamps say.
    epoch = time.perf_counter() + 1000
    reports = play(opening("", models=MODELS, parameters=SETTINGS[name], seed=5, epoch=epoch), scene)
    applied = [report for report in reports if isinstance(report, Applied)]

    performer = improviser.Performer([improviser.load_model(model) for model in MODELS], seed=5, **SETTINGS[name])
    played = performer.change("temperature", 1.5, applied[0].stamp)
    with pytest.raises(improviser.errors.ConfigError) as refused:
        performer.change("mode", "dance", applied[1].stamp)
    assert str(refused.value) == applied[1].error
    played += performer.swap([improviser.load_model(model) for model in MODELS[::-1]], applied[2].stamp)
    for stamp, message in [*heard, done]:
        played += performer.hear(message, stamp)
    played += performer.panic()
    assert len([message for message in played if message[0] & 0xF0 == 0x90]) > 60
    assert [message.hex() for message in reports.sent] == [message.hex() for message in played]
