"""The live view, drawn into consoles of a fixed size, and on a real (pseudo) terminal."""

import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment

from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.parameters.table import MODES, Parameters
from improviser.core.live.snapshot import Answer, News, Part, Setup, Snapshot, Sounded, Tally
from improviser.core.midi.event import ControlChange, NoteOff, NoteOn
from improviser.core.music.roll import SLICE_SECONDS
from improviser.show.terminal import (
    BLACK_KEY,
    BOTH,
    COLOURS,
    HEADS,
    WHITE_KEY,
    SessionScreen,
)
from improviser.show.views import LiveView, PlainView, answer_text, log_to, view_for

SETUP = Setup(("bach-bass",), api="jack", hears="nanoKEY2", plays_to="FLUID Synth")
PLAYER, IMPROVISER = COLOURS[Part.PLAYER], COLOURS[Part.IMPROVISER]
ENTER_SCREEN, LEAVE_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
SHOW_CURSOR = "\x1b[?25h"


def console(width: int = 80, height: int = 24, file: TextIO | None = None) -> Console:
    return Console(
        width=width, height=height, file=file or io.StringIO(), force_terminal=True, color_system="truecolor",
        legacy_windows=False,
    )  # fmt: skip


def drawn(snapshot: Snapshot, width: int = 80, height: int = 24) -> list[list[Segment]]:
    """Return the screen's lines."""
    where = console(width, height)
    return list(Segment.split_lines(where.render(SessionScreen(snapshot), where.options.update(height=height))))


def texts(lines: Sequence[Sequence[Segment]]) -> list[str]:
    return ["".join(segment.text for segment in line) for line in lines]


def cells(line: Sequence[Segment]) -> list[tuple[str, str | None, str | None]]:
    """Return the sign, colour and ground of each column."""
    return [
        (
            sign,
            segment.style.color.name if segment.style and segment.style.color else None,
            segment.style.bgcolor.name if segment.style and segment.style.bgcolor else None,
        )
        for segment in line
        for sign in segment.text
    ]


def session() -> Tally:
    tally = Tally()
    tally.step(1.0, NoteOn(0, 72, 80), [NoteOn(0, 48, 76)], 0.00012)
    tally.step(1.5, NoteOff(0, 72), [NoteOff(0, 48)], 0.0001)
    tally.step(1.5, NoteOn(0, 74, 90), [NoteOn(0, 43, 85)], 0.00034)
    return tally


def keyboard(lines: list[list[Segment]]) -> tuple[list[tuple[str, str | None, str | None]], ...]:
    """Return the columns of the two rows of keys, from the place where the names say they are."""
    names = next(number for number, text in enumerate(texts(lines)) if "C2" in text and "C3" in text)
    return cells(lines[names - 2]), cells(lines[names - 1])


def column(lines: list[list[Segment]], pitch: int) -> int:
    names = next(text for text in texts(lines) if "C2" in text and "C3" in text)
    return names.index("C3") + pitch - 48


def test_it_says_what_goes_on() -> None:
    said = "\n".join(texts(drawn(session().snapshot(75.0, SETUP))))
    for phrase in (
        "shadow", "bach-bass", "temperature 0.7", "1:15", "jack", "hears nanoKEY2", "plays to FLUID Synth",
        "C5 (72) v80", "→ C3 (48) v76", "0.12 ms", "D5 (74) v90", "→ G2 (43) v85",
        "heard 2", "played 2", "latency 0.12 ms", "worst 0.34", "Ctrl-C ends",
    ):  # fmt: skip
        assert phrase in said
    for phrase in ("density", "rec", "pedal", "!"):
        assert phrase not in said


def test_it_says_what_is_special() -> None:
    tally = session()
    tally.hear(2.0, ControlChange(0, 64, 127))
    tally.warn("the engine died; notes released, starting a new one")
    setup = replace(
        SETUP,
        parameters=Parameters(density=0.5, scale="D minor", bend=False, transpose=-12, controls={"mode": 3}),
        recording=True,
        models=("bach-bass", "bach-alto"),
    )
    said = "\n".join(texts(drawn(tally.snapshot(2.0, setup), 150)))
    for phrase in (
        "density 0.5 · scale D minor · transpose -12 semitones · bend off ",
        "● rec",
        "pedal",
        "! the engine died",
        "bach-bass + bach-alto",
    ):
        assert phrase in said


def test_it_says_whose_turn_it_is_and_the_key() -> None:
    tally = session()
    for pitch in (63, 67, 70, 63):
        tally.hear(2.0, NoteOn(0, pitch, 80))
    said = "\n".join(texts(drawn(tally.snapshot(2.0, replace(SETUP, parameters=Parameters(mode="answer"))))))
    assert " answer: plays " in said
    assert f"key {tally.snapshot(2.0, SETUP).key}" in said
    assert tally.snapshot(2.0, SETUP).key


def test_keys_light_up_in_two_colours() -> None:
    tally = session()
    tally.hear(1.5, NoteOn(0, 73, 80))
    lines = drawn(tally.snapshot(1.6, SETUP))
    upper, lower = keyboard(lines)
    assert upper[column(lines, 74)][2] == lower[column(lines, 74)][2] == PLAYER
    assert upper[column(lines, 43)][2] == lower[column(lines, 43)][2] == IMPROVISER
    assert upper[column(lines, 73)][2] == PLAYER
    assert lower[column(lines, 73)][2] == WHITE_KEY, "a black key does not reach down"
    assert upper[column(lines, 72)][2] == WHITE_KEY
    assert upper[column(lines, 70)][2] == BLACK_KEY
    tally.play(1.6, [NoteOn(0, 74, 80)])
    lines = drawn(tally.snapshot(1.7, SETUP))
    assert keyboard(lines)[0][column(lines, 74)][2] == BOTH


def test_notes_rise_from_their_keys() -> None:
    lines = drawn(session().snapshot(1.5 + 4 * SLICE_SECONDS, SETUP))
    rows = [cells(line)[column(lines, 74)] for line in lines[2:14]]
    assert rows[-1] == ("█", PLAYER, None)
    assert rows[-3] == ("▄", HEADS[Part.PLAYER], None), "the note's start is lighter, and nothing is above it"
    assert rows[-4][0] in " ┊"
    ended = [cells(line)[column(lines, 48)] for line in lines[2:14]]
    assert ended[-1][0] in " ┊", "an ended note has left its key"
    assert {IMPROVISER, HEADS[Part.IMPROVISER]} <= {colour for _, colour, _ in ended}


def test_the_roll_keeps_its_shape_while_it_rises() -> None:
    tally = session()
    tally.step(2.0, NoteOff(0, 74), [NoteOff(0, 43)], 0.0)

    def shape(seconds: float) -> list[tuple[str, str | None, str | None]]:
        lines = drawn(tally.snapshot(seconds, SETUP))
        rows = [cells(line)[column(lines, 74)] for line in lines[2:14]]
        return [row for row in rows if row[0] not in " ┊"]

    assert shape(2.2) == shape(2.2 + 2 * SLICE_SECONDS) == shape(2.2 + 6 * SLICE_SECONDS)


def test_notes_outside_the_keyboard_are_shown_at_its_ends() -> None:
    snapshot = Snapshot(1.0, SETUP, roll=(Sounded(Part.PLAYER, 0, 0.9), Sounded(Part.IMPROVISER, 127, 0.9)))
    lines = drawn(snapshot, 100)
    lowest = cells(lines[13])
    assert {PLAYER, HEADS[Part.PLAYER]} & {lowest[6][1], lowest[6][2]}
    assert {IMPROVISER, HEADS[Part.IMPROVISER]} & {lowest[93][1], lowest[93][2]}


NAMES = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(deadline=None)
@given(
    width=st.integers(1, 200),
    height=st.integers(1, 70),
    roll=st.lists(
        st.builds(
            lambda part, pitch, start, length: Sounded(part, pitch, start, start + length if length else None),
            st.sampled_from(Part), st.integers(0, 127), st.floats(0, 100), st.none() | st.floats(0.01, 9),
        ),
        max_size=20,
    ),
    names=st.tuples(NAMES, NAMES, NAMES, NAMES),
    seconds=st.floats(0, 1e6),
)  # fmt: skip
def test_it_always_fits(
    width: int, height: int, roll: list[Sounded], names: tuple[str, str, str, str], seconds: float
) -> None:
    setup = Setup(
        (names[1],), Parameters(mode=names[0], scale=names[3]), hears=names[2], plays_to=names[3], recording=True
    )
    heard = NoteOn(0, 60, 1)
    snapshot = Snapshot(
        seconds, setup, tuple(roll), (Answer(seconds, heard, (heard,) * 5, 9.9),), warnings=(names[0],), pedal=True
    )
    lines = drawn(snapshot, width, height)
    assert len(lines) <= height
    assert {cell_len(text) for text in texts(lines)} <= {width}
    if height >= 12:
        assert len(lines) == height
    assert all(sign.isprintable() for text in texts(lines) for sign in text)


def test_more_room_shows_more() -> None:
    tally = Tally()
    for index in range(20):
        tally.step(float(index), NoteOn(0, 60, 1), [], 0.0)
    small, large = (texts(drawn(tally.snapshot(20.0, SETUP), *size)) for size in ((80, 24), (120, 50)))
    assert len([text for text in large if "→" in text]) > len([text for text in small if "→" in text])
    assert any("C8" in text for text in large)


@pytest.mark.parametrize("failure", [None, RuntimeError])
def test_the_screen_is_given_back(failure: type[Exception] | None) -> None:
    file = io.StringIO()
    try:
        with LiveView(console(file=file)) as view:
            view.show(session().snapshot(2.0, SETUP))
            if failure:
                raise failure
    except RuntimeError:
        pass
    written = file.getvalue()
    assert written.index(ENTER_SCREEN) < written.index("bach-bass") < written.index(LEAVE_SCREEN)
    assert written.rindex(SHOW_CURSOR) > written.index("bach-bass")


class BrokenFile(io.StringIO):
    """A terminal that is closed under the view."""

    broken = False

    def write(self, text: str, /) -> int:
        if self.broken:
            raise OSError(5, "Input/output error")
        return super().write(text)


@pytest.mark.parametrize("make", [LiveView, PlainView])
def test_a_closed_terminal_does_not_end_the_session(make: Callable[[Console], LiveView | PlainView]) -> None:
    file = BrokenFile()
    tally = session()
    with make(console(file=file)) as view:
        for answer in tally.snapshot(2.0, SETUP).answers:
            view.answered(answer)
        view.show(tally.snapshot(2.0, SETUP))
        before = file.getvalue()
        file.broken = True
        for answer in tally.snapshot(2.0, SETUP).answers:
            view.answered(answer)
        view.show(tally.snapshot(3.0, SETUP))
    assert "C5" in before
    assert file.getvalue() == before


def test_plain_lines() -> None:
    file = io.StringIO()
    with PlainView(Console(file=file)) as view:
        view.answered(Answer(3.2141, NoteOn(0, 75, 80), (NoteOn(0, 48, 76), NoteOn(0, 54, 7)), 0.0001))
        view.show(session().snapshot(2.0, SETUP))
        view.answered(Answer(13.0, NoteOn(0, 60, 80), (), 0.0001))
    assert file.getvalue() == (
        "   3.214 s  heard Eb5 (75) v80  played C3 (48) v76, F#3 (54) v7\n"
        "  13.000 s  heard C4 (60) v80  played nothing\n"
    )
    assert answer_text(Answer(0.0, NoteOn(0, 70, 1), (), 0.0)).isascii()


def test_plain_lines_warn_once(capsys: pytest.CaptureFixture[str]) -> None:
    tally = session()
    with PlainView(Console(file=io.StringIO())) as view:
        view.show(tally.snapshot(1.0, SETUP))
        for name in "abcdefgh":
            tally.warn(f"{name} is gone")
            view.show(tally.snapshot(1.0, SETUP))
            view.show(tally.snapshot(1.0, SETUP))
        tally.warn("h is gone")
        tally.warn("i is gone")
        view.show(tally.snapshot(1.0, SETUP))
    assert capsys.readouterr().err == "".join(f"improviser: {name} is gone\n" for name in "abcdefghhi")


def test_logs_go_elsewhere_for_a_while() -> None:
    taken: list[str] = []
    log = logging.getLogger("improviser")
    before = logging.getLogger().handlers[:]
    with log_to(taken.append):
        log.warning("the engine %s", "died")
    assert taken == ["the engine died"]
    assert logging.getLogger().handlers == before


def test_logs_that_go_to_a_file_go_there_as_well(caplog: pytest.LogCaptureFixture) -> None:
    taken: list[str] = []
    with log_to(taken.append, as_well=True):
        logging.getLogger("improviser").warning("the engine died")
    assert taken == caplog.messages == ["the engine died"]


@pytest.mark.unix
def test_what_a_terminal_cannot_write_is_not_drawn_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    for encoding, expected in (("utf-8", LiveView), ("latin-1", PlainView)):
        ours, theirs = os.openpty()
        with os.fdopen(theirs, "w", encoding=encoding) as terminal:
            assert type(view_for(Console(file=terminal))) is expected
        os.close(ours)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, LiveView),
        ({"NO_COLOR": "1"}, PlainView),
        ({"TERM": "dumb"}, PlainView),
        ({"COLUMNS": "30"}, PlainView),
        ({"LINES": "8"}, PlainView),
    ],
)
def test_the_terminal_chooses_the_view(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: type
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"} | variables).items():
        monkeypatch.setenv(name, value)
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal:
        assert type(view_for(Console(file=terminal))) is expected
    os.close(ours)


def test_pipes_get_plain_lines_even_if_colour_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert type(view_for(Console(file=io.StringIO()))) is PlainView
    assert type(view_for(console())) is PlainView


def test_news_are_no_warnings() -> None:
    taken: list[str] = []
    log = logging.getLogger("improviser.test")
    log.setLevel(logging.INFO)
    with log_to(taken.append):
        log.info("recording")
        log.warning("the engine died")
    assert [isinstance(line, News) for line in taken] == [True, False]
    for line, sign in zip(taken, "·!", strict=True):
        assert f" {sign} {line}" in "\n".join(texts(drawn(Snapshot(1.0, SETUP, warnings=(line,)))))


@pytest.mark.parametrize("mode", MODES)
def test_it_invites_to_play_until_somebody_does(mode: str) -> None:
    tally, setup = Tally(), replace(SETUP, parameters=Parameters(mode=mode))
    assert MODES_BY_NAME[mode].invitation in "\n".join(texts(drawn(tally.snapshot(1.0, setup))))
    tally.step(1.0, NoteOn(0, 60, 80), [], 0.001)
    assert MODES_BY_NAME[mode].invitation not in "\n".join(texts(drawn(tally.snapshot(1.1, setup))))
