"""A request to stop: the first Ctrl-C asks, the second insists, SIGTERM is no interruption."""

import signal

import pytest

from improviser.training.stopping import stop_request


@pytest.mark.parametrize(("number", "interrupted"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_signal_asks(number: signal.Signals, interrupted: bool) -> None:
    with stop_request() as request:
        assert not request()
        signal.raise_signal(number)
        assert request()
        assert request.interrupted is interrupted


def test_the_second_ctrl_c_insists() -> None:
    with stop_request() as request:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert request.interrupted
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_signals_mean_what_they_meant() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_request():
        pass
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
