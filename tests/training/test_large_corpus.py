"""Large corpora: read once, by whoever; kept on disk, where damage or lack of room changes nothing but the time."""

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from improviser.core.evolution.randomness import generator
from improviser.core.melody.session import VIEWPOINTS
from improviser.core.music.line import ROW, Line, numbers_of, pitches_of, range_of, rows_of
from improviser.core.music.note import Note
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError, OutputError
from improviser.training import cache, choir_recipe, corpus, harmony_recipe, melody_recipe, note_table, workers
from improviser.training.corpus import read_files
from improviser.training.crew import Crew
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.mapping import mapped
from improviser.training.process_executor import ProcessExecutor
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.silence import Silence
from improviser.training.stored_array import (
    MissingArrayError,
    StoredArray,
    array_path,
    known_array,
    open_array,
    write_array,
)
from improviser.training.stored_array import receive as receive_part
from improviser.training.trials import Trials, trials_for
from improviser.training.tuning import Trial
from improviser.training.voices import read_sources
from tests.melodies import TUNE, broken_midi_files, write_melody
from tests.portable.sitecustomize import ACTS, refusing

NOTES = st.lists(
    st.builds(Note, st.integers(0, 127), st.floats(0, 1e4), st.floats(0, 1e3), st.integers(1, 127)), max_size=12
)
ONE_FIELD = np.dtype([("number", "<i4"), ("some", "<f4", (2,))])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMPROVISER_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(6):
        write_melody(folder / f"{number}.mid", [pitch + number for pitch in TUNE * (1 + number % 2)])
    return folder


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep on disk what is so small that it would be held."""
    monkeypatch.setattr(note_table, "IN_MEMORY", 0)
    monkeypatch.setattr(choir_recipe, "IN_MEMORY", 0)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each file that is read."""
    found: list[int] = []

    def parse(data: bytes) -> Any:
        found.append(len(data))
        return kind.parse(data)

    kind = corpus.MIDI_FILE
    monkeypatch.setattr(corpus, "MIDI_FILE", replace(kind, parse=parse))
    return found


def again(value: Any) -> Any:
    """Return a value as another process gets it."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301


def kept(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())


@given(NOTES, st.integers(-15, 15), st.integers(-15, 15))
def test_a_line_is_what_its_notes_are(notes: list[Note], start: int, stop: int) -> None:
    line = Line(rows_of(notes))
    assert line == notes
    assert list(line) == notes == [line[place] for place in range(len(line))]
    assert line[start:stop] == notes[start:stop]
    assert line[::-2] == notes[::-2]
    assert again(line) == line
    assert numbers_of(line).tobytes() == numbers_of(notes).tobytes()
    assert pitches_of(line).tolist() == pitches_of(notes).tolist()
    if notes:
        assert range_of([line, []]) == range_of([notes])
        assert line != notes[:-1]


@pytest.mark.usefixtures("on_disk")
def test_what_was_read_is_not_read_again(folder: Path, tmp_path: Path, parsed: list[int]) -> None:
    broken_midi_files(folder)
    first = read_files([folder])
    assert len(parsed) == 6 + 11 - 2  # the empty one is nothing to read, and one is as another
    with ThreadPoolExecutor(2) as two:
        assert read_files([folder], executor=two) == first
    assert len(parsed) == 15
    write_melody(folder / "3.mid", [50, 52, 54])
    changed = read_files([folder])
    assert len(parsed) == 16
    assert [one == other for one, other in zip(first.pieces, changed.pieces, strict=True)].count(False) == 1
    assert changed.skipped == first.skipped
    (folder / "3.mid").rename(folder / "renamed.mid")
    assert read_files([folder]).pieces[-1].name == "renamed"
    assert len(parsed) == 16


@pytest.mark.skipif(os.name == "nt", reason="it removes what is open, which cannot be there")
def test_whoever_reads_and_wherever_it_lies_the_pieces_are_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_midi_files(folder)
    held = read_files([folder])
    monkeypatch.setattr(note_table, "IN_MEMORY", 0)
    monkeypatch.setattr(note_table, "BATCH_FILES", 2)
    told: list[float] = []
    with ProcessExecutor(2) as executor:
        cache.clear(())
        stored = read_files([folder], lambda step, done: told.append(done) if step == "reading files" else None)
        cache.clear(())
        by_others = read_files([folder], executor=executor)
    assert held == stored == by_others
    assert told == sorted(told)
    assert len(told) > 4
    lines = [line for piece in stored.pieces for line in piece.voices]
    assert all(isinstance(line, note_table.StoredLine) for line in lines)
    assert again(lines) == lines
    assert len(pickle.dumps(stored.pieces)) < len(pickle.dumps(held.pieces))


class Harmful:
    """What does something when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.abort, ()


OBJECTS = b"\x93NUMPY\x02\x00\x3b\0\0\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}     \n"
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "a byte changed": lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:],
    "longer": lambda data: data + b"\0",
    "foreign": lambda _: b"\x93NUMPY\x01\x00" + b"x" * 200,
    "a pickle": lambda _: pickle.dumps(Harmful()),
    "an array of objects": lambda _: (
        b"\x93NUMPY\x02\x00\x36\0\0\0{'descr': '|O', 'fortran_order': False, 'shape': (1,)}  \n"
        + pickle.dumps(Harmful())
    ),
}


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_made_again(damage: str, folder: Path, tmp_path: Path, parsed: list[int]) -> None:
    options = Options((str(folder),), task="melody", generations=1, choir=1)
    held = [replace(piece, voices=tuple(map(tuple, piece.voices)), inner=()) for piece in read_files([folder]).pieces]
    fit = fitness(prepare(options))
    count = len(parsed)
    for path in kept(tmp_path):
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert list(read_files([folder]).pieces) == held
    assert len(parsed) == 2 * count
    assert fitness(prepare(options)) == fit
    assert len(parsed) == 2 * count


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_to_an_array_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    rows = np.zeros(9, ONE_FIELD)
    rows["number"] = np.arange(9)
    path = array_path("0" * 64)
    array = write_array(path, ONE_FIELD, 9, [rows[:4], rows[4:]])
    assert array.part(0, len(array)).tobytes() == rows.tobytes()
    assert array.take(np.array([3, 1])).tobytes() == rows[[3, 1]].tobytes()
    whole = path.read_bytes()
    place, change = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    path.write_bytes(whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :])
    assert open_array(path, ONE_FIELD) is None
    assert open_array(path, ROW) is None


def fitness(recipe: Recipe) -> bytes:
    population = recipe.task.first_population(generator(1), 3)
    return recipe.task.fitness(population, recipe.task.batch(generator(2))).tobytes()


def test_without_room_what_is_read_is_held(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: None
) -> None:
    whole = read_files([folder])
    (tmp_path / "full").write_text("where the cache should be")
    monkeypatch.setenv("IMPROVISER_CACHE", str(tmp_path / "full"))
    assert read_files([folder]) == whole
    with pytest.raises(OutputError, match="cannot keep notes in"):
        prepare(Options((str(folder),), task="melody"))
    monkeypatch.setenv("IMPROVISER_CACHE", str(tmp_path / "other"))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert read_files([folder]) == whole
    with pytest.raises(OutputError, match=r"cannot keep notes in .*No space left"):
        prepare(Options((str(folder),), task="melody"))
    assert not [path for path in (tmp_path / "other").rglob("*") if path.name.startswith(cache.UNFINISHED)]


def test_a_file_that_changes_while_it_is_read_ends_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = corpus.MIDI_FILE
    monkeypatch.setattr(corpus, "MIDI_FILE", replace(kind, look=lambda path: ("other", kind.look(path)[1])))
    with pytest.raises(CorpusError, match=r"0\.mid was changed while it was read"):
        read_files([folder])


def test_a_network_sees_some_viewpoints_of_all(folder: Path, tmp_path: Path, on_disk: None) -> None:
    read = read_sources([str(folder)])
    options = Options((str(folder),), task="melody")
    known = melody_recipe.heard(options, read)
    assert not isinstance(known.training, type(known.development))
    duets = choir_recipe.split(known.material.duets, 0)[0]
    inputs = known.material.inputs
    numbers = generator(1).permutation(len(known.training))
    for seen in (tuple(VIEWPOINTS), tuple(VIEWPOINTS)[::2], tuple(VIEWPOINTS)[1::3]):
        directly = melody_recipe.tune_notes(duets, replace(known.material.settings, viewpoints=seen)).take(numbers)
        stored = known.training.seen(inputs.part(seen)).take(numbers)
        assert stored.inputs().tobytes() == directly.inputs().tobytes()
        for name in ("previous", "tonic", "player", "target", "experts", "columns", "width"):
            assert np.array_equal(getattr(stored, name), getattr(directly, name))


def bred(recipe: Recipe, executor: Executor | None = None) -> bytes:
    plan = EvolutionPlan.of(recipe, 1)
    if executor is None:
        advanced = plan.advance(0, None, 2, 1)
    else:
        advanced = workers.Calls(executor, plan, Crew()).advance(0, None, 2, 1).result()
    champion = advanced.state["champion"]
    return bytes(champion["genome"].tobytes())


@pytest.mark.skipif(os.name == "nt", reason="it removes what is open, which cannot be there")
def test_a_model_is_the_same_from_disk_and_memory_here_and_there(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options((str(folder),), task="melody", generations=2, choir=1, population=4, layers=(2,))
    held = bred(prepare(options))
    monkeypatch.setattr(choir_recipe, "IN_MEMORY", 0)
    with ProcessExecutor(2) as executor:
        recipe = prepare(options, executor=executor)
        assert len(pickle.dumps(recipe.task)) < 40_000
        assert bred(recipe) == bred(recipe, executor) == held
        for path in kept(tmp_path):  # as on another machine, or after `cache --clear`: it is sent
            path.unlink()
        assert bred(prepare_again(recipe), executor) == held
        assert [path.name.partition("-")[0] for path in kept(tmp_path)] == ["sent"]


def prepare_again(recipe: Recipe) -> Recipe:
    """Return a recipe that no worker knows yet."""
    return replace(recipe, limits=replace(recipe.limits, generations=3))


@pytest.mark.skipif(os.name == "nt", reason="it removes what is open, which cannot be there")
def test_what_is_sent_comes_whole_or_not_at_all(tmp_path: Path) -> None:
    array = write_array(array_path("1" * 64), ONE_FIELD, 50, [np.zeros(50, ONE_FIELD)])
    assert again(array).part(0, len(array)).tobytes() == array.part(0, len(array)).tobytes()
    data = array.bytes_of_file(0, array.size_of_file)
    array.path.unlink()
    with pytest.raises(MissingArrayError):
        known_array(str(array.path), array.digest)
    assert receive_part(array.digest, len(data), 0, data[:100])
    assert receive_part(array.digest, len(data), 100, data[100:])
    found = known_array(str(array.path), array.digest)
    assert isinstance(found, StoredArray)
    assert found.part(0, len(found)).tobytes() == array.part(0, len(array)).tobytes()
    found.path.unlink()
    assert not receive_part(array.digest, len(data), 100, data[100:])  # the first part came to somebody else
    with pytest.raises(MissingArrayError):
        known_array(str(array.path), array.digest)


@pytest.mark.skipif(os.name == "nt" or not Path("/proc/self/fd").is_dir(), reason="it does not tell what is open")
def test_what_is_sent_comes_where_nothing_can_be_replaced_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [np.arange(50).astype(ONE_FIELD)]
    array = write_array(array_path("1" * 64), ONE_FIELD, 50, blocks)
    data = array.path.read_bytes()
    for name, files in ACTS.items():
        monkeypatch.setattr(os, name, refusing(getattr(os, name), files=files))
    assert receive_part(array.digest, len(data), 0, data)
    received = known_array("nowhere", array.digest)
    assert receive_part(array.digest, len(data), 0, data)  # by another worker, while this one has it open
    again = write_array(array.path, ONE_FIELD, 50, blocks)
    assert (received.part(0, 50) == again.part(0, 50)).all()


def test_only_ours_is_removed_and_what_was_used_longest_ago_first(folder: Path, tmp_path: Path) -> None:
    read_files([folder])
    ours = kept(tmp_path)
    foreign = [tmp_path / "cache" / name for name in ("letter.txt", f"{cache.FILES}/letter.txt", "other.json")]
    for path in foreign:
        path.write_text("not ours")
    for age, path in enumerate(ours):
        os.utime(path, (10**9 - age, 10**9 - age))
    sizes = [path.stat().st_size for path in ours]
    cache.prune(sum(sizes[:3]))
    assert kept(tmp_path) == sorted([*ours[:3], *foreign])
    assert cache.size(["other"]) == (4, sum(sizes[:3]) + 8)
    unfinished = ours[0].with_name(cache.UNFINISHED + "1")
    unfinished.touch()
    cache.prune()
    assert unfinished.exists()
    os.utime(unfinished, (1, 1))
    cache.prune()
    assert not unfinished.exists()
    cache.clear([])
    assert kept(tmp_path) == sorted(foreign)


def test_trials_share_one_corpus(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: None) -> None:
    counted: list[int] = []

    def bred_once(*_: object) -> tuple[float, ...]:
        counted.append(1)
        return (0.5,)

    def doubled(pieces: Sequence[Piece], *_: object) -> list[tuple[Piece, Sequence[Note], Sequence[Note]]]:
        return [(one, one.voices[0], one.voices[0]) for one in pieces]

    monkeypatch.setattr(harmony_recipe, "duets", doubled)
    monkeypatch.setattr(harmony_recipe, "breed", bred_once)
    trials = trials_for(Options((str(folder),), task="harmony"))
    arrays = {path.name for path in kept(tmp_path)}
    sent = again(trials)
    assert isinstance(sent, Trials)
    for trial in (Trial(hidden=8), Trial(hidden=8, without=("gap",))):
        assert fitness(trials.recipe(trial)) == fitness(sent.recipe(trial))
    assert counted == [1]
    assert {path.name for path in kept(tmp_path)} == arrays


def test_few_results_are_waited_for_at_a_time() -> None:
    asked: list[int] = []

    def numbers() -> Iterator[tuple[int]]:
        for number in range(100):
            asked.append(number)
            yield (number,)

    with ThreadPoolExecutor(2) as two:
        results = mapped(two, abs, numbers())
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        assert len(asked) < 12
        assert list(results) == list(range(3, 100))
    with pytest.raises(ZeroDivisionError):
        list(mapped(None, divmod, [(1, 0)]))


def test_silence_is_told_by_our_own_clock() -> None:
    now = [0.0]
    silence = Silence(30.0, lambda: now[0])
    silence.look({"one": 1e9, "two": 2e9})
    now[0] = 29.0
    silence.look({"one": 1e9, "two": 2e9 + 1})
    now[0] = 31.0
    silence.look({"one": 1e9, "two": 2e9 + 2, "new": 5.0})
    assert silence.silent == {"one"}
    silence.look({"one": 1e9 + 1, "two": 2e9 + 3})
    assert not silence.silent
    many = {str(number): 1.0 for number in range(1000)}
    silence.look(many)
    now[0] += 45.0
    silence.look(many)
    assert not silence.silent  # so many give a sign less often
    now[0] += 10.0
    silence.look(many)
    assert len(silence.silent) == 1000
