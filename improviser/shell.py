"""Commands as the user's shell takes them: what is told to be typed is quoted for it.

On Windows for both of its shells: cmd and PowerShell know double quotes; cmd takes single ones for a part of the name.
"""

import os
import re
import shlex
from collections.abc import Iterable

PLAIN = re.compile(r"[\w.:\\/+=@~-]+", re.ASCII)
"""What means itself in cmd and in PowerShell."""


def quoted(word: str) -> str:
    """Return a word as one, whatever is in it."""
    if os.name != "nt":
        return shlex.quote(word)
    if PLAIN.fullmatch(word):
        return word
    import subprocess

    escaped = subprocess.list2cmdline([word.rstrip("\\")])
    return escaped if escaped.startswith('"') else f'"{escaped}"'


def joined(words: Iterable[str]) -> str:
    """Return a command's words as one line."""
    return " ".join(map(quoted, words))
