"""One session per name: the second is refused, what is left of a dead one is no obstacle, and a live one answers."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from improviser.errors import ConfigError, SessionError
from improviser.remote import instance as instance_module
from improviser.remote.instance import Instance, ask, running, runtime_folder

NAMES = ["improviser", "left hand", "..", "é" * 40, "x" * 40, "CON", "nul", "Improviser", "*", "$(reboot)"]


@pytest.fixture(autouse=True, params=["socket", "port"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a session answers: on a socket of Unix's, or on a port of the loopback interface, as on Windows."""
    if request.param == "port":
        monkeypatch.setattr(instance_module, "HAS_UNIX_SOCKETS", False)
    elif not instance_module.HAS_UNIX_SOCKETS:
        pytest.skip("this system has no such sockets")
    return str(request.param)


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    for variable in ("XDG_RUNTIME_DIR", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
        monkeypatch.setenv(variable, str(folder))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_taken_until_it_is_given_back(name: str) -> None:
    first = Instance(name)
    with pytest.raises(ConfigError, match=rf"plays already \(process {os.getpid()}\); .* another --name"):
        Instance(name)
    assert running() == [name]
    first.close()
    assert running() == []
    Instance(name).close()


def test_other_names_are_free() -> None:
    instances = [Instance(name) for name in NAMES]
    assert running() == sorted(NAMES)
    for instance in instances:
        instance.close()


def test_what_a_killed_one_left_is_no_obstacle() -> None:
    script = "from improviser.remote.instance import Instance; import os; i = Instance('x'); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode in (-9, 9)  # 9: on Windows
    assert (runtime_folder() / "x.lock").read_bytes()
    assert running() == []
    Instance("x").close()


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_nobody_else_can_look(way: str) -> None:
    async def scene() -> None:
        instance = Instance("x")
        await instance.answer(dict)
        modes = {path.name: path.stat().st_mode & 0o777 for path in runtime_folder().iterdir()}
        assert modes == {"x.lock": 0o600, {"socket": "x.sock", "port": "x.port"}[way]: 0o600}
        assert runtime_folder().stat().st_mode & 0o777 == 0o700
        instance.close()

    asyncio.run(scene())


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_whoever_asks_and_no_longer_than_it_lives(name: str) -> None:
    async def scene() -> None:
        instance = Instance(name)
        await instance.answer(lambda: {"name": name, "long": "x" * 100_000})
        for _ in range(3):
            assert (await asyncio.to_thread(ask, name))["name"] == name
        instance.close()
        with pytest.raises(SessionError, match=r"no session plays under the name .*; none is running"):
            await asyncio.to_thread(ask, name)

    asyncio.run(scene())


def test_the_socket_of_a_dead_one_is_replaced(way: str) -> None:
    async def scene() -> None:
        (runtime_folder() / {"socket": "x.sock", "port": "x.port"}[way]).touch()
        instance = Instance("x")
        await instance.answer(lambda: {"alive": True})
        assert await asyncio.to_thread(ask, "x") == {"alive": True}
        instance.close()

    asyncio.run(scene())


def test_somebody_who_asks_and_goes_is_forgotten(way: str) -> None:
    async def scene() -> None:
        instance = Instance("x")
        await instance.answer(lambda: {"long": "x" * 1_000_000})
        for _ in range(3):
            if way == "socket":
                _, writer = await asyncio.open_unix_connection(runtime_folder() / "x.sock")
            else:
                _, writer = await asyncio.open_connection("127.0.0.1", port_of("x"))
            writer.transport.abort()
        assert await asyncio.to_thread(ask, "x")
        instance.close()

    asyncio.run(scene())


def test_one_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improviser.remote.instance.ANSWER_SECONDS", 0.1)

    async def scene() -> None:
        instance = Instance("x")
        await instance.answer(dict)
        with pytest.raises(SessionError, match="does not answer"):
            ask("x")  # in the loop that would have to answer
        instance.close()

    asyncio.run(scene())


def port_of(name: str) -> int:
    """Return the port on which a session answers."""
    return int(json.loads((runtime_folder() / f"{name}.port").read_bytes())["port"])


@pytest.mark.parametrize("said", [b"", b"x" * 32, b"x" * 100_000, b"GET / HTTP/1.1\r\n\r\n"])
def test_who_does_not_know_the_token_is_told_nothing(said: bytes, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "socket":
        pytest.skip("who may open the socket may ask")

    async def scene() -> None:
        instance = Instance("x")
        await instance.answer(lambda: {"secret": 1})
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of("x"))
        writer.write(said)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        assert await asyncio.to_thread(ask, "x") == {"secret": 1}
        instance.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"port": 99999999, "token": ""}', b'{"port": 1, "token": "zz"}']
)
def test_a_damaged_file_of_a_session_is_said_in_one_line(content: bytes, way: str) -> None:
    if way == "socket":
        pytest.skip("there is no such file")
    (runtime_folder() / "x.port").write_bytes(content)
    with pytest.raises(SessionError, match=r"x"):
        ask("x")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write everywhere")
def test_where_nothing_can_be_written_one_plays_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    Path(os.environ["XDG_RUNTIME_DIR"]).chmod(0o500)
    Instance("x").close()
    assert "cannot keep others" in caplog.text or running() == []
