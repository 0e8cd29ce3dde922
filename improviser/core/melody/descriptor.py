"""The task `melody`, described."""

from improviser.core.tasks.descriptor import TaskDescriptor

MELODY = TaskDescriptor(
    name="melody",
    help="continue a line",
    plays=lambda _: "goes on from your line; best in --mode answer",
    model="improviser.core.melody.model:MelodyModel",
    alone=True,
)
