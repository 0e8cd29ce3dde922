"""`improviser models`, `inspect`, `import-bach-generator` and `render`: what they print, write and refuse."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from improviser.commands.models import STYLES
from improviser.core.echo.model import EchoModel
from improviser.library import catalogue
from improviser.library.catalogue import load_model
from improviser.library.model_file import read
from improviser.midifile import read_midi, write_midi
from tests.command import CommandLine
from tests.core.echo.original import recorded
from tests.library.test_model_file import HOSTILE
from tests.melodies import BROKEN, TUNE, broken_midi_files, piece, timed


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """All recorded networks, in the original's format."""
    path = tmp_path / "models.json"
    path.write_text(json.dumps([echo.layers() for echo in recorded()]))
    return path


def test_models_lists_the_bundled_and_ones_own(improviser: CommandLine, model: Path) -> None:
    shelf = catalogue.user_folder()
    shelf.mkdir()
    (shelf / "mine.safetensors").write_bytes(model.read_bytes())
    (shelf / "broken.safetensors").write_bytes(b"nothing")
    listed = improviser("models")
    assert listed.code == 0
    assert "echo " in listed.out
    assert "mine " in listed.out
    assert "yours" in listed.out
    assert max(map(len, listed.out.splitlines()[:-1])) <= 80
    assert "broken.safetensors" in listed.err
    bundled = {entry.name for entry in catalogue.listing() if entry.bundled}
    assert bundled == {*STYLES}
    rows = {row["name"]: row for row in json.loads(improviser("models", "--json").out)}
    assert (rows["echo"]["bundled"], rows["echo"]["task"], rows["mine"]["bundled"]) == (True, "echo", False)
    assert rows["broken"]["problem"]


def test_inspect_describes_a_model(improviser: CommandLine) -> None:
    shown = improviser("inspect", "echo")
    assert shown.code == 0
    assert "task: echo" in shown.out
    assert "layers: 10, 20, 20, 1" in shown.out
    assert "demo-tune" in shown.out
    values = json.loads(improviser("inspect", "echo", "--json").out)
    assert (values["task"], values["parameters"], values["settings"]["nodes"]) == ("echo", 620, [10, 20, 20, 1])
    assert values["provenance"]["options"]["seed"] == 1
    assert values["scores"]["rating"] > 0.9
    assert values["layers"] == [10, 20, 20, 1]


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_models_are_refused_everywhere(improviser: CommandLine, tmp_path: Path, tune: Path, kind: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(HOSTILE[kind])
    assert improviser("inspect", path).refused("bad.safetensors")
    assert improviser("render", tune, "out.mid", "--model", path).refused("bad.safetensors")
    assert improviser.files() == set()


def test_an_unknown_model_brings_the_nearest(improviser: CommandLine, tune: Path) -> None:
    assert improviser("inspect", "ehco").refused("'ehco'", "'echo'")
    assert improviser("render", tune, "out.mid", "--model", "none.safetensors").refused("none.safetensors")
    assert improviser("inspect", ".").refused("folder")


@pytest.mark.parametrize("index", range(len(recorded())))
def test_an_imported_model_plays_what_the_original_played(
    improviser: CommandLine, originals: Path, tmp_path: Path, index: int
) -> None:
    echo = recorded()[index]
    write_midi(
        tmp_path / "heard.mid",
        piece(timed(pitch, 240 * place, 240 * place + 200) for place, pitch in enumerate(echo.pitches)),
    )
    imported = improviser("import-bach-generator", originals, "ours.safetensors", "--index", index)
    assert imported.code == 0
    assert improviser("render", tmp_path / "heard.mid", "out.mid", "--model", "ours.safetensors").code == 0
    played = read_midi(improviser.folder / "out.mid").notes
    assert [note.note.pitch for note in played] == echo.played
    loaded = load_model(improviser.folder / "ours.safetensors")
    assert isinstance(loaded, EchoModel)
    assert loaded.network.genome.tolist() == [weight for layer in echo.weights for weight in layer]
    source = read(improviser.folder / "ours.safetensors").provenance["imported_from"]
    assert (source["file"], source["index"]) == ("models.json", index)


@pytest.mark.parametrize("index", [-1, 8, 10**9])
def test_an_index_out_of_range_says_how_many_there_are(improviser: CommandLine, originals: Path, index: int) -> None:
    done = improviser("import-bach-generator", originals, "ours.safetensors", "--index", index)
    assert done.refused("--index", "8 models")
    assert improviser.files() == set()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[[[[0.5], [1, 2]], [[]]]]", '[[[["a"]], [[]]]]', "[[[[NaN]], [[]]]]", "[3]"]
)
def test_files_that_are_not_the_originals_are_refused(improviser: CommandLine, tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    assert improviser("import-bach-generator", tmp_path / "odd.json", "ours.safetensors").refused("odd.json")
    assert improviser.files() == set()


def test_render_answers_every_note_and_the_seed_decides(improviser: CommandLine, tune: Path, model: Path) -> None:
    assert improviser("render", tune, "a.mid", "--model", model).code == 0
    assert improviser("render", tune, "b.mid", "--model", model, "--with-input").code == 0
    assert len(read_midi(improviser.folder / "a.mid").notes) == 3 * len(TUNE)
    assert len(read_midi(improviser.folder / "b.mid").notes) == 6 * len(TUNE)


@pytest.mark.parametrize("kind", BROKEN)
def test_render_refuses_broken_midi_files(improviser: CommandLine, tmp_path: Path, model: Path, kind: str) -> None:
    path = broken_midi_files(tmp_path)[kind]
    assert improviser("render", path, "out.mid", "--model", model).refused(path.name)
    assert improviser.files() == set()


def test_render_refuses_what_cannot_be(improviser: CommandLine, tune: Path, model: Path) -> None:
    for option, value in (("--temperature", "-1"), ("--temperature", "nan"), ("--seed", "-1")):
        assert improviser("render", tune, "out.mid", "--model", model, option, value).refused(option)
    assert improviser("render", tune, "no/out.mid", "--model", model).refused("no/out.mid")
    assert improviser("render", "none.mid", "out.mid", "--model", model).refused("none.mid")
    assert improviser.files() == set()


LONG = "a" * 300


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", LONG),
        ("render", "tune.mid", LONG),
        ("render", "tune.mid", "out.mid", "--model", LONG),
        ("picture", LONG),
        ("report", LONG),
        ("report", "."),
        ("report", "/"),
        ("config", "init", LONG),
        ("demo", "--model", LONG, "--no-display"),
        ("demo", "--seed", "9" * 25, "--no-display"),
        ("play", "--name", "a\udcff"),
        ("play", "--name", "a\n"),
    ],
)
def test_names_that_cannot_be_end_in_a_line(improviser: CommandLine, tune: Path, words: tuple[str, ...]) -> None:
    assert tune.name == "tune.mid"
    before = improviser.files()
    ended = improviser(*words)
    assert ended.code in (1, 2)
    assert "error" in ended.err.lower()
    assert "Traceback" not in ended.err
    assert improviser.files() == before


def test_a_name_as_long_as_can_be_will_do(improviser: CommandLine, tune: Path, model: Path) -> None:
    name = "b" * 251 + ".mid"
    assert improviser("render", tune, name, "--model", model).code == 0
    assert name in improviser.files()


@pytest.mark.skipif(os.name != "posix" or not Path("/dev/full").exists(), reason="there is no full disk")
@pytest.mark.parametrize(
    "outputs", ["models >/dev/full", "--version >/dev/full", "models >&-", "models >&- 2>&-", "models <&- >/dev/null"]
)
def test_an_output_that_cannot_be_written_ends_in_a_line(outputs: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f'"$0" -m improviser {outputs}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    full = "full" in outputs
    assert ran.returncode == (1 if full else 0)
    assert len(ran.stderr.splitlines()) == full


@pytest.mark.skipif(os.name != "posix" or not Path("/dev/full").exists(), reason="there is no full disk")
def test_a_complaint_that_cannot_be_written_changes_no_exit_code() -> None:
    command = ["sh", "-c", '"$0" -m improviser inspect no-such-model 2>/dev/full', sys.executable]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 2
