"""Opens and closes RtMidi's ports on JACK while notes come in: `python -m tests.closing_in_a_flood TIMES`.

A process of its own, which the tests can end if it hangs. It says "closed" each time.
"""

import sys
import threading

from improviser.ports.backends import BACKENDS
from improviser.ports.jack_client import JackPorts
from improviser.ports.jack_library import load_jack, share_library
from improviser.ports.rtmidi_backend import RtMidiPorts

NOTE = b"\x90\x3c\x50"
ENOUGH = 30


def close_in_a_flood(source: JackPorts, number: int) -> None:
    """Open ports, hear notes that come again and again, and close them in their midst."""
    (backend,) = [backend for backend in BACKENDS if backend.name == "jack-rtmidi"]
    ports = RtMidiPorts(backend, f"flooded-{number}", ["virtual"], ["virtual"])
    enough, heard = threading.Event(), 0

    def hear(_message: bytes, _age: float, _input: int) -> None:
        nonlocal heard
        heard += 1
        source.send(NOTE)  # so that there is always one on its way
        if heard >= ENOUGH:
            enough.set()

    ports.listen(hear, lambda *, heard, again=False: None)
    source.connect(source.own("out"), source.find(f"flooded-{number}", "in"))
    while not enough.wait(0.1):
        source.send(NOTE)  # until the connection carries
    ports.close()


def main() -> None:
    """Do it so many times."""
    share_library()
    source = JackPorts(load_jack(), "flood")
    for number in range(int(sys.argv[1])):
        close_in_a_flood(source, number)
        print("closed", flush=True)  # noqa: T201  it is for the test
    source.close()


if __name__ == "__main__":
    main()
