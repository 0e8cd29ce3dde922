"""The workers of a run, as one sees them: speeds of each and all, who waits, and what is said of it."""

import io

import pytest
from rich.console import Console, Group

from improviser.training.crew import WINDOW, Crew, Share, Worker
from improviser.training.generations import Generation
from improviser.training.view import JsonView, PlainView, crew_lines

NEAR, AFAR = Worker("near", 7, "a"), Worker("afar", 9, "b")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crew(clock: Clock) -> Crew:
    """One worker is always at work, the other half of the time; three calls are open, for two hands."""
    crew = Crew(clock)
    crew.hands = lambda: 2
    for _ in range(3):
        crew.begun()
    for second in range(30):
        clock.now += 1
        crew.did(NEAR, 1.0, Share(5, 1000))
        if second % 2:
            crew.did(AFAR, 1.0, Share(5, 1000))
    return crew


def test_each_has_its_speed_and_its_share_of_waiting(crew: Crew) -> None:
    afar, near = crew.paces()
    assert (near.worker, near.waiting, near.speed) == (NEAR, 0.0, Share(5, 1000))
    assert afar.worker == AFAR
    assert afar.waiting == pytest.approx(0.5, abs=0.05)
    assert afar.speed.evaluations == pytest.approx(500, rel=0.1)
    assert crew.total().generations == pytest.approx(7.5, rel=0.1)
    assert crew.waiting_calls == 1
    crew.ended()
    crew.ended()
    assert crew.waiting_calls == 0


def test_who_comes_when_there_are_as_many_as_calls_takes_the_place_of_the_most_silent(crew: Crew, clock: Clock) -> None:
    clock.now += 1
    crew.did(AFAR, 1.0, Share(5, 1000))
    other = Worker("near", 8, "c")
    crew.did(other, 1.0, Share(5, 1000))
    assert [pace.worker for pace in crew.paces()] == [AFAR, other]


def test_who_is_silent_for_long_counts_no_more(crew: Crew, clock: Clock) -> None:
    for _ in range(int(WINDOW) + 30):
        clock.now += 1
        crew.did(NEAR, 1.0, Share(5, 1000))
    assert crew.total() == Share(5, 1000)
    screen = Console(file=io.StringIO(), width=100)
    screen.print(Group(*crew_lines(crew)))
    written = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "silent for 40 s" in written
    assert "near:7" in written
    assert "1 member waits for a worker" in written


def test_it_is_part_of_what_is_printed(crew: Crew, capsys: pytest.CaptureFixture[str]) -> None:
    generation = Generation(1, 0.5, 0.4, 0.3, 20, 0.1, True)
    view = JsonView(2, crew)
    view._shown_at -= 2
    view.show(0, generation)
    view.show(1, generation)
    with PlainView(2, crew) as plain:
        plain.show(0, generation)
    first, second, line = capsys.readouterr().out.splitlines()
    assert '"name":"afar:9"' in first.replace(" ", "")
    assert '"waiting_calls":1' in first.replace(" ", "")
    assert "workers" not in second
    assert line.endswith("; 2 workers, 1,545 networks/s")


def test_without_workers_nothing_is_shown() -> None:
    assert crew_lines(None) == crew_lines(Crew()) == []
