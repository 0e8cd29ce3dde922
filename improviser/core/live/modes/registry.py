"""All modes by name, in the order in which they are offered. To add one is its file and its entry here."""

from collections.abc import Mapping

from improviser.core.live.modes.answer import Answer
from improviser.core.live.modes.mode import Mode
from improviser.core.live.modes.mute import Mute
from improviser.core.live.modes.shadow import Shadow
from improviser.core.live.modes.solo import Solo

MODES_BY_NAME: Mapping[str, Mode] = {mode.name: mode for mode in (Shadow(), Answer(), Solo(), Mute())}


def modes_explained() -> str:
    """Return each mode with what it does, for a help text."""
    return "; ".join(f"{mode.name}: {mode.help}" for mode in MODES_BY_NAME.values())
