"""Text that would upset a terminal if it came there raw, and whether it did."""

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\x90q\x9c\r\n\t\b\x7f\x85\u2028\u2029\u202e\u2066\u200b\ufeff\U000e0041[bold]"
"""Escape sequences, C1 controls, line ends, bidirectional and invisible characters, and rich's own markup."""
HOSTILE_NAME = HOSTILE + "\udcff"
"""The same for a file's name, which need not be UTF-8."""


def raw(text: str) -> list[str]:
    """Return the characters that must not come to a terminal."""
    return sorted({character for character in text if not character.isprintable() and character != "\n"})
