"""Whether the PipeWire that we are clients of still lives: its libjack does not always tell of its end.

PipeWire 0.3 calls no shutdown callback; our ports stay listed, or vanish, and no period comes any more. So we keep one
more connection to its socket, over which nothing is said: the kernel tells at once when the other end is gone.
"""

import contextlib
import select
import socket
from types import ModuleType

from improviser.ports.jack_choice import PIPEWIRE, pipewire_socket
from improviser.ports.jack_library import server_of


class ServerWatch:
    """Watches over the server of a module's clients; to be begun before they are opened, so that no end is missed.

    :param jack: JACK-Client's module. Of a jackd nothing is to be watched: it tells of its end.
    """

    def __init__(self, jack: ModuleType) -> None:
        self._socket: socket.socket | None = None
        if server_of(jack) == PIPEWIRE and (path := pipewire_socket()) is not None:
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(str(path))
            except OSError:
                link.close()
            else:
                self._socket = link

    @property
    def gone(self) -> bool:
        """Whether the server has ended since; never blocks, and may be asked from any thread."""
        if self._socket is None:
            return False
        poll = select.poll()
        with contextlib.suppress(ValueError):  # it was closed meanwhile
            poll.register(self._socket, 0)  # an end is told of whether it is asked for or not
        return bool(poll.poll(0))

    def close(self) -> None:
        """Watch no more."""
        if self._socket is not None:
            self._socket.close()
