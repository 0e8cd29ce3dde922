"""RtMidi's inputs on JACK are heard without RtMidi's callback, and can be closed whatever comes in."""

import threading
import time
from collections import deque

from improviser.ports.polled_input import PolledInput


class Port:
    """An input that `comes` may be added to from any thread."""

    def __init__(self, *messages: bytes) -> None:
        self.comes = deque(messages)

    def get_message(self) -> tuple[list[int], float] | None:
        return ([*self.comes.popleft()], 0.0) if self.comes else None


def test_all_that_comes_in_is_heard_in_order_and_nothing_after_it_is_closed() -> None:
    sent = [bytes((0x90, number % 128, 1)) for number in range(1000)]
    port, heard, last = Port(*sent), list[bytes](), threading.Event()

    def hear(message: bytes) -> None:
        heard.append(message)
        if len(heard) == len(sent):
            last.set()

    polled = PolledInput(port, hear)
    assert last.wait(20)
    polled.close()
    assert heard == sent
    port.comes.append(b"\xfe")
    time.sleep(0.01)
    assert heard == sent


def test_an_input_can_be_closed_in_a_flood_that_does_not_end() -> None:
    class Flood(Port):
        def get_message(self) -> tuple[list[int], float]:
            return [0xFE], 0.0

    heard = threading.Event()
    polled = PolledInput(Flood(), lambda _: heard.set())
    assert heard.wait(20)
    polled.close()
    assert not polled._thread.is_alive()
