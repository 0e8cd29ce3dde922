"""The README's table of parameters says what the core's does."""

import pytest

from tests.readme.parameters import README, renewed, table


def test_the_readme_has_the_table() -> None:
    text = README.read_text("utf-8")
    assert renewed(text) == text, "run: python -m tests.readme.parameters"


def test_what_differs_is_renewed_and_nothing_else() -> None:
    text = README.read_text("utf-8")
    assert renewed(text.replace("| 0.7 |", "| 0.8 |")) == text
    with pytest.raises(ValueError, match="no table"):
        renewed(text.replace(table(), ""))
