"""Releases by a client of our own on real JACK: all is heard, however much, and no release freezes the process."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.jack_peer import JackPeer
from tests.servers import JackServer

pytestmark = pytest.mark.jack

RELEASES = """
import os, sys, threading
from improviser.ports.jack_library import load_jack
from improviser.ports.jack_release import ReleaseClient

def keep_the_interpreter_busy():
    while True:
        sum(range(200_000))

releasing = ReleaseClient(load_jack(), "releasing")
for _ in range(2):
    threading.Thread(target=keep_the_interpreter_busy, daemon=True).start()
ends = [bytes((0x80 | channel, pitch, 64)) for channel in range(16) for pitch in range(128)]
for _ in range(int(sys.argv[1])):
    reached = releasing.release(sys.argv[3:], ends[: int(sys.argv[2])])
    print(len(reached), flush=True)
os._exit(0)
"""


def releases(server: JackServer, number: int, messages: int, *peers: str) -> list[str]:
    """Return to how many peers each release of so many messages went, of a process that is busy."""
    done = subprocess.run(
        [sys.executable, "-c", RELEASES, str(number), str(messages), *peers],
        env={**os.environ, **server.client_environment},
        capture_output=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.decode().split()


def test_each_destination_hears_a_whole_release(jack_server: JackServer, jack_peer: Callable[[str], JackPeer]) -> None:
    one, other = jack_peer("one"), jack_peer("other")
    assert releases(jack_server, 1, 2048, one.input, other.input) == ["2"]
    for peer in (one, other):
        heard = {received.message for received in peer.received()}
        assert heard == {bytes((0x80 | channel, pitch, 64)) for channel in range(16) for pitch in range(128)}


def test_releases_one_after_the_other_do_not_freeze(restartable_jack: JackServer) -> None:
    with JackPeer(restartable_jack.client_environment, "peer") as peer:
        assert releases(restartable_jack, 5, 20, peer.input) == ["1"] * 5
