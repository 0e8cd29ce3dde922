"""An RtMidi input on JACK, heard in a thread of our own that looks for messages again and again.

RtMidi's callback wants Python's interpreter. `close_port` keeps the interpreter while it waits, on PipeWire, for JACK's
thread to be done; and that may be in the callback, waiting for the interpreter. Then neither ever ends. The queue that
RtMidi fills where there is no callback needs no interpreter.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

LOOK_SECONDS = 0.000_5
QUEUE_MESSAGES = 1 << 14
"""Room for a flood of 10,000 messages a second while our thread has to wait for the processor."""


class PolledInput:
    """Calls `hear` with each message that comes in, until it is closed.

    :param port: an open `rtmidi.MidiIn` without a callback.
    """

    def __init__(self, port: Any, hear: Callable[[bytes], None]) -> None:
        self._port = port
        self._hear = hear
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="rtmidi")
        self._thread.start()

    def _run(self) -> None:
        while not self._closing:
            while not self._closing and (timed := self._port.get_message()) is not None:
                self._hear(bytes(timed[0]))
            time.sleep(LOOK_SECONDS)

    def close(self) -> None:
        """Hear no more; afterwards the port may be closed."""
        self._closing = True
        if self._thread is not threading.current_thread():
            self._thread.join()
