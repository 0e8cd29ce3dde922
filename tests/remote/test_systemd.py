"""What systemd is told, by a socket of the test's that stands in for systemd's, and the unit that it reads."""

import asyncio
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from improviser.remote.systemd import Notifier, unit

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        yield listener


@linux_only
@pytest.mark.unix
class TestNotifier:
    def test_it_tells_how_it_is(self, systemd: socket.socket) -> None:
        notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname()})
        notifier.ready("plays\non jack")
        notifier.reloading()
        notifier.stopping()
        told = [systemd.recv(1000).decode() for _ in range(3)]
        assert told[0] == "READY=1\nSTATUS=plays on jack"
        assert told[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
        assert told[2] == "STOPPING=1"

    def test_names_without_a_file_are_understood(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(f"\0improviser-test-{os.getpid()}")
            listener.settimeout(5)
            Notifier({"NOTIFY_SOCKET": f"@improviser-test-{os.getpid()}"}).stopping()
            assert listener.recv(100) == b"STOPPING=1"

    @pytest.mark.parametrize(
        ("environment", "interval"),
        [
            ({}, None),
            ({"WATCHDOG_USEC": "375000"}, 0.125),
            ({"WATCHDOG_USEC": "375000", "WATCHDOG_PID": str(os.getpid())}, 0.125),
            ({"WATCHDOG_USEC": "375000", "WATCHDOG_PID": "1"}, None),
            ({"WATCHDOG_USEC": "nonsense"}, None),
            ({"WATCHDOG_USEC": "0"}, None),
        ],
    )
    def test_it_says_that_it_lives_if_that_is_watched(
        self, environment: dict[str, str], interval: float | None
    ) -> None:
        assert Notifier(environment).interval_seconds == interval

    def test_what_a_busy_systemd_does_not_take_at_once_comes_later_in_order(self, systemd: socket.socket) -> None:
        async def scene() -> list[str]:
            notifier = Notifier({"NOTIFY_SOCKET": systemd.getsockname()})
            wanted = [f"number {number}" for number in range(500)]
            for status in wanted:
                notifier.ready(status)
            told: list[str] = []
            while len(told) < len(wanted):
                told.append((await asyncio.to_thread(systemd.recv, 1000)).decode().partition("STATUS=")[2])
            assert told == wanted
            return told

        assert len(asyncio.run(scene())) == 500

    def test_it_says_so_again_and_again(self, systemd: socket.socket) -> None:
        async def live() -> None:
            living = asyncio.ensure_future(
                Notifier({"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "30000"}).live()
            )
            for _ in range(3):
                assert await asyncio.to_thread(systemd.recv, 100) == b"WATCHDOG=1"
            living.cancel()

        asyncio.run(live())

    @pytest.mark.parametrize("address", ["", "/there/is/none", "@nobody"])
    def test_without_anybody_to_tell_nothing_happens(self, address: str) -> None:
        Notifier({"NOTIFY_SOCKET": address}).ready("plays")


def settings(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


class TestUnit:
    def test_every_word_of_the_command_stays_one(self) -> None:
        words = ["/usr/bin/python", "play", "a b", 'say "x"', "100%", "$HOME", "back\\slash", "it's", ""]
        start = settings(unit(words, "x"))["ExecStart"]
        assert shlex.split(start.replace("%%", "%").replace("$$", "$")) == words

    def test_it_is_of_the_kind_that_tells(self) -> None:
        said = settings(unit(["x"], "Improviser"))
        assert (said["Type"], said["NotifyAccess"], said["Description"]) == ("notify", "main", "Improviser")
        assert int(said["WatchdogSec"]) > 0
        assert said["RestartPreventExitStatus"] == "2"

    @linux_only
    def test_systemd_can_read_it(self, tmp_path: Path) -> None:
        if shutil.which("systemd-analyze") is None:
            pytest.skip("systemd-analyze is not installed")
        path = tmp_path / "improviser.service"
        path.write_text(unit([sys.executable, "-m", "improviser", "play", "--name", "a b%"], "Improviser (a b)"))
        checked = subprocess.run(
            ["systemd-analyze", "verify", "--user", path], capture_output=True, text=True, check=False
        )
        if "Failed to" in checked.stderr and "initialize manager" in checked.stderr:
            pytest.skip("systemd-analyze needs more of a system than there is")
        assert not [line for line in checked.stderr.splitlines() if "improviser.service" in line]
