"""Leaving JACK does not freeze the process, however busy the interpreter is: jackd's library cancels threads."""

import os
import subprocess
import sys

import pytest

from tests.servers import JackServer

LEAVES = """
import os, threading, time
from improviser.ports.jack_leaving import Leaving
from improviser.ports.jack_library import load_jack

def keep_the_interpreter_busy():
    while True:
        sum(range(200_000))

periods = 0
def process(_frames):
    global periods
    leaving.check()
    periods += 1

jack = load_jack()
leaving, client = Leaving(jack), jack.Client("leaving", no_start_server=True)
client.set_process_callback(process)
for _ in range(2):
    threading.Thread(target=keep_the_interpreter_busy, daemon=True).start()
for _ in range(6):
    out, wanted = client.midi_outports.register("out"), periods + 2
    client.activate()
    while periods < wanted:
        time.sleep(0.001)
    leaving.deactivate(client, out)
    out.unregister()
print("not frozen", flush=True)
os._exit(0)
"""


@pytest.mark.jack
def test_a_busy_process_leaves_and_comes_back(restartable_jack: JackServer) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES],
        env={**os.environ, **restartable_jack.client_environment},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert b"not frozen" in done.stdout, done.stderr
