"""What pages are told is plain, whatever it was."""

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: uv sync --extra web")

from improviser.core.live.snapshot import News
from improviser.web.messages import clean, encode


def test_text_of_any_kind_is_told_in_printable_characters() -> None:
    assert encode(clean({"news": (News("voted"), "\x1b[2J")})) == '{"news":["voted","·[2J"]}'.encode()
