"""What keys do to a session."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from improviser.core.live.parameters.table import MODES
from improviser.core.live.snapshot import Setup, Tally
from improviser.engine.live_state import Door, Reply
from improviser.engine.protocol import MODEL, Adapt, Command, Hear, Instruct, Panic, Renew
from improviser.engine.service import Service
from improviser.engine.session import Session
from improviser.library import catalogue
from improviser.recordings.recorder import Recorder
from improviser.session.key_commands import LEGEND, RECORD, Steering, legend
from improviser.session.players import COMPUTER_LEGEND
from improviser.show.terminal import SessionScreen
from tests.playing import write_small_model


class Recorded(Service):
    """A service without an engine that remembers what it was told."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.sent: list[Command] = []
        self.asked: list[tuple[str, Any]] = []
        self.stopped = False

    def send(self, command: Hear | Instruct | Adapt | Panic | Renew) -> None:
        self.sent.append(command)
        super().send(command)

    def request(self, parameter: str, value: Any, door: Door) -> asyncio.Future[Reply]:
        self.asked.append((parameter, value))
        assert door == "keys"
        return super().request(parameter, value, door)

    def stop(self) -> None:
        self.stopped = True
        super().stop()


def after(keys: str | list[str], session: Session | None = None) -> Recorded:
    """Return a service after `keys` were pressed."""

    async def press() -> Recorded:
        service = Recorded(session or Session())
        steering = Steering(service)
        for key in keys:
            steering.press(key)
        return service

    return asyncio.run(press())


def test_modes_go_round() -> None:
    service = after("m" * len(MODES))
    assert service.asked == [("mode", mode) for mode in (*MODES[1:], MODES[0])]


@pytest.mark.parametrize(
    ("keys", "temperature"),
    [
        ("+", 0.8),
        ("=", 0.8),
        ("-", 0.6),
        (["up", "right", "down"], 0.8),
        ("-" * 9, 0.0),
        ("+" * 50, 4.0),
        ("+-" * 9, 0.7),
    ],
)
def test_temperature_keeps_its_range(keys: str | list[str], temperature: float) -> None:
    assert after(keys).parameters.temperature == temperature


def test_models_that_cannot_play_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPROVISER_MODELS", str(tmp_path))
    model = write_small_model(tmp_path / "small.safetensors")
    for name in ("bass.v2", "bass.v3", "d, e"):
        (tmp_path / f"{name}.safetensors").write_bytes(model.read_bytes())
    (tmp_path / "cc.safetensors").write_bytes(b"nothing")
    names = catalogue.live_names()
    assert {"bass.v2", "bass.v3", "d, e"} < set(names)
    assert "cc" not in names
    asked = after("n" * len(names), Session(models=(names[0],))).asked
    assert asked == [(MODEL, (name,)) for name in (*names[1:], names[0])]


def test_models_go_round() -> None:
    names = catalogue.names()
    service = after("n" * len(names), Session(models=(names[0],)))
    assert service.asked == [(MODEL, (name,)) for name in (*names[1:], names[0])]
    mine = "/somewhere/mine.safetensors"  # a model that the session began with, and comes back to
    asked = after("n" * (len(names) + 1), Session(models=(mine,))).asked
    assert asked[-1] == (MODEL, (mine,))
    assert {name for _, (name,) in asked} == {*names, mine}


@pytest.mark.parametrize(
    ("key", "happened"),
    [
        (" ", lambda service: service.sent == [Panic()]),
        ("P", lambda service: service.sent == [Panic()]),
        ("q", lambda service: service.stopped and not service.sent),
        ("7", lambda service: not service.sent and not service.stopped),
        ("left", lambda service: service.parameters.temperature == 0.6),
    ],
)
def test_other_keys(key: str, happened: Callable[[Recorded], bool]) -> None:
    assert happened(after([key]))


def test_a_key_starts_and_ends_the_recording(tmp_path: Path) -> None:
    """It begins with a performer that begins anew: only so can what is kept be played again."""
    said: list[str] = []

    async def press() -> tuple[Recorded, list[bool]]:
        service, recorder = Recorded(Session()), Recorder(tmp_path / "kept", on=False)
        steering, on = Steering(service, said.append, recorder), []
        for _ in range(3):
            steering.press("r")
            on.append(recorder.on)
        recorder.close()
        return service, on

    service, on = asyncio.run(press())
    assert on == [True, False, True]
    assert service.sent == [Renew(), Renew()]
    assert [line.split(" ")[1] for line in said] == ["from", "ended;", "from"]
    assert all(line.endswith(str(tmp_path / "kept")) for line in said)
    assert after("r").sent == [], "there is nothing to start"


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said: list[str] = []

    async def press() -> Recorded:
        service, recorder = Recorded(Session()), Recorder(tmp_path / "file" / "kept", on=False)
        Steering(service, said.append, recorder).press("r")
        recorder.close()
        return service

    assert asyncio.run(press()).sent == []
    assert len(said) == 1
    assert "kept" in said[0]


def test_only_who_can_record_is_told_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improviser.session.key_commands.can_press", lambda: True)
    assert legend() == LEGEND
    assert set(legend(record=True)) - set(LEGEND) == {RECORD}


@pytest.mark.parametrize("keys", [COMPUTER_LEGEND, (*LEGEND[:-1], RECORD, LEGEND[-1])])
def test_all_keys_are_shown_on_a_terminal_of_80_columns(keys: tuple[tuple[str, str], ...]) -> None:
    screen = SessionScreen(Tally().snapshot(0.0, Setup(("bach-bass",))), keys)
    assert sum(cell_len(text) for text, _ in screen.lines(80, 24)[-1]) <= 81, "and a space"
