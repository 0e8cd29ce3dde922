"""Which libjack is loaded: jackd's where its server answers, PipeWire's where only that does."""

import ctypes
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from improviser.ports import jack_choice

pytestmark = pytest.mark.unix


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with TemporaryDirectory() as name:  # a socket's path must be short
        folder = Path(name)
        monkeypatch.setattr(jack_choice, "SOCKETS", folder)
        monkeypatch.setenv("JACK_DEFAULT_SERVER", "mine")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        monkeypatch.delenv("PIPEWIRE_RUNTIME_DIR", raising=False)
        monkeypatch.delenv("PIPEWIRE_REMOTE", raising=False)
        monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
        yield folder


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is loaded into the process, instead of which it is written down."""
    loaded: list[str] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name, mode: loaded.append(name))
    monkeypatch.setattr(jack_choice, "pipewire_library", lambda: Path("/there/libjack.so.0"))
    return loaded


def listen(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_without_any_server_nothing_is_chosen(folder: Path, loaded: list[str]) -> None:
    jack_choice.choose_library()
    assert loaded == []


def test_where_only_pipewire_answers_its_library_is_loaded(folder: Path, loaded: list[str]) -> None:
    with listen(folder / "pipewire-0"):
        jack_choice.choose_library()
    assert loaded == ["/there/libjack.so.0"]


def test_where_jackd_answers_too_it_is_left_to_that(folder: Path, loaded: list[str]) -> None:
    with listen(folder / "pipewire-0"), listen(folder / f"jack_mine_{os.getuid()}_0"):
        jack_choice.choose_library()
    assert loaded == []


def test_a_socket_that_a_dead_server_left_is_no_server(folder: Path, loaded: list[str]) -> None:
    listen(folder / f"jack_mine_{os.getuid()}_0").close()
    with listen(folder / "pipewire-0"):
        jack_choice.choose_library()
    assert loaded == ["/there/libjack.so.0"]


def test_who_has_chosen_keeps_what_was_chosen(folder: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/${LIB}/pipewire-0.3/jack")
    with listen(folder / "pipewire-0"):
        jack_choice.choose_library()
    assert loaded == []


def test_the_library_is_found_where_distributions_put_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jack_choice, "FOLDERS", (str(tmp_path),))
    assert jack_choice.pipewire_library() is None
    library = tmp_path / "aarch64-linux-gnu" / "pipewire-0.3" / "jack" / "libjack.so.0"
    library.parent.mkdir(parents=True)
    library.touch()
    assert jack_choice.pipewire_library() == library
