"""The task `harmony`, described."""

from typing import TYPE_CHECKING

from improviser.core.tasks.descriptor import TaskDescriptor

if TYPE_CHECKING:
    from improviser.core.harmony.model import HarmonyModel


def _voice(model: "HarmonyModel") -> str:
    return model.settings.voice


HARMONY = TaskDescriptor(
    name="harmony",
    help="add a voice to the player's",
    model="improviser.core.harmony.model:HarmonyModel",
    voice=_voice,
)
