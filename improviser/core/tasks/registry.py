"""All tasks by name. To add one is its folder, with its descriptor, its entry here, and its recipe for training."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from improviser.core.chorale.descriptor import CHORALE
from improviser.core.echo.descriptor import ECHO
from improviser.core.harmony.descriptor import HARMONY
from improviser.core.melody.descriptor import MELODY
from improviser.core.tasks.descriptor import TaskDescriptor
from improviser.errors import ModelError

if TYPE_CHECKING:
    from improviser.core.networks.responder import Model, Singer

TASKS: Mapping[str, TaskDescriptor] = {task.name: task for task in (CHORALE, ECHO, HARMONY, MELODY)}

SHOWN = 40
"""Characters of a foreign name that are shown."""


def describe(task: str) -> TaskDescriptor:
    """Return the descriptor of a task.

    :raises ModelError: if there is no such task.
    """
    if task not in TASKS:
        raise ModelError(
            f"it was evolved for {task[:SHOWN]!r}, which this program does not know (it knows {', '.join(TASKS)}); "
            "update improviser"
        )
    return TASKS[task]


def what_it_plays(task: str, settings: Mapping[str, Any]) -> str:
    """Return what a model does for who plays with it, in a few words, of its settings.

    :raises ModelError: if there is no such task.
    """
    return describe(task).plays(settings)


def singer_of(model: "Model") -> "Singer | None":
    """Return a fresh session of a model whose task it is to play on its own, None for all others.

    :raises ModelError: if its task is unknown.
    """
    return cast("Singer", model.responder()) if describe(model.task).alone else None


def tasks_explained() -> str:
    """Return each task with what its networks do, for a help text."""
    return "; ".join(f"{task.name}: {task.help}" for task in TASKS.values())
