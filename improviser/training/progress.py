"""How far a long step is: whoever takes it tells its name and how much is done, and knows nothing of screens."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

COMPILING = "compiling the networks, once on a machine"
"""The name of the step that takes some seconds with Numba, and none without."""

Progress = Callable[[str, float], None]
"""Is told the name of a step, and how much of it is done, 0–1."""


def silent(_step: str, _done: float) -> None:
    """Tell nobody."""


def watched(items: Sequence[T], step: str, progress: Progress) -> Iterator[T]:
    """Yield the items, and tell how many of them are done as the next is asked for."""
    for place, item in enumerate(items):
        progress(step, place / len(items))
        yield item
    progress(step, 1.0)
