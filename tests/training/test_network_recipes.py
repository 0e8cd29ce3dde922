"""Training harmony and melody, whole: from MIDI files to a model that plays; same seed, same model."""

from pathlib import Path

import numpy as np
import pytest

from improviser.core.music.note import Note
from improviser.core.networks.choir import normalised
from improviser.core.networks.task import NetworkTask
from improviser.errors import ConfigError, CorpusError
from improviser.library.catalogue import load_model
from improviser.midifile import write_midi
from improviser.training import choir_recipe
from improviser.training.choir_recipe import within_bytes
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.trainer import Checkpoints, save_model, train
from improviser.training.workers import Workers, working
from tests.training.test_voices import a_piece, line

TUNES = ([67, 69, 71, 72, 74, 72, 71, 69], [72, 71, 69, 67, 65, 64, 62, 60], [60, 64, 67, 72, 67, 64, 62, 60])


@pytest.fixture
def songs(tmp_path: Path) -> str:
    """Three songs whose bass doubles the tune two octaves below."""
    folder = tmp_path / "songs"
    folder.mkdir()
    for number, tune in enumerate(TUNES):
        long = tune * 6
        write_midi(folder / f"{number}.mid", a_piece(line(0, long), line(1, [pitch - 24 for pitch in long])))
    return str(folder)


def options(songs: str, task: str, *, strategy: str = "cma", generations: int = 30, choir: int = 2) -> Options:
    return Options(
        (songs,), task=task, strategy=strategy, population=20, generations=generations, choir=choir, layers=(4,), seed=3
    )


def bred(
    recipe: Recipe, folder: Path, *, resume: bool = False, workers: int = 1
) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    checkpoints = Checkpoints(folder / "state.checkpoint", 10, resume)
    with working(workers, EvolutionPlan.of(recipe, 3)) as places:
        done = train(recipe, seed=3, workers=places, checkpoints=checkpoints, report=lambda _member, _generation: None)
    return [champion.genome for champion in done.champions]


@pytest.mark.parametrize("task", ["harmony", "melody"])
@pytest.mark.parametrize("strategy", ["cma", "ga"])
def test_it_learns_and_plays(songs: str, tmp_path: Path, task: str, strategy: str) -> None:
    recipe = prepare(options(songs, task, strategy=strategy, generations=150, choir=1))
    assert isinstance(recipe.task, NetworkTask)
    untrained = recipe.task.held_out(recipe.task.first_population(np.random.default_rng(0), 1)[0])
    done = train(
        recipe,
        seed=3,
        workers=Workers(),
        checkpoints=Checkpoints(tmp_path / "none.checkpoint", 0),
        report=lambda _member, _generation: None,
    )
    scores = save_model(tmp_path / "mine.safetensors", recipe, done)
    assert scores["held_out_bits"] < -untrained - 0.3
    assert done.champions[0].held_out == pytest.approx(-scores["held_out_bits"], abs=1e-4)
    model = load_model(tmp_path / "mine.safetensors")
    assert model.task == task
    assert np.exp(normalised(model.responder().propose(60, 0.0))).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("task", ["harmony", "melody"])
def test_same_seed_same_choir_and_its_members_differ(songs: str, tmp_path: Path, task: str) -> None:
    first = bred(prepare(options(songs, task)), tmp_path)
    again = bred(prepare(options(songs, task)), tmp_path)
    assert [genome.tobytes() for genome in first] == [genome.tobytes() for genome in again]
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("strategy", ["cma", "ga"])
def test_a_resumed_run_is_the_same_run(songs: str, tmp_path: Path, strategy: str) -> None:
    whole = bred(prepare(options(songs, "melody", strategy=strategy)), tmp_path)
    (tmp_path / "state.checkpoint").unlink()
    # Stopped after the second member's 20th generation; what came after the last checkpoint is lost.
    recipe = prepare(options(songs, "melody", strategy=strategy))
    seen = []
    train(
        recipe,
        seed=3,
        workers=Workers(),
        checkpoints=Checkpoints(tmp_path / "state.checkpoint", 10),
        report=lambda member, generation: seen.append((member, generation.generation)),
        stopped=lambda: (1, 20) in seen,
    )
    assert seen[-1] == (1, 20)
    resumed = bred(prepare(options(songs, "melody", strategy=strategy)), tmp_path, resume=True)
    assert [genome.tobytes() for genome in whole] == [genome.tobytes() for genome in resumed]


@pytest.mark.parametrize("strategy", ["cma", "ga"])
def test_workers_do_not_change_the_result(songs: str, tmp_path: Path, strategy: str) -> None:
    chosen = options(songs, "harmony", strategy=strategy, generations=4, choir=1)
    alone = bred(prepare(chosen), tmp_path)
    together = bred(prepare(chosen), tmp_path, workers=2)
    assert [genome.tobytes() for genome in alone] == [genome.tobytes() for genome in together]


def test_what_cannot_be_is_refused(songs: str) -> None:
    for wrong in (
        {"task": "harmony", "layers": (4, 4)},
        {"task": "harmony", "voice": "kazoo"},
        {"task": "melody", "voice": "bass"},
        {"task": "melody", "strategy": "gradient"},
        {"task": "harmony", "divergence": 0.5},
        {"task": "harmony", "choir": 0},
    ):
        with pytest.raises(ConfigError):
            prepare(Options((songs,), **wrong))
    with pytest.raises(CorpusError):
        prepare(Options((songs,), task="harmony", voice="tenor"))
    with pytest.raises(CorpusError):
        prepare(Options(("demo-tune",), task="harmony"))


def test_of_a_corpus_that_is_too_large_some_pieces_are_drawn() -> None:
    pieces = [(tuple(Note(60 + number, 0.5 * count, 0.5) for count in range(10)), ()) for number in range(20)]
    assert within_bytes(pieces, 100, 0, 10**6) == pieces
    few = within_bytes(pieces, 100, 0, 4 * 100 * 55)
    assert len(few) == 5
    assert few == [piece for piece in pieces if piece in few]
    assert few != within_bytes(pieces, 100, 1, 4 * 100 * 55)
    assert len(within_bytes(pieces, 100, 0, 1)) == 1


@pytest.mark.parametrize(("minutes", "members"), [(None, 6), (0.1, 1), (0.7, 2), (1.0, 3), (9.0, 6)])
def test_there_are_as_many_members_as_there_is_time_for(minutes: float | None, members: int) -> None:
    assert choir_recipe.members_in(minutes) == members
