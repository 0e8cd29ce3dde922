"""What commands write goes over no file that is there, unless it is asked for, and over nothing that is no file."""

import json
import os
import socket
from pathlib import Path

import pytest

from improviser.library import catalogue
from improviser.midifile import read_midi
from improviser.session.demo import FILES
from tests.command import CommandLine
from tests.core.echo.original import recorded
from tests.melodies import TUNE, write_melody
from tests.show.test_session_page import log_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="devices, pipes and links as Unix has them")

QUICK = ("--task", "echo", "--generations", 2, "--population", 9)
# What writes, and the option or argument that comes last: the file.
WRITES: dict[str, tuple[object, ...]] = {
    "render": ("render", "in.mid"),
    "picture": ("picture", "in.mid", "-o"),
    "report": ("report", "in.mid", "-o"),
    "replay": ("replay", "log.jsonl"),
    "import": ("import-bach-generator", "models.json"),
    "train": ("train", "in.mid", *QUICK, "--no-report", "-o"),
    "demo": ("demo", "--seconds", 1, "--no-display", "--picture"),
    "config": ("config", "init"),
}
# What reads: what comes before and after its file, and how that is called.
READS: dict[str, tuple[tuple[object, ...], tuple[object, ...], str]] = {
    "render": (("render",), ("out.mid",), "in"),
    "model of render": (("render", "in.mid", "out.mid", "--model"), (), "model.safetensors"),
    "picture of a tune": (("picture", "-o", "out.svg"), (), "tune.mid"),
    "picture of a session": (("picture", "-o", "out.svg"), (), "session.jsonl"),
    "picture of a model": (("picture", "-o", "out.svg"), (), "model.safetensors"),
    "report": (("report", "-o", "out.html"), (), "tune.mid"),
    "report of a log": (("report", "-o", "out.html"), (), "session.jsonl"),
    "replay": (("replay",), ("out.mid",), "session.jsonl"),
    "import": (("import-bach-generator",), ("out.safetensors",), "other.json"),
    "train": (("train", "-o", "out.safetensors", *QUICK), (), "tune.mid"),
    "evaluate": (("evaluate", "bach-melody"), (), "tune.mid"),
    "model of evaluate": (("evaluate",), ("in.mid",), "model.safetensors"),
    "inspect": (("inspect",), (), "model.safetensors"),
    "play": (("play", "--no-record", "--no-display", "--input"), (), "tune.mid"),
    "settings": (("play", "--no-record", "--no-display", "--config"), (), "settings.toml"),
    "check": (("config", "check"), (), "settings.toml"),
}


@pytest.fixture
def there(improviser: CommandLine) -> CommandLine:
    """A folder with something to read for everything."""
    write_melody(improviser.folder / "in.mid", TUNE * 3)
    log = log_of(improviser.folder / "log.jsonl")
    log.write_text(log.read_text().replace("0" * 64, catalogue.digest("bach-bass")))
    (improviser.folder / "models.json").write_text(json.dumps([echo.layers() for echo in recorded()]))
    return improviser


def special(folder: Path, kind: str, name: str = "special") -> Path:
    """Return what is no regular file."""
    path = folder / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    elif kind == "folder":
        path.mkdir()  # an empty one: as a source, too, it is refused
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "link to itself":
        path.symlink_to(path)
    else:  # where it is a link, it has the name that it needs
        return Path("/dev/null")
    return path


@pytest.mark.parametrize("command", WRITES.values(), ids=WRITES.keys())
def test_a_file_that_is_there_is_written_over_only_with_force(there: CommandLine, command: tuple[object, ...]) -> None:
    mine = there.folder / "mine"
    mine.write_bytes(b"mine")
    assert there(*command, mine).refused("mine", "--force")
    assert mine.read_bytes() == b"mine"
    assert there(*command, mine, "--force").code == (1 if command[0] == "replay" else 0)  # another played then
    assert mine.read_bytes() != b"mine"


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "link to a device", "link to itself", "device"])
@pytest.mark.parametrize("command", WRITES.values(), ids=WRITES.keys())
def test_only_files_are_written_over(there: CommandLine, command: tuple[object, ...], kind: str) -> None:
    path = special(there.folder, kind)
    before = os.lstat(path)
    assert there(*command, path, "--force").refused(path.name)
    assert os.path.samestat(before, os.lstat(path))
    assert os.lstat(path).st_mode == before.st_mode


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "link to a device"])
@pytest.mark.parametrize(("before", "after", "name"), READS.values(), ids=READS.keys())
def test_only_files_are_read(
    there: CommandLine, before: tuple[object, ...], after: tuple[object, ...], name: str, kind: str
) -> None:
    """Neither does a pipe without a writer keep anything waiting, nor is an endless device read."""
    path = special(there.folder, kind, name)
    files = there.files()
    assert there(*before, path, *after).refused(path.name)
    assert there.files() == files


def test_a_soundfont_that_is_no_file_keeps_nothing_waiting(there: CommandLine) -> None:
    """The page sounds by the built-in synthesiser then, as without FluidSynth."""
    os.mkfifo(there.folder / "font.sf2")
    done = there("report", "in.mid", "--soundfont", "font.sf2")
    assert done.code == 0
    assert "font.sf2" in done.err or "FluidSynth" in done.err


def test_the_page_of_a_report_is_not_written_over_either(there: CommandLine) -> None:
    page = there.folder / "in.html"
    assert there("report", "in.mid").code == 0
    page.write_text("mine")
    assert there("report", "in.mid").refused("in.html", "--force")
    assert page.read_text() == "mine"
    assert there("report", "in.mid", "--force").code == 0


def test_through_a_link_the_file_is_written_and_the_link_stays(there: CommandLine) -> None:
    (there.folder / "elsewhere").mkdir()
    link, target = there.folder / "link.mid", there.folder / "elsewhere" / "out.mid"
    link.symlink_to(target)
    assert there("render", "in.mid", "link.mid").code == 0
    assert link.is_symlink()
    notes = len(read_midi(target).notes)
    assert notes == 3 * len(TUNE)
    assert there("render", "in.mid", "link.mid").refused("link.mid", "--force")
    target.write_bytes(b"")
    assert there("render", "in.mid", "link.mid", "--force").code == 0
    assert link.is_symlink()
    assert len(read_midi(target).notes) == notes


class TestTrain:
    """The model, the report beside it, and the checkpoint."""

    def test_a_model_is_kept_before_anything_is_read(self, there: CommandLine) -> None:
        (there.folder / "a.safetensors").write_bytes(b"two minutes of work")
        assert there("train", "none.mid", *QUICK, "-o", "a.safetensors").refused("a.safetensors", "--force")
        assert there("train", "none.mid", *QUICK, "-o", "a.safetensors", "--resume").refused("a.safetensors", "--force")
        assert (there.folder / "a.safetensors").read_bytes() == b"two minutes of work"
        assert there("train", "in.mid", *QUICK, "-o", "a.safetensors", "--force").code == 0
        assert there.files() >= {"a.safetensors", "a.md", "a.svg", "a.jsonl"}
        assert there("train", "in.mid", *QUICK, "-o", "a.safetensors", "--force").code == 0

    def test_a_run_that_has_not_ended_is_gone_on_with_or_given_up(self, there: CommandLine) -> None:
        name = there.folder / "a.safetensors"
        assert there("train", "in.mid", *QUICK, "-o", name).code == 0
        checkpoint = there.folder / "a.safetensors.checkpoint"
        checkpoint.write_bytes(b"hours of work")
        assert there("train", "in.mid", *QUICK, "-o", name).refused("checkpoint", "--resume", "--force")
        assert there("train", "in.mid", *QUICK, "-o", name, "--resume").refused("checkpoint")  # it is no checkpoint
        assert checkpoint.read_bytes() == b"hours of work"
        assert there("train", "in.mid", *QUICK, "-o", name, "--force").code == 0
        assert not checkpoint.exists()

    @pytest.mark.parametrize("suffix", [".checkpoint", ".checkpoint.unfinished"])
    def test_a_pipe_in_place_of_a_checkpoint_keeps_nothing_waiting(self, there: CommandLine, suffix: str) -> None:
        os.mkfifo(there.folder / f"a.safetensors{suffix}")
        assert there("train", "in.mid", *QUICK, "-o", "a.safetensors").refused(suffix, "regular")


class TestDemo:
    """The demo renews what a demo has written, and nothing else."""

    PLAY = ("demo", "--seconds", 1, "--no-display", "--model", "echo")

    def test_it_may_be_run_again(self, improviser: CommandLine) -> None:
        for seed in (1, 2):
            assert improviser(*self.PLAY, "--seed", seed).code == 0
        assert improviser.files() == {"demo", *(f"demo/{name}" for name in FILES)}
        (improviser.folder / "demo" / "session.wav").unlink()
        assert improviser(*self.PLAY).code == 0

    @pytest.mark.parametrize("name", FILES)
    def test_what_is_not_its_own_stays(self, improviser: CommandLine, name: str) -> None:
        (improviser.folder / "demo").mkdir()
        mine = improviser.folder / "demo" / name
        mine.write_bytes(b"mine")
        assert improviser(*self.PLAY).refused(name, "--force")
        assert mine.read_bytes() == b"mine"
        assert improviser(*self.PLAY, "--force").code == 0
        assert mine.read_bytes() != b"mine"

    @pytest.mark.parametrize("name", FILES)
    def test_what_was_changed_since_stays(self, improviser: CommandLine, name: str) -> None:
        assert improviser(*self.PLAY).code == 0
        changed = improviser.folder / "demo" / name
        changed.write_bytes(b"mine")
        later = (improviser.folder / "demo" / FILES[-1]).stat().st_mtime + 1
        os.utime(changed, (later, later))
        assert improviser(*self.PLAY).refused("--force")
        assert changed.read_bytes() == b"mine"
