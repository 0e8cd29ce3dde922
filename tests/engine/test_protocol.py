"""The pipe between daemon and engine: frames survive any cutting, and a slow reader."""

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.engine.frames import LENGTH, MAX_FRAME, FrameReader, decode_command, decode_report, frame
from improviser.engine.protocol import AnyReport, Applied, Change, Hear, Lost, Noticed, Step, Swap
from improviser.engine.reporter import BLOCK_BYTES, Reporter

commands = st.one_of(
    st.builds(Hear, st.floats(allow_nan=False), st.binary(max_size=8)),
    st.builds(Change, st.text(max_size=9), st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=9))),
    st.builds(Swap, st.lists(st.text(max_size=9), max_size=3)),
)


@given(st.lists(commands, max_size=9), st.integers(1, 40))
def test_frames_survive_any_cutting(sent: list[Hear | Change | Swap], piece: int) -> None:
    stream = b"".join(map(frame, sent))
    reader = FrameReader()
    pieces = (stream[start : start + piece] for start in range(0, len(stream), piece))
    assert [decode_command(body) for data in pieces for body in reader.feed(data)] == sent


def test_a_report_survives() -> None:
    step = Step(1.5, b"\x90\x3c\x40", [b"\x90\x30\x40"], 0.0001)
    (body,) = FrameReader().feed(frame(step))
    assert decode_report(body) == step


def test_the_number_of_a_request_travels_and_is_nowhere_else() -> None:
    for command in (Change("density", 0.5, 7), Swap(["echo"], 7)):
        (body,) = FrameReader().feed(frame(command))
        assert decode_command(body) == command
    (body,) = FrameReader().feed(frame(Applied("density", 0.5, request=7)))
    assert decode_report(body) == Applied("density", 0.5, request=7)
    without = Applied("density", 0.5)
    (body,) = FrameReader().feed(frame(without))
    assert b"request" not in body
    assert decode_report(body) == without


def test_a_frame_out_of_all_proportion_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        list(FrameReader().feed(LENGTH.pack(MAX_FRAME + 1)))


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def read(end: int, reader: FrameReader) -> list[AnyReport]:
    """Return what is in the pipe now."""
    os.set_blocking(end, False)
    try:
        return [decode_report(body) for body in reader.feed(os.read(end, 1 << 20))]
    except BlockingIOError:
        return []


REPORTS = [Noticed(f"{number:06}" * 20) for number in range(3000)]


@pytest.mark.unix
@pytest.mark.parametrize("in_a_row", [1, 16])
def test_a_slow_reader_gets_all_in_order(pipe: tuple[int, int], in_a_row: int) -> None:
    reporter, reader = Reporter(pipe[1]), FrameReader()
    for start in range(0, len(REPORTS), in_a_row):
        with reporter.together():
            for report in REPORTS[start : start + in_a_row]:
                reporter.send(report)
    assert not reporter.flush()
    assert len(reporter._waiting) <= 2 + reporter._size // BLOCK_BYTES
    got = read(pipe[0], reader)
    assert 0 < len(got) < len(REPORTS)
    while not reporter.flush():
        got += read(pipe[0], reader)
    assert [*got, *read(pipe[0], reader)] == REPORTS


@pytest.mark.unix
def test_what_is_too_much_is_lost_and_counted(pipe: tuple[int, int]) -> None:
    reporter, reader = Reporter(pipe[1], room=10_000), FrameReader()
    for report in REPORTS:
        reporter.send(report)
    got = []
    while not reporter.flush():
        got += read(pipe[0], reader)
    got += read(pipe[0], reader)
    assert got == REPORTS[: len(got)]
    reporter.send(REPORTS[0])
    assert read(pipe[0], reader) == [Lost(len(REPORTS) - len(got)), REPORTS[0]]


def test_without_a_reader_nothing_waits() -> None:
    there, here = os.pipe()
    os.close(there)
    reporter = Reporter(here, room=10_000)
    for report in REPORTS:
        reporter.send(report)
    reporter.drain(1000.0)  # which waits for a reader, if there is one
    assert not reporter.flush()
    os.close(here)


@pytest.mark.unix
def test_a_reader_that_is_slow_but_goes_on_gets_it_all(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    reporter, reader = Reporter(pipe[1]), FrameReader()
    for report in REPORTS:
        reporter.send(report)
    got: list[AnyReport] = []
    now = 0.0

    def read_some(_: float) -> None:
        nonlocal now
        now += 0.9
        got.extend(read(pipe[0], reader))

    monkeypatch.setattr("improviser.engine.reporter.time", SimpleNamespace(monotonic=lambda: now, sleep=read_some))
    reporter.drain(1.0)
    assert now > 2.0
    assert [*got, *read(pipe[0], reader)] == REPORTS
