"""The progress bar of parsing."""

import io
from collections.abc import Callable

import pytest

from improviser.training import parsing_view
from improviser.training.parsing_view import parse_first


def test_it_says_what_takes_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(progress: Callable[[int, int], None]) -> None:
        for done in range(3):
            progress(done, 2)

    monkeypatch.setattr(parsing_view, "load_chorales", parse)
    stream = io.StringIO()
    parse_first(["bach-chorales"], stream)
    assert stream.getvalue().count("parsing the chorales, once") == 1


@pytest.mark.parametrize("sources", [[], ["songs"]])
def test_nothing_is_parsed_that_nobody_wants(sources: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(progress: Callable[[int, int], None]) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(parsing_view, "load_chorales", refuse)
    stream = io.StringIO()
    parse_first(sources, stream)
    assert stream.getvalue() == ""


def test_a_cache_is_read_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing_view, "load_chorales", lambda progress: None)
    stream = io.StringIO()
    parse_first(["bach-chorales"], stream)
    assert stream.getvalue().strip() == ""
