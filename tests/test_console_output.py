"""What is said is printable, JSON is the same value, and the log, the first line and tracebacks are no back doors."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.console_output import json_text, reader_has_gone, say, say_json, warn
from improviser.core.printable import printable, printable_json, printable_lines
from improviser.logs import start_log
from improviser.session import performance
from tests.hostile_text import HOSTILE, HOSTILE_NAME, raw

anything = st.text(st.characters(codec=None))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


@given(anything)
def test_a_line_is_printable_and_nothing_is_lost(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert [*shown] == [*text] or any(not character.isprintable() for character in text)
    assert len(printable(text, "·")) == len(text)
    assert printable(text, "") == "".join(filter(str.isprintable, text))
    assert printable_lines(text).count("\n") == text.count("\n")
    assert raw(printable_lines(text)) == []


def test_what_is_not_printable_is_shown_as_python_writes_it() -> None:
    assert printable("a\x1b[31m\n\x9b\u202e\udcff\U000e0041é♯") == "a\\x1b[31m\\n\\x9b\\u202e\\udcff\\U000e0041é♯"


@given(values, st.sampled_from([None, 2]))
def test_json_is_printable_and_of_the_same_value(value: Any, indent: int | None) -> None:
    text = json_text(value, indent=indent)
    assert raw(text) == []
    assert json.loads(text) == value
    assert "\n" not in text or indent


def test_numbers_that_json_has_not_are_null() -> None:
    assert json_text({"a": [float("nan"), float("-inf"), 1.5]}) == '{"a": [null, null, 1.5]}'
    assert printable_json('"\U000e0041"') == '"\\udb40\\udc41"'


def test_what_is_said_is_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    say("saved", Path(HOSTILE_NAME))
    warn(HOSTILE)
    say_json({HOSTILE: HOSTILE_NAME})
    out, err = capsys.readouterr()
    assert (out.count("\n"), err.count("\n")) == (2, 1)
    assert raw(out + err) == []


@pytest.mark.parametrize("style", ["text", "json"])
def test_the_log_is_printable(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    start_log(style, "info")
    log = logging.getLogger("improviser")
    log.info("connected to %s", HOSTILE)
    try:
        Path(HOSTILE_NAME).read_bytes()
    except OSError:
        log.exception("a library said %s", HOSTILE)
    err = capsys.readouterr().err
    assert raw(err) == []
    lines = err.splitlines()
    if style == "json":
        assert [json.loads(line)["message"] for line in lines] == [
            f"connected to {HOSTILE}",
            f"a library said {HOSTILE}",
        ]
    else:
        assert [line.partition(": ")[0] for line in lines[:2]] == ["improviser", "improviser"]
        assert any(line.startswith(("FileNotFoundError: ", "OSError: ")) for line in lines[2:])  # Windows: no name


def test_the_first_line_of_a_session_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    async def opened() -> None:
        pass

    service = SimpleNamespace(
        opened=opened,
        connections=(HOSTILE, HOSTILE_NAME),
        api="jack",
        jack_server="",
        parameters=SimpleNamespace(mode="shadow"),
        models=(HOSTILE,),
    )
    recorder = SimpleNamespace(on=True, folder=Path(HOSTILE_NAME))
    asyncio.run(performance._follow(cast("Any", service), None, cast("Any", recorder), say))
    out = capsys.readouterr().out
    assert raw(out) == []
    assert out.count("\n") == 4


@pytest.mark.parametrize(
    ("system", "error", "gone"),
    [
        ("posix", BrokenPipeError(32, "Broken pipe"), True),
        ("posix", OSError(22, "Invalid argument"), False),
        ("nt", OSError(22, "Invalid argument"), True),
        ("nt", OSError(28, "No space left on device"), False),
    ],
)
def test_windows_tells_otherwise_that_nobody_reads_any_more(
    system: str, error: OSError, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("improviser.console_output.os", SimpleNamespace(name=system))
    assert reader_has_gone(error) == gone


FAULT = """
import sys
from improviser import __main__, cli
def run():
    raise RuntimeError(sys.argv[1])
cli.run = run
__main__.main()
"""


def test_the_traceback_of_a_fault_is_printable() -> None:
    command = [
        os.fsencode(sys.executable),
        b"-c",
        FAULT.encode(),
        HOSTILE.encode() + (b"" if os.name == "nt" else b"\xff"),
    ]  # names of Windows are text
    ran = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONUTF8": "1"}, check=False)
    said = ran.stderr.decode()
    assert raw(said) == []
    assert "RuntimeError: \\x1b]0;owned\\x07" in said
    assert ran.returncode == 1
