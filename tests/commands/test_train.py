"""`improviser train`: what it writes and prints, how it ends, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from improviser.library import catalogue
from improviser.library.catalogue import load_model
from improviser.library.model_file import read
from improviser.midifile import write_midi
from improviser.training.checkpoint import path_for
from improviser.training.places import place_in_library
from tests.command import CommandLine
from tests.melodies import BROKEN, broken_midi_files, write_melody
from tests.training.test_voices import a_piece, line

QUICK = ("--task", "echo", "--population", 30, "--generations", 6)


def test_it_prints_an_object_for_each_generation_and_saves_the_champion(improviser: CommandLine, tune: Path) -> None:
    done = improviser("train", tune, "--output", "a.safetensors", *QUICK, "--json")
    assert done.code == 0
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["generation"] for row in rows] == [1, 2, 3, 4, 5, 6]
    for row in rows:
        assert {"generation", "best", "mean", "held_out", "evaluations", "seconds"} <= set(row)
        assert row["best"] >= row["mean"]
        assert 0 < row["seconds"] < 60
    assert [row["evaluations"] for row in rows] == [30, 60, 90, 120, 150, 180]
    assert load_model(improviser.folder / "a.safetensors").task == "echo"
    assert improviser.files() == {"a.safetensors", "a.md", "a.svg", "a.jsonl"}


def test_the_defaults_are_the_originals(improviser: CommandLine, tune: Path) -> None:
    assert improviser("train", tune, "--output", "a.safetensors", "--task", "echo", "--generations", 1).code == 0
    options = read(improviser.folder / "a.safetensors").provenance["options"]
    wanted = {
        "population": 200,
        "lookback": 10,
        "layers": [20, 20],
        "survivors": 0.2,
        "mutation": "factor",
        "divergence": 0.05,
        "layer_type": "object",
        "strategy": "ga",
    }
    assert {name: options[name] for name in wanted} == wanted


@pytest.mark.parametrize("layer_type", ["object", "matrix"])
@pytest.mark.parametrize("mutation", ["factor", "offset", "selection"])
def test_every_layer_type_and_mutation_trains_and_renders(
    improviser: CommandLine, tune: Path, layer_type: str, mutation: str
) -> None:
    options = ("--layer-type", layer_type, "--mutation", mutation, "--lookback", 4, "--layers", "5,3", "--no-report")
    assert improviser("train", tune, "--output", "a.safetensors", *QUICK, *options).code == 0
    assert improviser("render", tune, "out.mid", "--model", "a.safetensors").code == 0
    assert improviser.files() == {"a.safetensors", "out.mid"}


def test_the_same_seed_gives_the_same_file(improviser: CommandLine, tune: Path) -> None:
    for name, more in (("a", ()), ("b", ("--workers", 2)), ("c", ("--seed", 1))):
        assert improviser("train", tune, "--output", f"{name}.safetensors", *QUICK, *more).code == 0
    first, workers, other = ((improviser.folder / f"{name}.safetensors").read_bytes() for name in ("a", "b", "c"))
    assert first == workers != other


def test_without_a_terminal_it_prints_plain_lines_and_what_was_left_out(
    improviser: CommandLine, tmp_path: Path
) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    broken = broken_midi_files(songs)
    write_melody(songs / "another.mid")
    done = improviser("train", songs, "--output", "a.safetensors", *QUICK)
    assert done.code == 0
    assert "generation 6: best" in done.out
    assert "saved a.safetensors: rating" in done.out
    assert f"{len(broken)} files could not be used:" in done.out
    assert "\x1b" not in done.out


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_midi_files_are_refused_and_nothing_is_left(improviser: CommandLine, tmp_path: Path, kind: str) -> None:
    path = broken_midi_files(tmp_path)[kind]
    done = improviser("train", path, "--output", "a.safetensors", *QUICK)
    assert done.refused(path.name)
    assert improviser.files() == set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--layers", "20,x"), ("--layers",)),
        (("--layers", "0"), ("--layers",)),
        (("--mutation", "luck"), ("--mutation", "factor")),
        (("--layer-type", "round"), ("--layer-type", "matrix")),
        (("--divergence", "nan"), ("--divergence",)),
        (("--survivors", "2"), ("--survivors",)),
        (("--population", "0"), ("--population",)),
        (("--workers", "0"), ("--workers",)),
        (("--checkpoint", "-1"), ("--checkpoint",)),
        (("--task", "juggle"), ("--task", "echo")),
        (("--strategy", "luck"), ("--strategy", "ga")),
        (("--seed", "-1"), ("--seed",)),
        (("--output", "no/such/a.safetensors"), ("no/such/a.safetensors", "folder")),
        (("--output", "."), ("folder",)),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(
    improviser: CommandLine, tune: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    done = improviser("train", tune, "--output", "a.safetensors", *QUICK, *options)
    assert done.refused(*words)
    assert improviser.files() == set()


def test_sources_that_are_not_there_are_refused(improviser: CommandLine) -> None:
    assert improviser("train", "none.mid", "--output", "a.safetensors", *QUICK).refused("none.mid")
    (improviser.folder / "empty").mkdir()
    assert improviser("train", "empty", "--output", "a.safetensors", *QUICK).refused("empty")
    assert improviser("train", "--output", "a.safetensors").code == 2


class Training:
    """`improviser train` as a process that would take an hour."""

    def __init__(self, folder: Path, tune: Path, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "improviser",
            "train",
            str(tune),
            "--task",
            "echo",
            "--output",
            "a.safetensors",
        ]
        self.process = subprocess.Popen(
            [*command, "--json", "--population", "30", *options],
            cwd=folder,
            env={**os.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def wait_for(self, generation: int) -> None:
        """Wait until a generation is printed."""
        assert self.process.stdout is not None
        for said in self.process.stdout:
            if json.loads(said)["generation"] >= generation:
                return
        raise AssertionError(f"it ended before generation {generation}")

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.communicate(timeout=30)

    def end(self, number: int) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_ctrl_c_keeps_the_champion(improviser: CommandLine, tune: Path, number: int, code: int) -> None:
    training = Training(improviser.folder, tune, "--minutes", "60")
    training.wait_for(3)
    assert training.end(number) == code
    assert load_model(improviser.folder / "a.safetensors").task == "echo"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_workers_leave_signals_to_their_parent(improviser: CommandLine, tune: Path, number: int, code: int) -> None:
    training = Training(improviser.folder, tune, "--minutes", "60", "--workers", "2")
    training.wait_for(1)
    os.killpg(training.process.pid, number)  # as a terminal does
    _, error = training.process.communicate(timeout=30)
    assert training.process.returncode == code
    assert error.startswith("saved a.safetensors")
    assert len(error.splitlines()) == 1


def test_after_a_kill_resuming_gives_what_an_uninterrupted_run_gives(improviser: CommandLine, tune: Path) -> None:
    limit = ("--generations", "400", "--checkpoint", "7")
    training = Training(improviser.folder, tune, *limit)
    training.wait_for(20)
    training.kill()
    # It may have been killed while it wrote the next one.
    assert improviser.files() - {"a.safetensors.checkpoint.unfinished"} == {"a.safetensors.checkpoint"}
    options = ("--task", "echo", "--population", 30, *limit)
    resumed = improviser("train", tune, "--output", "a.safetensors", *options, "--resume", "--json")
    whole = improviser("train", tune, "--output", "b.safetensors", *options, "--json")
    assert (resumed.code, whole.code) == (0, 0)
    first = json.loads(resumed.out.splitlines()[0])["generation"]
    assert 14 < first <= 400
    assert (first - 1) % 7 == 0
    best = [json.loads(line)["best"] for line in whole.out.splitlines()]
    assert [json.loads(line)["best"] for line in resumed.out.splitlines()] == best[first - 1 :]
    assert (improviser.folder / "a.safetensors").read_bytes() == (improviser.folder / "b.safetensors").read_bytes()
    assert improviser.files() == {
        f"{name}.{suffix}" for name in "ab" for suffix in ("safetensors", "md", "svg", "jsonl")
    }


def test_resuming_with_other_options_is_refused(improviser: CommandLine, tune: Path) -> None:
    training = Training(improviser.folder, tune, "--minutes", "60", "--checkpoint", "1")
    training.wait_for(3)
    training.kill()
    options = ("--task", "echo", "--population", 31, "--resume")
    assert improviser("train", tune, "--output", "a.safetensors", *options).refused("checkpoint", "population")


@pytest.mark.parametrize("suffix", [".jsonl", ".svg", ".md"])
def test_what_lies_beside_and_is_no_report_is_not_written_over(
    improviser: CommandLine, tune: Path, suffix: str
) -> None:
    """A session is kept as song.mid and song.jsonl, and a model of it is naturally called song.safetensors."""
    other = improviser.folder / f"song{suffix}"
    other.write_text("mine")
    assert improviser("train", tune, "--output", "song.safetensors", *QUICK).refused(other.name)
    assert other.read_text() == "mine"
    assert improviser("train", tune, "--output", "song.safetensors", "--no-report", *QUICK).code == 0
    assert other.read_text() == "mine"
    assert improviser("train", tune, "--output", "song.safetensors", *QUICK).refused("song.safetensors", "--force")


@pytest.mark.parametrize("task", ["harmony", "melody"])
@pytest.mark.parametrize("notes", [1, 2, 3, 4, 9])
def test_pieces_that_are_too_short_are_refused(improviser: CommandLine, task: str, notes: int) -> None:
    tune = [72 + place for place in range(notes)]
    write_midi(improviser.folder / "short.mid", a_piece(line(0, tune), line(1, [pitch - 24 for pitch in tune])))
    options = ("--task", task, "--generations", "2")
    assert improviser("train", "short.mid", "--output", "a.safetensors", *options).refused("too few")


def test_a_name_that_is_too_long_is_refused_before_anything_is_bred(improviser: CommandLine, tune: Path) -> None:
    for length in (300, 250):
        assert improviser("train", tune, "--output", "a" * length, *QUICK).refused("long")
    assert not improviser.files()


def test_a_file_whose_name_is_no_text_can_be_learned_from(improviser: CommandLine, tune: Path) -> None:
    folder = improviser.folder / "old"
    folder.mkdir()
    try:
        strange = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.mid"))
        strange.write_bytes(tune.read_bytes())
    except (OSError, UnicodeDecodeError):
        pytest.skip("this file system takes only names of letters")
    outcome = improviser("train", "old", "--output", "a.safetensors", *QUICK)
    assert outcome.code == 0, outcome.err
    assert r"caf\udce9" in (improviser.folder / "a.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell and its pipes")
def test_a_reader_that_goes_away_ends_it_with_a_champion(tune: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m improviser train {tune} --task echo --minutes 5 --json -o {tmp_path}/a.safetensors"
    ran = subprocess.run(["sh", "-c", f"{command} | head -2"], capture_output=True, text=True, check=False, timeout=60)
    assert len(ran.stdout.splitlines()) == 2
    deadline = time.monotonic() + 20
    while not (tmp_path / "a.md").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize("task", ["harmony", "melody"])
def test_survivors_are_the_echos(improviser: CommandLine, tune: Path, task: str) -> None:
    refused = improviser("train", tune, "--output", "a.safetensors", "--task", task, "--survivors", "0.5")
    assert refused.refused("--survivors has no meaning")


def test_without_a_name_it_is_kept_among_ones_own_and_over_nothing(improviser: CommandLine, tmp_path: Path) -> None:
    songs = tmp_path / "my songs"
    songs.mkdir()
    for number in range(4):
        write_melody(songs / f"tune {number}.mid")
    short = ("--task", "melody", "--generations", 3, "--population", 8, "--choir", 1)
    first, second = (improviser("train", songs, *short) for _ in range(2))
    assert (first.code, second.code) == (0, 0)
    folder = catalogue.user_folder()
    assert {path.name for path in folder.glob("*.safetensors")} >= {
        "my-songs-melody.safetensors",
        "my-songs-melody-2.safetensors",
    }
    assert load_model("my-songs-melody-2").task == "melody"
    held = [line for line in first.out.splitlines() if line.startswith("held out")]
    assert len(held) == 1
    assert held[0].count("tune ") == 1
    for said in ("pitches: my-songs-melody (yours)", "pitches: simple counting", "pitches: bach-melody"):
        assert said in first.out
    assert "improviser play --model my-songs-melody-2" in second.out
    unnamed = improviser("train", songs, *short, "--json")
    assert unnamed.err.startswith(f"saved {folder}")
    assert len(unnamed.out.splitlines()) == 3


def test_a_name_of_its_own_hides_no_bundled_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMPROVISER_MODELS", str(tmp_path / "mine"))
    place = partial(place_in_library, task="melody", resume=False)
    assert place(["bach"]).name == "bach-melody-2.safetensors"
    assert place(["../…"]).name == "my-melody.safetensors"
    begun = place(["songs"])
    path_for(begun).touch()
    assert place(["songs"]).name == "songs-melody-2.safetensors"
    assert place_in_library(["songs"], "melody", resume=True) == begun
