"""Leaving JACK's graph so that jackd's library cancels no thread of its own that waits for the interpreter's lock.

To deactivate a client, that library ends the thread that calls it by `pthread_cancel`. If the thread is about to call
Python, and waits for the interpreter's lock at that moment, the lock stays locked for ever, and so does the whole
process (JACK 1.9.21, on a busy machine nearly each time). So the thread ends itself first: a callback that raises JACK-
Client's `CallbackExit` takes the client out of the graph. PipeWire's library cancels nothing, and takes no notice.
"""

import threading
import time
from types import ModuleType
from typing import Any, Final

ENDING_SECONDS, PARTING_SECONDS = 1.0, 1.0
"""How long we wait to be called once more, and then for the server to part our connections; else it stands still."""
ANSWER_SECONDS = 0.05
"""How long the thread has for the server's answer, which it reads by itself."""
POLL_SECONDS = 0.002


class Leaving:
    """Takes a client of JACK's out of the graph; its process callback begins with `check`.

    :param jack: JACK-Client's module.
    """

    def __init__(self, jack: ModuleType) -> None:
        self._exit: Final = jack.CallbackExit
        self._wanted = False
        self._ended = threading.Event()

    def check(self) -> None:
        """End the thread that calls, if the client is to leave.

        :raises jack.CallbackExit: then, which the process callback must let through.
        """
        if self._wanted:
            self._ended.set()
            raise self._exit

    def deactivate(self, client: Any, *ports: Any, is_called: bool = True) -> None:
        """Deactivate a client; it may be activated again.

        :param ports: its ports that may be connected.
        :param is_called: whether the server calls it: it has begun to, and is there.
        :raises jack.JackError: if JACK does not do it.
        """
        self._wanted = True
        if is_called and self._ended.wait(ENDING_SECONDS):
            end = time.monotonic() + PARTING_SECONDS
            while any(map(client.get_all_connections, ports)) and time.monotonic() < end:
                time.sleep(POLL_SECONDS)
            time.sleep(ANSWER_SECONDS)
        try:
            client.deactivate()
        finally:
            self._wanted = False
            self._ended.clear()
