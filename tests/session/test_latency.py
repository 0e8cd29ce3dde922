"""The self-test: it counts what it should, and says what it could not measure. How fast we are is not asserted."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from improviser.cli import app
from improviser.session.latency import Spread
from tests.servers import JackServer, needs_rtmidi_on_jack


def run(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["latency", "--json", "--notes", "25", "--gap", "2", *arguments])
    assert result.exit_code == 0, result.output
    measured: dict[str, object] = json.loads(result.stdout)
    return measured


def assert_ordered(spread: object) -> None:
    assert isinstance(spread, dict)
    assert 0 < spread["p50"] <= spread["p99"] <= spread["p999"] <= spread["max"]


def test_inside_the_engine() -> None:
    measured = run("--model", "echo")
    assert_ordered(measured["engine_us"])
    assert (measured["notes"], measured["lost"], measured["wire_us"]) == (25, 0, None)
    assert measured["model"] == "echo"
    assert measured["load"] == []
    foreseen = measured["foreseen"]
    assert isinstance(foreseen, float)
    assert 0 <= foreseen <= 1
    assert measured["same_period"] is None


def test_with_the_daemon_busy() -> None:
    measured = run("--load")
    assert measured["lost"] == 0
    load = measured["load"]
    assert isinstance(load, list)
    assert load[0] == "display"
    assert load[1] == "mqtt" or "no broker" in load[1]


@pytest.mark.jack
def test_over_a_wire(jack_server: JackServer) -> None:
    measured = run("--api", "jack")
    assert measured["lost"] == 0
    for key in ("engine_us", "wire_us", "bare_wire_us"):
        assert_ordered(measured[key])
    same = measured["same_period"]
    assert isinstance(same, float)
    assert 0 <= same <= 1


@pytest.mark.jack
@needs_rtmidi_on_jack
def test_through_rtmidi_no_answer_is_known_to_leave_in_the_period_of_its_note(jack_server: JackServer) -> None:
    measured = run("--api", "jack-rtmidi")
    assert measured["lost"] == 0
    assert measured["same_period"] is None


@pytest.mark.jack
def test_the_table_tells_how_many_answers_leave_in_the_period_of_their_notes(jack_server: JackServer) -> None:
    result = CliRunner().invoke(app, ["latency", "--notes", "5", "--gap", "2", "--api", "jack"])
    assert result.exit_code == 0
    first = result.stdout.splitlines()[0]
    assert re.fullmatch(
        r"5 notes, \d+% foreseen, 0 lost, \d+\.\d% answered in the same period; bach-bass on jack", first
    )


def test_a_table_for_people() -> None:
    result = CliRunner().invoke(app, ["latency", "--notes", "5", "--gap", "2"])
    assert result.exit_code == 0
    first, head, engine = result.stdout.splitlines()
    assert re.fullmatch(r"5 notes, \d+% foreseen, 0 lost; bach-bass on loopback", first)
    assert head.split() == ["microseconds", "p50", "p99", "p99.9", "max"]
    assert engine.startswith("inside the engine")


@pytest.mark.parametrize("arguments", [["--model", "no such model"], ["--api", "no such api"]])
def test_what_cannot_be_measured_is_said(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["latency", *arguments])
    assert result.exit_code == 2
    assert result.output.startswith("improviser: error: ")


def test_percentiles_are_of_the_times_that_were_there() -> None:
    assert Spread.of([]) is None
    assert Spread.of([1e-6 * number for number in range(1, 1001)]) == Spread(501.0, 991.0, 1000.0, 1000.0)
