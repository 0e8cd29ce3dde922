"""The task `melody`, described."""

from improviser.core.tasks.descriptor import TaskDescriptor

MELODY = TaskDescriptor(
    name="melody",
    help="go on with a line",
    model="improviser.core.melody.model:MelodyModel",
    alone=True,
)
