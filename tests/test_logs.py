"""The log: lines for people, JSON for machines, and nothing below the level."""

import json
import logging
from collections.abc import Iterator

import pytest

from improviser.logs import start_log


@pytest.fixture(autouse=True)
def former_log() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    start_log("text", "info")
    logging.getLogger("improviser").info("connected to %s", "x")
    logging.getLogger("improviser").debug("not this")
    assert capsys.readouterr().err == "improviser: connected to x\n"


def test_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    start_log("json", "debug")
    logging.getLogger("improviser").debug('"quoted"\nand é')
    try:
        int("what was raised")
    except ValueError:
        logging.getLogger("improviser").exception("failed")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["message"]) == ("debug", '"quoted"\nand é')
    assert first["time"].endswith("Z")
    assert second["level"] == "error"
    assert "what was raised" in second["raised"]


@pytest.mark.parametrize(("level", "lines"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_what_is_written_and_all_that_is_worse(
    level: str, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    start_log("text", level)
    log = logging.getLogger("improviser")
    for each in (log.debug, log.info, log.warning, log.error):
        each("said")
    assert len(capsys.readouterr().err.splitlines()) == lines
