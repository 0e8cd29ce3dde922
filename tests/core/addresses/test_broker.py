"""Where a broker is: what is a URL of one, what is not, and that no password is ever repeated."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.addresses.broker import Broker, parse_broker
from improviser.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://broker", Broker("broker", 1883)),
        ("mqtts://broker", Broker("broker", 8883, secure=True)),
        ("mqtt://127.0.0.1:1884/", Broker("127.0.0.1", 1884)),
        ("mqtt://me@stage.local:1883", Broker("stage.local", 1883, user="me")),
        ("mqtts://[::1]:8884", Broker("::1", 8884, secure=True)),
        ("mqtt://a%40b%C3%A9@host", Broker("host", 1883, user="a@bé")),
        ("mqtt://@host", Broker("host", 1883)),
    ],
)
def test_what_a_url_names(url: str, broker: Broker) -> None:
    assert parse_broker(url) == broker
    assert parse_broker(str(broker)) == Broker(broker.host, broker.port, broker.secure)


def test_off_is_none() -> None:
    assert parse_broker("off") is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "http://broker",
        "mqtt://",
        "mqtt://host:0",
        "mqtt://host:65536",
        "mqtt://host:x",
        "mqtt://a b",
        "mqtt://host/topic",
        "mqtt://host\n",
        "MQTT://host",
        "mqtt://[::1",
        "mqtt://::1",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ConfigError, match="mqtt must be "):
        parse_broker(url)


@given(
    st.sampled_from(["mqtt://", "mqtts://", ""]), st.text(max_size=9), st.text("xyzq", min_size=6), st.text(max_size=9)
)
def test_a_password_is_refused_and_never_repeated(scheme: str, user: str, secret: str, host: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_broker(f"{scheme}{user}:{secret}@{host}")
    assert secret not in str(caught.value)


@given(st.text())
def test_anything_is_a_broker_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        broker = parse_broker(text)
        assert broker is None or 1 <= broker.port <= 65_535
