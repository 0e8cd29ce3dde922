"""Where the page is served: what is understood, and what is refused in one line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.errors import ConfigError
from improviser.settings.checking import check, check_text
from improviser.settings.page_address import LOOPBACK, PageAddress, parse_page


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("off", None),
        ("on", PageAddress()),
        ("open", PageAddress(opens=True)),
        ("8000", PageAddress(LOOPBACK, 8000)),
        ("localhost:8000", PageAddress("localhost", 8000)),
        ("0.0.0.0:80", PageAddress("0.0.0.0", 80)),  # noqa: S104
        ("[::1]:6434", PageAddress("::1", 6434)),
        ("studio.local:6434", PageAddress("studio.local", 6434)),
    ],
)
def test_what_is_understood(text: str, address: PageAddress | None) -> None:
    assert parse_page(text) == address
    assert check_text("web", text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":80",
        "0",
        "65536",
        "99999",
        "-1",
        "a b:80",
        "host:",
        "::1:80",
        "[::zz]:80",
        "http://host:80",
        "host:80/x",
        "on ",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^web must be"):
        check("web", text)


@pytest.mark.parametrize(("value", "text"), [(True, "on"), (False, "off"), (8000, "8000")])
def test_a_file_of_settings_may_say_it_in_its_own_way(value: object, text: str) -> None:
    assert check("web", value) == text


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],  # noqa: S104
)
def test_what_others_can_reach_is_known(host: str, alone: bool) -> None:
    assert PageAddress(host).is_loopback is alone


@given(st.text(max_size=30) | st.from_regex(r"[a-z\[\]:.]{0,9}:[0-9]{1,6}", fullmatch=True))
def test_whatever_is_given_it_is_an_address_or_an_error_in_one_line(text: str) -> None:
    with contextlib.suppress(ConfigError):
        address = parse_page(text)
        assert address is None or address.host
        return
    with pytest.raises(ConfigError, match=r"^[^\n]*$"):
        parse_page(text)
