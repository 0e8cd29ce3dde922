"""The task `melody`, described."""

from improviser.core.tasks.descriptor import TaskDescriptor

MELODY = TaskDescriptor(
    name="melody",
    help="continue a line",
    model="improviser.core.melody.model:MelodyModel",
    alone=True,
)
