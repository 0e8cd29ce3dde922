"""The task `harmony`, described."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from improviser.core.tasks.descriptor import TaskDescriptor

if TYPE_CHECKING:
    from improviser.core.harmony.model import HarmonyModel


def _voices(model: "HarmonyModel") -> tuple[str, str]:
    return model.settings.voice, model.settings.to


def _plays(settings: Mapping[str, Any]) -> str:
    voice = str(settings.get("voice", "voice"))
    return f"adds {'an' if voice[:1] in 'aeiou' else 'a'} {voice} to each of your notes"


HARMONY = TaskDescriptor(
    name="harmony",
    help="add a voice to the player's",
    plays=_plays,
    model="improviser.core.harmony.model:HarmonyModel",
    voices=_voices,
)
