"""The rest of a period is left to those that hear us, for a moment at most; the next period wakes the main thread."""

import time

from improviser.engine.turns import REST_SECONDS, RestOfPeriod, Wake

LONG = 60.0


def test_the_main_thread_goes_on_in_the_next_period() -> None:
    wake = Wake()
    rest = RestOfPeriod(wake)
    assert rest.wait(time.perf_counter() + LONG)
    rest.answered(heard=True, again=True)
    assert rest.lasts
    assert not rest.wait(time.perf_counter() + LONG)
    rest.answered(heard=False, again=True)
    begun = time.perf_counter()
    wake.wait(LONG)
    assert time.perf_counter() - begun < LONG
    assert rest.wait(begun + LONG)


def test_what_is_due_does_not_wait() -> None:
    rest = RestOfPeriod(Wake())
    rest.answered(heard=True, again=True)
    assert rest.wait(time.perf_counter())
    assert rest.lasts


def test_where_no_period_follows_it_ends_by_itself() -> None:
    rest = RestOfPeriod(Wake())
    rest.answered(heard=True, again=True)
    begun = time.perf_counter()
    while not rest.wait(begun + LONG):
        pass
    assert time.perf_counter() - begun > REST_SECONDS / 2
    assert not rest.lasts


def test_whoever_is_heard_in_every_period_is_learned_from_all_the_same() -> None:
    wake = Wake()
    rest = RestOfPeriod(wake)
    begun = time.perf_counter()
    rest.answered(heard=True, again=True)
    while rest.lasts:
        rest.answered(heard=True, again=True)
    assert time.perf_counter() - begun >= REST_SECONDS
    wake.wait(LONG)
    assert time.perf_counter() - begun < LONG


def test_a_system_that_calls_only_with_messages_wakes_the_main_thread_at_once() -> None:
    wake = Wake()
    rest = RestOfPeriod(wake)
    rest.answered(heard=True, again=False)
    assert not rest.lasts
    begun = time.perf_counter()
    wake.wait(LONG)
    assert time.perf_counter() - begun < LONG
