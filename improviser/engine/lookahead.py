"""Thinking ahead: when the engine's main thread may compute answers to notes that may come.

It does so while all is quiet, and gives way at once: what is thought is thought in small pieces, with room between them
for the thread that hears.
"""

import time
from collections.abc import Callable

QUIET_SECONDS = 0.0002
"""How long nothing was heard when thinking begins: what comes together is answered first."""
HOLD_SECONDS, PAUSE_SECONDS = 0.00015, 0.00005
"""How long the lock and the interpreter may be held before others get their turn; one piece may take longer."""


def think_ahead(think: Callable[[], bool], last_heard: Callable[[], float], leave: Callable[[], bool]) -> None:
    """Think, piece by piece, until there is nothing more to think about, or it is time to leave.

    :param think: thinks one piece, and says whether there may be more.
    :param last_heard: when something was heard last, on `time.perf_counter`.
    """
    since = time.perf_counter()
    while not leave():
        now = time.perf_counter()
        if now - last_heard() < QUIET_SECONDS:
            time.sleep(QUIET_SECONDS)
        elif now - since >= HOLD_SECONDS:
            time.sleep(PAUSE_SECONDS)
            since = time.perf_counter()
        elif not think():
            return
