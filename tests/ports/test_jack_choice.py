"""Which libjack is chosen: jackd's if its server answers, PipeWire's where only that does; and how its end is seen."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest

from improviser.ports import jack_choice
from improviser.ports.jack_choice import choose, shown
from improviser.ports.pipewire_watch import ServerWatch

pytestmark = [
    pytest.mark.unix,
    pytest.mark.skipif(sys.platform != "linux", reason="there is no choice of libjack here"),
]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with TemporaryDirectory() as name:  # a socket's path must be short
        folder = Path(name)
        monkeypatch.setattr(jack_choice, "SOCKETS", folder)
        monkeypatch.setattr(jack_choice, "SYSTEM_FOLDER", str(folder / "none"))
        monkeypatch.setenv("JACK_DEFAULT_SERVER", "mine")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
        monkeypatch.delenv("PIPEWIRE_RUNTIME_DIR", raising=False)
        monkeypatch.delenv("PIPEWIRE_REMOTE", raising=False)
        monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
        yield folder


def listen(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


@pytest.fixture
def library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PipeWire's libjack, where distributions put it."""
    monkeypatch.setattr(jack_choice, "FOLDERS", (str(folder / "lib"),))
    return install(folder / "lib" / "x-linux-gnu" / "pipewire-0.3" / "jack" / "libjack.so.0")


def install(path: Path, machine: bytes | None = None) -> Path:
    """Write what begins like a library that is made for a processor, by default for this one."""
    path.parent.mkdir(parents=True)
    head = bytearray(Path(sys.executable).read_bytes()[:64])
    if machine is not None:
        head[18:20] = machine
    path.write_bytes(head)
    return path


@pytest.mark.usefixtures("library")
def test_without_any_server_the_systems_library_is_left_to_say_so() -> None:
    choice = choose()
    assert (choice.server, choice.library) == ("", None)
    assert "neither a jackd named 'mine' nor a PipeWire answers" in choice.reason


def test_where_only_pipewire_answers_its_library_is_chosen(folder: Path, library: Path) -> None:
    with listen(folder / "pipewire-0"):
        choice = choose()
    assert (choice.server, choice.library) == ("PipeWire", library)
    assert f"PipeWire answers at {folder}/pipewire-0, no jackd named 'mine' does" in choice.reason


@pytest.mark.usefixtures("library")
def test_where_jackd_answers_too_it_goes_first_and_says_so(folder: Path) -> None:
    with listen(folder / "pipewire-0"), listen(folder / f"jack_mine_{os.getuid()}_0"):
        choice = choose()
        assert (choice.server, choice.library) == ("jackd", None)
        assert "PipeWire answers as well" in choice.reason
        assert shown("jackd") == " (jackd, though PipeWire runs as well)"
    assert shown("jackd") == ""


def test_who_is_on_pipewire_already_stays_there_whatever_starts(folder: Path, library: Path) -> None:
    with listen(folder / "pipewire-0"), listen(folder / f"jack_mine_{os.getuid()}_0"):
        choice = choose("PipeWire")
    assert (choice.server, choice.library) == ("PipeWire", library)
    assert "jackd's server 'mine' answers as well" in choice.reason


@pytest.mark.usefixtures("library")
def test_who_is_on_jackd_already_stays_there_even_while_it_stands_still(folder: Path) -> None:
    with listen(folder / "pipewire-0"):
        assert choose("jackd").server == "jackd"


def test_a_socket_that_a_dead_server_left_is_no_server(folder: Path, library: Path) -> None:
    listen(folder / f"jack_mine_{os.getuid()}_0").close()
    with listen(folder / "pipewire-0"):
        assert choose().library == library


@pytest.mark.usefixtures("library")
def test_who_has_chosen_keeps_what_was_chosen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/usr/${LIB}/pipewire-0.3/jack")
    with listen(folder / "pipewire-0"):
        choice = choose()
    assert (choice.server, choice.library) == ("PipeWire", None)


def test_where_pipewires_libjack_is_not_installed_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jack_choice, "FOLDERS", (str(folder / "nowhere"),))
    with listen(folder / "pipewire-0"):
        choice = choose()
    assert (choice.server, choice.library) == ("", None)
    assert "its libjack is not installed" in choice.reason
    assert "pipewire-jack" in choice.remedy


def test_a_library_for_another_processor_is_passed_over(folder: Path, library: Path) -> None:
    install(folder / "lib" / "a-linux-gnu" / "pipewire-0.3" / "jack" / "libjack.so.0", machine=b"\x00\x00")
    empty = folder / "lib" / "b-linux-gnu" / "pipewire-0.3" / "jack" / "libjack.so.0"
    empty.parent.mkdir(parents=True)
    empty.touch()
    assert jack_choice.pipewire_library() == library


def test_a_pipewire_for_the_whole_machine_is_found_where_the_user_has_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "system").mkdir()
    monkeypatch.setattr(jack_choice, "SYSTEM_FOLDER", str(folder / "system"))
    assert jack_choice.pipewire_socket() is None
    with listen(folder / "system" / "pipewire-0"):
        assert jack_choice.pipewire_socket() == folder / "system" / "pipewire-0"


class OnPipeWire(ModuleType):
    """JACK-Client's module, as it is on PipeWire."""

    @staticmethod
    def version_string() -> str:
        return "3.0.0.0 (using PipeWire 0.3.65)"


def test_the_end_of_a_pipewire_is_seen_at_once(folder: Path) -> None:
    with listen(folder / "pipewire-0") as server:
        watch = ServerWatch(OnPipeWire("jack"))
        server.accept()[0].close()  # who only looked whether it answers
        connection, _ = server.accept()
        seen = [watch.gone]
        connection.sendall(b"whatever it may say")
        connection.close()
        seen.append(watch.gone)
    watch.close()
    seen.append(watch.gone)
    assert seen == [False, True, False]


def test_of_a_jackd_nothing_is_watched(folder: Path) -> None:
    with listen(folder / "pipewire-0") as server:
        watch = ServerWatch(ModuleType("jack"))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
        assert not watch.gone
