"""What is told to be typed is one word to the user's shell."""

import os
import shlex
from types import SimpleNamespace

import pytest

from improviser.shell import joined, quoted


@pytest.mark.parametrize("word", ["a.mid", "my song.mid", "it's", "$HOME", ""])
def test_unix_takes_it_as_one_word(word: str) -> None:
    if os.name == "nt":
        pytest.skip("Unix's shells")
    assert shlex.split(quoted(word)) == [word]


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        (r"demo\session.mid", r"demo\session.mid"),
        (r"C:\Users\Zoë\a b.mid", r'"C:\Users\Zoë\a b.mid"'),
        ("this&that.mid", '"this&that.mid"'),
        ("folder (2)\\", '"folder (2)"'),
        ('a"b', r'"a\"b"'),
        ("", '""'),
    ],
)
def test_windows_has_double_quotes_alone(word: str, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improviser.shell.os", SimpleNamespace(name="nt"))
    assert quoted(word) == typed
    assert joined(["improviser", word]) == f"improviser {typed}"
