"""The task `echo`, described."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from improviser.core.tasks.descriptor import TaskDescriptor

if TYPE_CHECKING:
    from improviser.core.echo.model import EchoModel


def _whole(model: "EchoModel", pitches: Sequence[int]) -> list[int]:
    return model.play_whole(pitches)


ECHO = TaskDescriptor(
    name="echo",
    plays=lambda _: "goes up and down with your tune, near it",
    help="follow a tune note by note, as the original did",
    model="improviser.core.echo.model:EchoModel",
    fitness="correlation",
    hears="note of the window",
    whole=_whole,
    leads=True,
)
