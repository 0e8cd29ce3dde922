"""Adapting a session to its player: what is heard comes back as an adaptation, whatever becomes of the process."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from improviser.core.live.parameters.table import Parameters
from improviser.core.melody import proving
from improviser.engine.events import event_of
from improviser.engine.protocol import MODEL, Adapt, Applied, Command, Done, Loaded, Ready, Step
from improviser.library import catalogue, former
from improviser.library.adaptations import adapted, from_bytes
from improviser.library.catalogue import load_model
from improviser.session import adapting
from improviser.session.adapting import Adapting
from improviser.session.adapting_process import Learner, Lesson
from tests.playing import note_on

LONG_SECONDS = 60.0
LINE = np.random.default_rng(3).integers(57, 82, 2000).tolist()
"""Leaps: no chorale."""


class Stand:
    """What an adapting part needs of a service."""

    def __init__(self, *models: str, adapt: str = "full") -> None:
        self.models = models
        self.parameters = Parameters(adapt=adapt)
        self.sent: list[Command] = []

    async def opened(self) -> None:
        pass

    def send(self, command: Command) -> None:
        self.sent.append(command)


def loaded(*names: str) -> list[Loaded]:
    return [Loaded(name, catalogue.digest(name)) for name in names]


def hear(part: Adapting, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        part.take(event_of(Step(0.4 * number, bytes(note_on(LINE[number % len(LINE)])), [], 0.0)))


def beside(stand: Stand, scene: Callable[[Adapting], Awaitable[None]]) -> None:
    async def run() -> None:
        part = Adapting()
        part.take(event_of(Ready("loopback", "", "", loaded(*stand.models))))
        running = asyncio.create_task(part.run(stand))  # type: ignore[arg-type]
        try:
            await asyncio.wait_for(scene(part), LONG_SECONDS)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():
        await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapting, "ROUND_NOTES", 24)
    monkeypatch.setattr(adapting, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(adapting, "NICENESS", 0)  # among other tests it would come last


def test_what_is_heard_comes_back_as_an_adaptation_also_after_a_death() -> None:
    stand = Stand("bach-melody")

    async def taught(part: Adapting) -> None:
        """Let it hear until there is something to play."""
        stand.sent.clear()
        while not any(command.files for command in stand.sent if isinstance(command, Adapt)):
            rounds = part.rounds
            hear(part, 24, 24 * rounds)
            await until(lambda: part.rounds > rounds)  # noqa: B023

    async def scene(part: Adapting) -> None:
        await taught(part)
        assert part.process is not None
        part.process.kill()
        await part.process.wait()
        await taught(part)  # with all that was heard

    beside(stand, scene)
    played = stand.sent[-1]
    assert isinstance(played, Adapt)
    assert adapted(played.files, [load_model("bach-melody")]).keys() == {"bach-melody"}


def test_nothing_is_done_where_nothing_is_to_be_adapted(caplog: pytest.LogCaptureFixture) -> None:
    stand, off = Stand("bach-bass"), Stand("bach-melody", adapt="off")

    async def scene(part: Adapting) -> None:
        hear(part, 24)
        await until(lambda: "melody models do" in caplog.text)
        hear(part, 24, 24)
        await asyncio.sleep(0.2)
        assert part.rounds == 1

    async def idle(part: Adapting) -> None:
        hear(part, 100)
        await asyncio.sleep(0.2)
        assert part.process is None

    beside(stand, scene)
    beside(off, idle)
    assert stand.sent == off.sent == []


def test_after_some_deaths_no_more_is_bred_and_all_else_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(adapting, "PROCESS", "this")  # answers with a poem, and ends
    stand = Stand("bach-melody")

    async def scene(part: Adapting) -> None:
        hear(part, 24)
        await until(lambda: bool(caplog.records))
        assert part.rounds == adapting.DEATHS
        hear(part, 24, 24)
        await asyncio.sleep(0.2)
        assert part.rounds == adapting.DEATHS
        assert part.process is None

    beside(stand, scene)
    assert "playing and all else go on" in caplog.text
    assert stand.sent == []


def test_to_forget_is_to_begin_anew() -> None:
    stand = Stand("bach-melody")

    async def scene(part: Adapting) -> None:
        hear(part, 23)
        part.take(event_of(Done("forget", 10.0)))
        hear(part, 23, 30)
        part.take(event_of(Applied(MODEL, ["bach-melody"], None, 30.0)))
        await asyncio.sleep(0.2)
        assert part.process is None

    beside(stand, scene)


def test_a_personal_model_that_was_replaced_is_adapted_as_it_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(catalogue.ENVIRONMENT, str(tmp_path))
    monkeypatch.setattr(proving, "PLAIN", 4.0)
    own = tmp_path / "me.safetensors"
    own.write_bytes((catalogue.bundled_folder() / "bach-melody.safetensors").read_bytes())
    former.keep(own)
    plays, model = loaded("me"), load_model("me")
    own.write_bytes((catalogue.bundled_folder() / "folk-german.safetensors").read_bytes())
    notes = [(pitch, 0.4 * number) for number, pitch in enumerate(LINE[:96])]
    learner = Learner()
    learner.take(Lesson(notes[:48], plays))
    files = learner.take(Lesson(notes[48:])).files
    assert files
    assert adapted(files, [model]).keys() == {"me"}


def test_gentle_is_half_of_it_and_the_same_lessons_teach_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "PLAIN", 4.0)
    notes = [(pitch, 0.4 * number) for number, pitch in enumerate(LINE[:96])]
    learned = []
    for share in (1.0, 1.0, 0.5):
        learner = Learner()
        assert not learner.take(Lesson(notes[:48], loaded("bach-melody"))).files
        learned.append(learner.take(Lesson(notes[48:], share=share)).files)
    assert learned[0] == learned[1] != []
    full, half = (from_bytes(files[0]).genes for files in learned[1:] if files)
    assert abs(full - 2 * half).max() < 1e-6
