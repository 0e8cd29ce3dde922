"""The page from its settings: its address is told, its tokens are kept, and what cannot be served says why."""

import asyncio
import socket
import urllib.parse
from pathlib import Path

import pytest

from improviser.commands.web_option import completed
from improviser.engine.bus import Bus
from improviser.errors import ConfigError
from improviser.session.page import SessionPage, lines_of, page_alone, urls
from improviser.settings.page_address import PageAddress
from improviser.settings.serving import ServingSettings
from improviser.web.access import access_of, read_tokens
from tests.servers import free_port

PLAYER, AUDIENCE = "a-token-for-us", "a-token-for-them"


def told_by(settings: ServingSettings) -> list[str]:
    """Return what is told of a page that is opened and closed again."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: uv sync --extra web")
    told: list[str] = []

    async def run() -> None:
        async with SessionPage(settings, None, told.append).taking(Bus()):
            pass

    asyncio.run(run())
    return told


def token_file(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_nothing_is_served_unless_it_is_asked_for() -> None:
    assert told_by(ServingSettings()) == []


def test_the_address_is_told() -> None:
    port = free_port()
    assert told_by(ServingSettings(web=str(port))) == [
        f"the page: http://127.0.0.1:{port}/",
        f"for an audience (watch and listen): http://127.0.0.1:{port}/audience/",
    ]


def test_for_others_a_token_is_part_of_the_address(tmp_path: Path) -> None:
    port = free_port()
    path = token_file(tmp_path, f"{PLAYER}\n{AUDIENCE}\n")
    own, audience, warning = told_by(ServingSettings(web=f"0.0.0.0:{port}", web_token_file=str(path)))
    assert own.endswith(f":{port}/{PLAYER}/")
    assert "0.0.0.0" not in own  # noqa: S104  nobody can go there
    assert audience.endswith(f":{port}/{AUDIENCE}/")
    assert "plain HTTP" in warning
    address = PageAddress("::1", 8000)
    assert urls(address, access_of(address, (), None), 8000)[0] == "http://[::1]:8000/"
    open_to_all = PageAddress("192.0.2.7", 8000)
    access = access_of(open_to_all, ("Studio.example",), None)
    found = urllib.parse.urlsplit(lines_of(open_to_all, access, 8000)[0].partition(": ")[2]).path
    assert access.role(found) == ("player", "")
    assert access.knows_host("studio.example:8000")


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        ("", 0o600, "must be a token"),
        ("short", 0o600, "must be a token"),
        ("has/a/slash/in/it", 0o600, "must be a token"),
        (f"{PLAYER}\n{PLAYER}", 0o600, "must differ"),
        pytest.param(PLAYER, 0o644, "chmod 600", marks=pytest.mark.unix),
        (b"\xff\xfe" * 20, 0o600, "not UTF-8"),
    ],
)
def test_a_file_that_keeps_no_secret_is_refused(tmp_path: Path, text: str | bytes, mode: int, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_tokens(token_file(tmp_path, text, mode))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        read_tokens(tmp_path / "none")


def test_with_one_token_the_audiences_is_a_new_one_each_time(tmp_path: Path) -> None:
    path = token_file(tmp_path, PLAYER)
    (one, first), (two, second) = read_tokens(path), read_tokens(path)
    assert one == two == PLAYER
    assert first != second


def test_a_port_that_is_taken_is_said_and_the_usual_one_gives_way() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}: .*name another"):
            told_by(ServingSettings(web=str(port)))
    own = told_by(ServingSettings(web="on"))[0]
    with socket.create_server(("127.0.0.1", urllib.parse.urlsplit(own.partition(": ")[2]).port or 0)):
        other = told_by(ServingSettings(web="on"))[0]
    assert own != other


def test_a_host_that_is_not_there_is_said() -> None:
    with pytest.raises(ConfigError, match=r"cannot be served at 203\.0\.113\.9"):
        told_by(ServingSettings(web="203.0.113.9:8000"))


def test_the_option_may_stand_alone() -> None:
    assert completed(["--web"]) == ["--web", "on"]
    assert completed(["--web", "--seed", "1"]) == ["--web", "on", "--seed", "1"]
    assert completed(["--web", "open", "--seed", "1"]) == ["--web", "open", "--seed", "1"]
    assert completed(["--web=8000"]) == ["--web=8000"]
    assert completed([]) == []
    with pytest.raises(ConfigError, match="--web: web must be"):
        page_alone("nowhere", print)
