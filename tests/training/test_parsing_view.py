"""The one slow step before training, parsing the chorales for the first time: what is said of it, and when."""

import io
from collections.abc import Callable

import pytest

from improviser.core.music.piece import Piece
from improviser.training import named_sources
from improviser.training.chorales import CHORALES, PARSING
from improviser.training.progress import Progress
from improviser.training.view import steps_shown
from improviser.training.voices import read_sources

Load = Callable[[Progress], list[Piece]]


def said_with(load: Load, sources: list[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(named_sources.NAMED, CHORALES, load)
    stream = io.StringIO()
    with steps_shown(stream) as progress:
        read_sources(sources, progress)
    return stream.getvalue()


def test_it_says_what_takes_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(progress: Progress) -> list[Piece]:
        for done in range(3):
            progress(PARSING, done / 2)
        return []

    assert said_with(parse, ["bach-chorales"], monkeypatch).count("parsing the chorales, once") == 1


@pytest.mark.parametrize("sources", [[], ["demo-tune"]])
def test_nothing_is_parsed_that_nobody_wants(sources: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(progress: Progress) -> list[Piece]:
        raise AssertionError("parsed")

    assert said_with(refuse, sources, monkeypatch).strip() == ""


def test_a_cache_is_read_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said_with(lambda progress: [], ["bach-chorales"], monkeypatch).strip() == ""
