"""Waiting until a connection on JACK is in force: JACK says yes at once, but makes it between two periods.

What is sent before that is lost. Where clients are late with a period, jackd makes it after half a second.
"""

import time
from collections.abc import Callable

IN_FORCE_SECONDS, POLL_SECONDS = 0.6, 0.001


def until_in_force(holds: Callable[[], bool], gone: Callable[[], bool] = lambda: False) -> bool:
    """Wait until `holds()` finds all connections made, but not for ever; return whether they are.

    :param gone: whether the server is known to have ended.
    """
    end = time.monotonic() + IN_FORCE_SECONDS
    while not holds():
        if gone() or time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True
