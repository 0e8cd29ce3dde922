"""When the engine thinks ahead: while it is quiet and nothing is due, and until there is nothing more to think."""

import itertools
import time

from improviser.engine.lookahead import HOLD_SECONDS, PAUSE_SECONDS, QUIET_SECONDS, think_ahead


def test_it_thinks_until_there_is_no_more_to_think() -> None:
    more = iter([True, True, False, True])
    think_ahead(lambda: next(more), lambda: 0.0, lambda: False)
    assert list(more) == [True]


def test_it_leaves_when_something_is_due_before_it_thinks_at_all() -> None:
    thoughts = itertools.count()
    think_ahead(lambda: next(thoughts) >= 0, lambda: 0.0, lambda: True)
    assert next(thoughts) == 0
    due = iter([False, False, True])
    think_ahead(lambda: next(thoughts) >= 0, lambda: 0.0, lambda: next(due))
    assert list(due) == []
    assert next(thoughts) <= 3


def test_it_waits_until_it_is_quiet() -> None:
    heard = time.perf_counter()
    began: list[float] = []

    def think() -> bool:
        began.append(time.perf_counter())
        return False

    think_ahead(think, lambda: heard, lambda: False)
    assert began[0] - heard >= QUIET_SECONDS


def test_it_gives_others_their_turn() -> None:
    ended: list[float] = []

    def think() -> bool:
        time.sleep(HOLD_SECONDS)
        ended.append(time.perf_counter())
        return len(ended) < 3

    think_ahead(think, lambda: 0.0, lambda: False)
    assert all(after - before >= HOLD_SECONDS + PAUSE_SECONDS for before, after in itertools.pairwise(ended))
