"""Pictures: well-formed, complete, in the frame, harmless."""

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.panel import Panel

from improviser.core.music.note import Note
from improviser.show.picture import (
    LEFT,
    MOST_TIES,
    PLOT_HEIGHT,
    RIGHT,
    TOP,
    WIDTH,
    CurvePoint,
    session_picture,
    terminal_picture,
    training_curve,
)

SVG = "{http://www.w3.org/2000/svg}"
MELODY = (Note(72, 0.0, 0.5, 100), Note(74, 0.5, 0.5, 40), Note(76, 1.0, 3.0, 80))
BASS = (Note(48, 0.0, 0.5, 90), Note(43, 0.51, 0.5, 50))


def drawn(svg: str, tag: str, kind: str) -> list[ET.Element]:
    """Return the elements of one class; those of the legend are in groups, and left out."""
    root = ET.fromstring(svg)  # noqa: S314 – our own picture
    return [element for element in root.findall(SVG + tag) if kind in element.get("class", "").split()]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "nan"))


def test_every_note_is_drawn_where_it_belongs() -> None:
    svg = session_picture(MELODY, BASS, "A session")
    player, improviser = (drawn(svg, "rect", part) for part in ("player", "improviser"))
    assert (len(player), len(improviser)) == (3, 2)
    x, y = ([number(bar, axis) for bar in player] for axis in "xy")
    assert x[0] < x[1] < x[2]
    assert x[1] - x[0] == pytest.approx(x[2] - x[1], abs=0.02)
    assert y[0] > y[1] > y[2]
    assert y[0] - y[1] == pytest.approx(y[1] - y[2], abs=0.02)
    assert number(improviser[0], "x") == x[0]
    assert number(improviser[0], "y") > y[0]
    assert number(player[2], "width") > 5 * number(player[0], "width")
    assert number(player[0], "opacity") > number(player[1], "opacity")


def test_axes_title_and_legend_are_there() -> None:
    said = texts(session_picture(MELODY, BASS, "A session"))
    assert {"A session", "Player, 3 notes", "Improviser, 2 notes", "time in seconds", "C4", "C5"} <= set(said)
    assert {"0", "1", "2", "3", "4"} <= set(said)


def test_answers_are_tied_to_their_notes() -> None:
    ties = drawn(session_picture(MELODY, BASS, ""), "line", "tie")
    assert len(ties) == 2
    assert all(number(tie, "x1") == number(tie, "x2") for tie in ties)
    crowd = tuple(Note(48, index * 0.5, 0.3) for index in range(MOST_TIES + 1))
    assert drawn(session_picture(crowd, crowd, ""), "line", "tie") == []


def test_long_sessions_count_minutes_and_hours() -> None:
    assert {"1:00", "5:00"} <= set(texts(session_picture([Note(60, 0, 300)], [], "")))
    assert "1:00 h" in texts(session_picture([Note(60, 0, 3 * 3600)], [], ""))


def test_no_notes_are_a_picture_too() -> None:
    said = texts(session_picture([], [], "Silence"))
    assert {"Silence", "Player, 0 notes", "C4"} <= set(said)


def test_titles_cannot_break_out() -> None:
    svg = session_picture([], [], '</text><script>alert("x")</script>&\x1b\x00' + "y" * 200)
    assert not drawn(svg, "script", "")
    assert "<script" not in svg
    assert any(text.startswith('</text><script>alert("x")') and text.endswith("…") for text in texts(svg))


def test_nothing_is_fetched() -> None:
    for svg in (
        session_picture(MELODY, BASS, ""),
        training_curve([CurvePoint(0, 1.0)], ""),
        terminal_picture(Panel("hello"), "x"),
    ):
        assert "url(http" not in svg
        assert "href" not in svg
        assert "@import" not in svg


NOTES = st.lists(
    st.builds(Note, st.integers(0, 127), st.floats(0, 5000), st.floats(0, 100), st.integers(1, 127)), max_size=12
)


@settings(deadline=None)
@given(NOTES, NOTES, st.text(max_size=90))
def test_notes_stay_in_the_frame(player: list[Note], improviser: list[Note], title: str) -> None:
    svg = session_picture(player, improviser, title)
    bars = drawn(svg, "rect", "player") + drawn(svg, "rect", "improviser")
    assert len(bars) == len(player) + len(improviser)
    for bar in bars:
        assert LEFT <= number(bar, "x") <= number(bar, "x") + number(bar, "width") <= WIDTH - RIGHT + 2
        assert TOP <= number(bar, "y") <= number(bar, "y") + number(bar, "height") <= TOP + PLOT_HEIGHT


def test_curve_shows_what_there_is() -> None:
    points = [CurvePoint(index, index / 10, index / 20, index / 15) for index in range(100)]
    svg = training_curve(points, "Evolved", measure="bits")
    assert [len(drawn(svg, "path", kind)) for kind in ("best", "mean", "held")] == [1, 1, 1]
    said = texts(svg)
    assert {"Evolved", "best", "mean of the population", "best on held-out notes", "generation", "bits"} <= set(said)
    assert {"0", "20", "40", "60", "80", "2", "4", "8"} <= set(said)
    svg = training_curve([CurvePoint(0, 1.0), CurvePoint(1, 2.0)], "")
    assert [len(drawn(svg, "path", kind)) for kind in ("best", "mean", "held")] == [1, 0, 0]
    assert "best on held-out notes" not in texts(svg)


def test_gaps_break_the_line() -> None:
    points = [CurvePoint(index, math.nan if index == 5 else float(index)) for index in range(10)]
    assert len(drawn(training_curve(points, ""), "path", "best")) == 2


def test_curves_are_thinned_but_end_at_the_end() -> None:
    svg = training_curve([CurvePoint(index, math.sin(index)) for index in range(50_000)], "")
    assert len(svg) < 30_000
    (path,) = drawn(svg, "path", "best")
    assert float((path.get("d") or "").rsplit("L", 1)[1].split()[0]) == WIDTH - RIGHT


@given(
    st.lists(
        st.builds(
            CurvePoint,
            st.integers(0, 10**6),
            st.floats(-1e9, 1e9) | st.just(math.nan) | st.just(-math.inf),
            st.none() | st.floats(-1e9, 1e9),
            st.none() | st.floats(-1, 1),
        ),
        max_size=9,
    )
)
@settings(deadline=None)
def test_curves_stay_in_the_frame(points: list[CurvePoint]) -> None:
    points.sort(key=lambda point: point.generation)
    svg = training_curve(points, "")
    for kind in ("best", "mean", "held"):
        for path in drawn(svg, "path", kind):
            for place in (path.get("d") or "")[1:].split("L"):
                x, y = map(float, place.split())
                assert LEFT - 0.01 <= x <= WIDTH - RIGHT + 0.01
                assert TOP - 0.01 <= y <= TOP + PLOT_HEIGHT + 0.01


def test_terminal_is_drawn_as_it_looks() -> None:
    svg = terminal_picture(Panel("hello"), "improviser demo", width=40)
    said = "".join(texts(svg))
    assert "hello" in said
    assert "improviser\xa0demo" in said or "improviser demo" in said
    assert "─" * 20 in said
    assert "@font-face" not in svg
