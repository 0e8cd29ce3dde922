"""The task `chorale`, described."""

from improviser.core.tasks.descriptor import TaskDescriptor

CHORALE = TaskDescriptor(
    name="chorale",
    help="add an alto, a tenor and a bass to the player's tune, chosen together",
    plays=lambda _: "adds three parts to each of your notes",
    model="improviser.core.chorale.model:ChoraleModel",
    fitness="minus the distance to the corpus's figures",
    hears="kind of term",
    together=True,
)
