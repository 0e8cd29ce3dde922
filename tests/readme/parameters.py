"""The README's table of live parameters, from the one in the core: `python -m tests.readme.parameters` renews it."""

import re
from pathlib import Path

from improviser.core.live.parameters.table import DEFAULTS, TABLE, allowed_words

README = Path(__file__).parents[2] / "README.md"
HEADING = "| option | what it does | what it may be | by default |\n|---|---|---|---|\n"
ROWS = re.compile(re.escape(HEADING) + r"(?:\|.*\n)*")


def table() -> str:
    """Return the table, in lines of Markdown: the parameters that most people turn come first."""
    names = sorted(TABLE, key=lambda name: not TABLE[name].main)
    return HEADING + "".join(f"| {' | '.join(map(_escaped, row(name)))} |\n" for name in names)


def row(name: str) -> tuple[str, str, str, str]:
    """Return what the table says of one parameter."""
    described, default = TABLE[name], DEFAULTS[name]
    option = f"--{name.replace('_', '-')}"
    options = f"`{option}`, `--no{option[1:]}`" if described.type is bool else f"`{option}`"
    if isinstance(default, bool | dict):
        default = {True: "true", False: "false"}[default] if isinstance(default, bool) else "none"
    said = f"{default:g}" if isinstance(default, float) else str(default)
    return options if described.option else f"`[{name}]` in the settings", described.help, allowed_words(name), said


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def renewed(text: str) -> str:
    """Return the README with the table as it should be.

    :raises ValueError: if it has none, or more than one.
    """
    if len(ROWS.findall(text)) != 1:
        raise ValueError("the README holds no table of parameters, or several")
    return ROWS.sub(lambda _: table(), text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
