"""What comes over the network: it is a checked request or a refusal, whatever bytes it is made of."""

import math
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.parameters.kinds import Range
from improviser.core.live.parameters.table import TABLE
from improviser.errors import ConfigError
from improviser.remote.requests import (
    LARGEST_PAYLOAD,
    Reply,
    allowed_for,
    encode,
    plain,
    read_command,
    read_request,
    read_value,
)
from improviser.settings.checking import validate
from improviser.settings.schema import LIVE_KEYS

MODELS = ("bach-bass", "echo")
COMMANDS = ("panic", "save")
NASTY = [
    b"", b"\xff\xfe\x00", b"\x00", b"NaN", b"Infinity", b"-inf", b"1e999", b"9" * 4000, b"[" * 4000, b'{"value":' * 400,
    b'"', b'"\\ud800"', b'{"value": NaN}', b'{"value": 1e999}', b"null", b"{}", b"[]", b'[[["x"]]]', b"x" * 100_000,
    "\u202e".encode(), b'{"value": {"value": 1}}', b"../../etc/passwd", b"true", b"-0.0", b'["bach-bass", 1]',
]  # fmt: skip


def requested(parameter: str, payload: bytes) -> Any:
    return read_request(parameter, payload, MODELS)


@pytest.mark.parametrize(
    ("parameter", "payload", "value"),
    [
        ("temperature", b"0.5", 0.5),
        ("temperature", b' {"value": 0.5} ', 0.5),
        ("temperature", b'"0.5"', 0.5),
        ("mode", b"mute", "mute"),
        ("mode", b'"mute"', "mute"),
        ("scale", b"D minor", "D minor"),
        ("thru", b"on", True),
        ("thru", b"false", False),
        ("low", b"40", 40),
        ("model", b"echo", ("echo",)),
        ("model", b"echo, bach-bass", ("echo", "bach-bass")),
        ("model", b'["bach-bass"]', ("bach-bass",)),
    ],
)
def test_plain_values_and_json_are_understood(parameter: str, payload: bytes, value: Any) -> None:
    assert requested(parameter, payload) == value


@pytest.mark.parametrize("payload", NASTY)
@pytest.mark.parametrize("parameter", [*LIVE_KEYS, "", "name", "record", "mqtt", "a/b", "x" * 60_000])
def test_whatever_comes_is_checked_or_refused_in_short(parameter: str, payload: bytes) -> None:
    try:
        value = requested(parameter, payload)
    except ConfigError as error:
        refusal = str(error)
    else:
        assert validate(parameter, value) == value
        return
    assert len(refusal) < 1000


@given(st.sampled_from([*LIVE_KEYS, "nonsense"]), st.binary(max_size=200) | st.text(max_size=99).map(str.encode))
def test_random_bytes_are_checked_or_refused(parameter: str, payload: bytes) -> None:
    try:
        value = requested(parameter, payload)
    except ConfigError:
        return
    assert validate(parameter, value) == value
    assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("name", [name for name, described in TABLE.items() if isinstance(described.kind, Range)])
def test_numbers_out_of_range_are_refused_in_the_words_of_the_reply(name: str) -> None:
    kind = TABLE[name].kind
    assert isinstance(kind, Range)
    for number in (f"{kind.low - 1:g}", f"{kind.high + 1:g}", "nan", "-inf"):
        with pytest.raises(ConfigError, match=f"^{name} must be {re.escape(str(allowed_for(name, MODELS)))}; it is "):
            requested(name, number.encode())


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../models/echo", "echo.safetensors", "models/echo", "nobody", "./echo"]
)
def test_models_are_chosen_by_name_alone(name: str) -> None:
    with pytest.raises(ConfigError, match="no model named"):
        requested("model", name.encode())


def test_what_cannot_change_while_playing_is_said() -> None:
    with pytest.raises(ConfigError, match="name cannot change while one plays"):
        requested("name", b"x")
    with pytest.raises(ConfigError, match="did you mean temperature"):
        requested("temprature", b"1")


def test_too_large_is_said() -> None:
    assert read_value(b"x" * LARGEST_PAYLOAD) == "x" * LARGEST_PAYLOAD
    with pytest.raises(ConfigError, match="4097 bytes; 4096 are the most"):
        read_value(b"x" * (LARGEST_PAYLOAD + 1))


@pytest.mark.parametrize("payload", [b"panic", b" PANIC\n", b'"panic"', b'{"value": "panic"}'])
def test_a_command_is_a_word(payload: bytes) -> None:
    assert read_command(payload, COMMANDS) == "panic"


@pytest.mark.parametrize("payload", [*NASTY, b"shutdown", b"panic now", b'["panic"]'])
def test_other_words_are_no_commands(payload: bytes) -> None:
    with pytest.raises(ConfigError):
        read_command(payload, COMMANDS)


@given(st.sampled_from([*LIVE_KEYS, "nonsense"]), st.text())
def test_a_reply_is_one_json_object(parameter: str, error: str) -> None:
    reply = Reply(ok=False, parameter=parameter, value=("a", "b"), error=error, allowed=allowed_for(parameter, MODELS))
    assert set(msgspec.json.decode(encode(reply))) == {"ok", "parameter", "value", "error", "allowed"}


def test_models_are_shown_as_they_can_be_set() -> None:
    assert requested("model", str(plain(("echo", "bach-bass"))).encode()) == ("echo", "bach-bass")
    assert plain(0.5) == 0.5
