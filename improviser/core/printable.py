"""Text from outside made harmless: nothing in it can move a cursor, hide what follows, or begin another line.

Names of files, ports, tracks and models, settings, topics and the messages of libraries may hold anything: escape
sequences, C1 controls, bidirectional overrides, zero-width characters, halves of surrogate pairs, line ends. What is
shown on a terminal, in a log or on a page goes through here: see `improviser.console_output` and `improviser.logs`.
"""

import re

LONGEST_SHOWN = 40
_SUSPECTS = re.compile(r"[^ -~\n]")


def printable(text: str, instead: str | None = None) -> str:
    r"""Return `text` in one line of printable characters.

    :param instead: what each other character becomes; by default its escape sequence as in Python, such as `\x1b`,
        so that nothing is lost.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escaped(character) if instead is None else instead
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def shown(value: object, longest: int = LONGEST_SHOWN) -> str:
    """Return what a wrong value looks like, for the one line of an error; raises nothing, whatever it is."""
    try:
        text = printable(repr(value))
    except Exception:  # noqa: BLE001  the representation is another's code
        text = f"a {type(value).__name__}"
    return text if len(text) <= longest else f"{text[:longest]}…"


def printable_lines(text: str) -> str:
    """Return `text` with its lines as they are, each of printable characters."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    """Return JSON of the same value in printable characters; what is not printable is escaped as JSON does it."""
    return _SUSPECTS.sub(_escaped_in_json, text)


def _escaped_in_json(found: re.Match[str]) -> str:
    character = found[0]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
