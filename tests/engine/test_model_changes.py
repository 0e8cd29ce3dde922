"""Other models while somebody plays: handed over as arrays, made ready between the notes, and the same in a replay."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

import improviser
from improviser.core.networks.responder import Model
from improviser.engine import loading
from improviser.engine.handle import EngineProcess
from improviser.engine.loading import Pieces, prepare
from improviser.engine.protocol import Applied, Hear, Played, Step, Swap, Weighed
from improviser.errors import EngineError, ImproviserError
from improviser.library import catalogue
from improviser.recordings.log import read
from improviser.recordings.pruning import Limits
from improviser.recordings.recorder import Sessions
from improviser.recordings.replaying import replay
from tests.engine.test_note_path import Reports, opening, play
from tests.playing import note_off, note_on

NAMES = ("bach-bass", "echo", "auto", "bach-melody")


def handed_over(*names: str) -> list[Model]:
    """Return models as the engine gets them."""
    prepared, pieces = prepare(names)
    received = Pieces()
    for piece in pieces:
        received.add(piece.data)
    return received.models(Swap(list(names), prepared=prepared))[0]


def chances(model: Model) -> list[list[float]]:
    tune = [improviser.Note(60 + number, number / 2, 0.5) for number in (0, 2, 4, 5, 7)]
    return [model.distribution(tune[:end], onset_seconds=end / 2, player=tune[: end + 1]).tolist() for end in range(5)]


@pytest.mark.parametrize("piece_bytes", [1000, 1 << 15])
def test_what_is_handed_over_is_what_the_file_holds(monkeypatch: pytest.MonkeyPatch, piece_bytes: int) -> None:
    monkeypatch.setattr(loading, "PIECE_BYTES", piece_bytes)
    models = handed_over(*NAMES)
    assert [model.name for model in models] == list(NAMES)
    for name, model in zip(NAMES, models, strict=True):
        assert chances(model) == chances(catalogue.load_model(name))


def test_numbers_that_are_missing_or_models_that_nobody_prepared_are_refused() -> None:
    prepared, pieces = prepare(["echo"])
    received = Pieces()
    for swap in (Swap(["echo"], prepared=prepared), Swap(["echo"])):
        with pytest.raises(EngineError):
            received.models(swap)
    received.add(pieces[0].data)
    assert received.models(Swap(["echo"], prepared=prepared))[1][0].sha256 == catalogue.digest("echo")


def test_a_model_that_is_not_there_is_refused_where_it_is_loaded() -> None:
    with pytest.raises(ImproviserError, match="no such model"):
        prepare(["no such model"])


def test_while_notes_stream_others_take_over_between_two_of_them_and_a_replay_is_exact(tmp_path: Path) -> None:
    """More notes than models get to know, so that with each another one is the first of those."""

    async def scene(engine: EngineProcess, reports: Reports) -> None:
        rng = np.random.default_rng(7)
        waiting = list(NAMES[1:])
        number = after = 0
        while waiting or after < 30:
            applied = sum(isinstance(report, Applied) for report in reports)
            if number > 70 and waiting and applied == len(NAMES) - 1 - len(waiting):
                engine.send(Swap([waiting.pop(0)]))
            after += applied == len(NAMES) - 1
            pitch = 55 + int(rng.integers(24))
            engine.send(Hear(number * 0.2, bytes(note_on(pitch))))
            await asyncio.sleep(0.003)
            engine.send(Hear(number * 0.2 + 0.1, bytes(note_off(pitch))))
            number += 1
            assert number < 20_000
        await reports.until(lambda told: len(told.steps) == 2 * number)

    reports = play(opening(NAMES[0], seed=5, parameters={"temperature": 1.0}), scene)
    changes = [place for place, report in enumerate(reports) if isinstance(report, Applied)]
    assert len(changes) == len(NAMES) - 1
    assert all(isinstance(reports[place + 1], Step | Played | Weighed) for place in changes)
    sessions = Sessions(tmp_path, Limits())
    sessions.write(reports)
    sessions.close()
    (log,) = tmp_path.glob("*.jsonl")
    found = replay([read(log)])
    assert found.difference is None
    assert found.heard == len(reports.steps)
