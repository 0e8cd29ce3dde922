"""Pipes that are written to without waiting: by the system itself, and by a thread where the system cannot."""

import contextlib
import os
from collections.abc import Iterator

import pytest

from improviser.engine.protocol import FrameReader, Lost, Noticed, Reporter, decode_report
from improviser.pipes import Direct, Threaded, never_waiting

REPORTS = [Noticed(f"{number:06}" * 20) for number in range(3000)]


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    both = os.pipe()
    yield both
    for end in both:
        with contextlib.suppress(OSError):  # the test has closed it
            os.close(end)


@pytest.mark.unix
def test_the_system_does_it_where_it_can(ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "set_blocking"):
        pytest.skip("this system cannot")
    assert isinstance(never_waiting(ends[1]), Direct)
    monkeypatch.delattr(os, "set_blocking")
    assert isinstance(never_waiting(ends[1]), Threaded)


def test_a_thread_writes_all_in_order_however_slow_the_reader_is(ends: tuple[int, int]) -> None:
    pipe, data = Threaded(ends[1]), bytes(range(256)) * 4096
    waiting, got, full = data, b"", 0
    os.set_blocking(ends[0], False)  # reader and writer are one here: neither may wait for the other
    while len(got) < len(data):
        try:
            while waiting:
                waiting = waiting[pipe.write(waiting) :]
        except BlockingIOError:
            full += 1
        with contextlib.suppress(BlockingIOError):
            got += os.read(ends[0], 10_000)
    assert got == data
    assert full  # it had to be waited for, and nobody but the thread did


def test_what_a_thread_holds_leaves_before_the_end(ends: tuple[int, int]) -> None:
    pipe = Threaded(ends[1])
    pipe.write(b"goodbye")
    pipe.drain(60.0)
    os.set_blocking(ends[0], False)
    assert os.read(ends[0], 100) == b"goodbye"


def test_without_a_reader_a_thread_says_so(ends: tuple[int, int]) -> None:
    pipe = Threaded(ends[1])
    os.close(ends[0])
    pipe.write(b"anybody?")
    pipe.drain(60.0)
    with pytest.raises(OSError, match=r"Broken pipe|Invalid argument"):  # Windows says the second
        pipe.write(b"anybody?")


def test_reports_by_a_thread_wait_for_nobody_and_what_is_too_much_is_counted(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("improviser.engine.protocol.never_waiting", Threaded)
    reporter, reader = Reporter(ends[1], room=10_000), FrameReader()
    for report in REPORTS:
        reporter.send(report)
    last = Noticed("the last")
    got: list[object] = []

    def take() -> None:
        with contextlib.suppress(BlockingIOError):
            got.extend(map(decode_report, reader.feed(os.read(ends[0], 1 << 20))))

    os.set_blocking(ends[0], False)
    while not reporter.flush():
        take()
    reporter.send(last)
    while last not in got:
        take()
    whole = [report for report in got if isinstance(report, Noticed)]
    lost = sum(report.count for report in got if isinstance(report, Lost))
    assert 0 < lost == len(REPORTS) + 1 - len(whole)  # what is lost may be so at several times: the thread goes on
    in_order = iter([*REPORTS, last])
    assert all(report in in_order for report in whole)
