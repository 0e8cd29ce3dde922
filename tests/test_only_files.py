"""Wherever a file is named, what is no regular file is refused in one line, at once: it could hang, or never end."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.commands.drawing import training_points
from improviser.engine.protocol import Loaded, Ready
from improviser.errors import ConfigError, ImproviserError, LogError, ModelError, OutputError
from improviser.files import read_regular
from improviser.library import catalogue
from improviser.recordings.log import FORMAT, VERSION, Header, encode, read
from improviser.recordings.reading import read_session
from improviser.recordings.recorder import Recorder
from improviser.recordings.replaying import replay
from improviser.remote.credentials import access_of
from improviser.settings.config import load
from improviser.settings.schema import Settings
from improviser.settings.toml import read_toml
from improviser.show.soundfont import find_font

pytestmark = pytest.mark.skipif(os.name != "posix", reason="devices and FIFOs have names on Unix alone")

KINDS = ("fifo", "device", "folder", "socket", "missing", "loop", "through")


@pytest.fixture(params=KINDS)
def wrong(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A path that is no regular file."""
    path = tmp_path / "wrong.safetensors"
    match request.param:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "socket":
            import socket

            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
        case "loop":
            path.symlink_to(path)
        case "through":
            (tmp_path / "file").write_text("")
            path = tmp_path / "file" / "wrong.safetensors"
    return path


def test_only_a_regular_file_is_read(wrong: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011  the system has a word of its own for each
        read_regular(wrong, 100)
    right = tmp_path / "right"
    right.write_bytes(b"0123456789")
    assert read_regular(right, 10) == b"0123456789"
    link = tmp_path / "link"
    link.symlink_to(right)
    assert read_regular(link, 10) == b"0123456789"
    with pytest.raises(OSError, match="it has 10 bytes, and 9 are the most"):
        read_regular(right, 9)
    with pytest.raises(OSError, match="no file has such a name"):
        read_regular(Path("a\0b"), 9)


READERS: dict[str, tuple[Callable[[Path], object], type[ImproviserError]]] = {
    "settings": (read_toml, ConfigError),
    "config": (lambda path: load(file=path, environment={}), ConfigError),
    "password": (
        lambda path: access_of(Settings(mqtt="mqtt://me@host", mqtt_password_file=str(path)), {}),
        ConfigError,
    ),
    "authorities": (lambda path: access_of(Settings(mqtt="mqtts://host", mqtt_ca_file=str(path)), {}), ConfigError),
    "certificate": (lambda path: access_of(Settings(mqtt="mqtts://host", mqtt_cert_file=str(path)), {}), ConfigError),
    "log": (read, LogError),
    "training run": (training_points, LogError),
    "model": (catalogue.load_model, ModelError),
    "digest": (catalogue.digest, ModelError),
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_refused(wrong: Path, reader: str) -> None:
    read, error = READERS[reader]
    with pytest.raises(error) as raised:
        read(wrong)
    assert "\n" not in str(raised.value)


def test_a_font_that_is_no_file_is_none(wrong: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "fluidsynth")
    with pytest.raises(LookupError, match="cannot read the SoundFont"):
        find_font(str(wrong))


@pytest.mark.parametrize("kind", ["fifo", "device", "file"])
def test_a_folder_to_record_in_that_is_none_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "wrong"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/null")
    else:
        path.write_text("")
    with pytest.raises(OutputError, match="cannot create the folder"):
        Recorder(path)


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/stdin", "huge.safetensors", "fifo.safetensors", ".", "a\0b"])
def test_a_log_cannot_have_anything_read_but_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo.safetensors")
    with Path("huge.safetensors").open("wb") as file:
        file.truncate(1 << 40)
    header = Header(format=FORMAT, version=VERSION, program="x", numpy="x", began="x")
    path = tmp_path / "session.jsonl"
    path.write_bytes(encode(header) + encode(Ready("loopback", "", "", [Loaded(name, "0" * 64)], {}, 1)))
    with pytest.raises((LogError, ModelError)) as raised:
        replay([read(path)])
    assert "\n" not in str(raised.value)
    assert len(read_session(path).heard) == 0


def test_the_start_is_not_held_up_by_a_password_that_never_comes(tmp_path: Path) -> None:
    fifo = tmp_path / "password"
    os.mkfifo(fifo)
    options = ["--mqtt", "mqtt://me@127.0.0.1:1", "--mqtt-password-file", str(fifo), "--no-record", "--no-display"]
    played = subprocess.run(
        [sys.executable, "-m", "improviser", "play", *options, "--name", f"fifo-{os.getpid()}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "IMPROVISER_CONFIG": ""},
    )
    assert played.returncode == 2
    (line,) = played.stderr.splitlines()
    assert line.startswith("improviser: error: mqtt_password_file: cannot read")
    assert line.endswith("it is not a regular file")
