"""Learning knobs: what moves is what turns, whatever else the keyboard sends, and what was there before makes room."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from improviser.core.live.player.movement import ENDLESS, NUMBERED
from improviser.engine.events import event_of
from improviser.engine.protocol import Applied, Picked, Step, Turned
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.errors import ConfigError, OutputError
from improviser.session.midi_learn import PAUSE_SECONDS, Learning

FILE = Path("settings.toml")
Moves = Sequence[Sequence[int]]


def step(*message: int) -> Step:
    return Step(0.0, bytes(message), [], 0.0)


def learn(
    parameters: Sequence[str], moves: Moves, before: Mapping[str, Any] | None = None, *, full: bool = False
) -> tuple[list[str], dict[str, Any], list[dict[str, Any]]]:
    """Learn from moves, one at a time; return what was said, what is bound then, and what was kept each time."""
    kept: list[dict[str, Any]] = []

    def keep(controls: Mapping[str, Any]) -> Path:
        if full:
            raise OutputError("the disk is full")
        kept.append(dict(controls))
        return FILE

    async def run() -> tuple[list[str], dict[str, Any], list[dict[str, Any]]]:
        service = Service(Session(parameters={"controls": before or {}}))
        service._supervisor._opened.set()
        learning = Learning(parameters, keep)
        said: list[str] = []
        learning.take(event_of(step(0xB0, 77, 1)))  # before anything is to be learned
        learned = asyncio.ensure_future(learning.run(service, said.append))
        for move in moves:
            await asyncio.sleep(0.02 if move else 2 * PAUSE_SECONDS)
            if move:
                learning.take(event_of(step(*move)))
        await asyncio.wait_for(learned, 5)
        return said, dict(service.parameters.controls), kept

    return asyncio.run(run())  # a move without bytes is a pause


def test_the_first_knob_that_moves_is_the_one() -> None:
    said, controls, kept = learn(["temperature"], [(0x90, 60, 80), (0xE0, 0, 64), (0xB4, 21, 5)])
    assert controls == {"temperature": {"control": 21, "channel": 5}}
    assert kept == [controls]
    assert said == [
        "to learn temperature: move the knob, slider or button that is to turn it",
        "control 21 on channel 5 turns temperature; kept in settings.toml",
    ]


def test_what_has_a_meaning_of_its_own_is_passed_over() -> None:
    moves = [(0xB0, control, 127) for control in (0, 32, 64, 66, 67, 88, 98, 101, 120, 123, 127, 22)]
    assert learn(["low"], moves)[1] == {"low": {"control": 22, "channel": 1}}


def test_one_is_learned_after_the_other_though_the_first_goes_on_moving() -> None:
    moves = [(0xB0, 7, 1), (0xB0, 39, 1), (0xB0, 7, 2), (0xB0, 39, 5), (0xB0, 8, 1)]
    said, controls, kept = learn(["low", "high", "low"], moves)
    assert controls == {"low": {"control": 7, "channel": 1}, "high": {"control": 8, "channel": 1}}
    assert len(kept) == 2
    assert len(said) == 4


@pytest.mark.parametrize("first", [(7, 39), (39, 7)])
def test_of_a_fine_and_a_coarse_part_the_coarse_one_turns(first: Sequence[int]) -> None:
    moves = [(0xB0, control, value) for value in (70, 71, 72) for control in first]
    assert learn(["low"], moves)[1] == {"low": {"control": 7, "channel": 1}}


def test_a_knob_that_says_no_place_is_refused_in_one_line_and_another_is_waited_for() -> None:
    endless = [(0xB0, 20, 65)] * 12
    numbered = [(0xB1, 99, 1), (0xB1, 98, 8), *[(0xB1, control, 50) for control in (6, 38) * 4]]
    said, controls, _ = learn(["low"], [*endless, (), *numbered, (), (0xB0, 22, 40)])
    assert controls == {"low": {"control": 22, "channel": 1}}
    assert said[1:3] == [ENDLESS, NUMBERED]
    assert len(said) == 4


def test_who_had_the_knob_before_has_it_no_more() -> None:
    before = {"density": 21, "mode": {"control": 21, "channel": 2}, "low": 3, "high": 9}
    said, controls, _ = learn(["high"], [(0xB0, 21, 1)], {key: before[key] for key in ("density", "low", "high")})
    assert controls == {"low": 3, "high": {"control": 21, "channel": 1}}
    assert said[-1] == "control 21 on channel 1 turns high, and density no more; kept in settings.toml"
    assert learn(["high"], [(0xB0, 21, 1)], {"mode": before["mode"]})[1] == {
        "mode": before["mode"],
        "high": {"control": 21, "channel": 1},
    }


def test_what_cannot_be_kept_holds_in_this_session() -> None:
    said, controls, kept = learn(["high"], [(0xB0, 21, 1)], full=True)
    assert controls == {"high": {"control": 21, "channel": 1}}
    assert kept == []
    assert said[-1] == "control 21 on channel 1 turns high; in this session alone: the disk is full"


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ConfigError, match="--learn: no control can turn 'denstiy'; did you mean density"):
        Learning(["denstiy"], lambda _: FILE)


def test_the_engines_word_counts_for_its_successors() -> None:
    async def run() -> None:
        service = Service(Session(choices=(("a",), ("b",), ("a", "b")), models=("a", "b")))
        service._take(Turned("temperature", 2.0))
        assert service.parameters.temperature == 2.0
        service.request("temperature", 1.0, "keys")
        service._take(Turned("temperature", 3.0))  # turned before it heard of the change
        service._take(Applied("temperature", 1.0, request=1))
        assert service.parameters.temperature == 1.0
        played = []
        for picked in (Picked(1), Picked(127, 128), Picked(3)):
            service._take(picked)
            played.append(service.models)
        assert played == [("b",), ("a", "b"), ("a", "b")]

    asyncio.run(run())


def test_an_unknown_program_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        service = Service(Session(choices=(("a",), ("b",)), models=("a",)))
        for program in (7, 8, 7, 7, 8, 0, 7):
            service._take(Picked(program))

    with caplog.at_level("INFO"):
        asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == [
        *("program 8: there are 2 to pick from", "program 9: there are 2 to pick from"),
    ]
