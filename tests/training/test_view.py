"""What a training run shows: JSON, plain lines, and the panel with its curve."""

import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from improviser.training.generations import Generation, Limits
from improviser.training.progress import watched
from improviser.training.view import BLOCKS, JsonView, PlainView, TerminalView, curve_of, steps_shown, view_for

GENERATION = Generation(5, 0.5, 0.25, math.nan, 1000, 0.125, True)


def test_json_is_one_object_for_each_generation(capsys: pytest.CaptureFixture[str]) -> None:
    with JsonView(1) as view:
        view.show(0, GENERATION)
    row = json.loads(capsys.readouterr().out)
    assert row == {
        "generation": 5,
        "best": 0.5,
        "mean": 0.25,
        "held_out": None,
        "evaluations": 1000,
        "seconds": 0.125,
        "champion": True,
    }
    with JsonView(3) as view:
        view.show(2, GENERATION)
    assert json.loads(capsys.readouterr().out)["member"] == 2


def test_plain_lines_are_few_and_the_last_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainView(1) as view:
        for number in range(1, 1001):
            view.show(0, Generation(number, 0.5, 0.25, 0.1, 10, 0.001, False))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 100
    assert lines[-1].startswith("generation 1000: best 0.5000")


def test_the_panel_shows_fitness_speed_time_left_and_the_curve() -> None:
    console = Console(file=io.StringIO(), width=90, force_terminal=True, color_system=None)
    view = TerminalView(Limits(generations=10), 2, "evolving echo", console)
    with view:
        for number in range(1, 6):
            view.show(1, Generation(number, number / 10, 0.05, 0.3, 200 * number, 2.0, True))
        console.print(view.render())
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for words in ("evolving echo, member 2 of 2", "0.5000", "0.3000", "100 networks/s", "0:10", "█"):
        assert words in shown


def test_the_view_fits_the_place() -> None:
    assert isinstance(view_for(Limits(1), 1, as_json=True, title=""), JsonView)
    assert isinstance(view_for(Limits(1), 1, as_json=False, title=""), PlainView)


@given(st.lists(st.floats(width=32), max_size=200), st.integers(1, 70), st.integers(1, 8))
def test_a_curve_fits_its_frame(values: list[float], width: int, height: int) -> None:
    lines = curve_of(values, width, height)
    assert len(lines) == height
    assert all(len(line) <= width and set(line) <= set(BLOCKS) for line in lines)


def test_a_curve_rises_to_the_right() -> None:
    assert curve_of([0, 1, 2, 3], 4, 2) == ["  ▃█", "▁▆██"]
    assert curve_of([0.0, math.nan, 1.0], 3, 1) == ["▁ █"]


def test_long_steps_are_shown_on_a_terminal_and_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    stream = io.StringIO()
    with steps_shown(stream) as progress:
        for _ in watched(range(1000), "reading files", progress):
            pass
        progress("finding voices", 0.5)
    shown = stream.getvalue()
    assert "reading files" in shown
    assert "100%" in shown
    assert shown.count("reading files") < 100
    assert shown.endswith("\x1b[2K")


def test_long_steps_print_nothing_elsewhere() -> None:
    stream = io.StringIO()
    with steps_shown(stream) as progress:
        assert list(watched("abc", "reading files", progress)) == ["a", "b", "c"]
    assert stream.getvalue().strip() == ""


def test_what_is_watched_tells_how_much_is_done() -> None:
    told: list[tuple[str, float]] = []
    assert list(watched([1, 2], "step", lambda step, done: told.append((step, done)))) == [1, 2]
    assert list(watched([], "nothing", lambda step, done: told.append((step, done)))) == []
    assert told == [("step", 0.0), ("step", 0.5), ("step", 1.0), ("nothing", 1.0)]
