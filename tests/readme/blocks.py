"""The README's blocks: what is in them, and the commands of those that a shell runs."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block; `kind` is what stands behind its fence."""

    kind: str
    text: str

    @property
    def first(self) -> str:
        """Its first line, by which it is known."""
        return self.lines[0]

    @property
    def lines(self) -> list[str]:
        """Its lines; of a `console`, what is typed."""
        lines = self.text.splitlines()
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")] if self.kind == "console" else lines


def blocks() -> list[Block]:
    """Return the README's blocks, in order."""
    found = FENCE.finditer(README.read_text("utf-8"))
    return [Block(match["kind"], textwrap.dedent(match["text"])) for match in found]
