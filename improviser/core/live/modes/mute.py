"""Mute: notes are learned from, and nothing is played."""

from improviser.core.live.modes.mode import Actions, Mode
from improviser.core.midi.event import Event


class Mute(Mode):
    """Only listens."""

    name = "mute"
    help = "only listen"
    invitation = "Play: nothing is answered, until you choose another mode."
    silent = True

    def begin(self, actions: Actions, now: float) -> list[Event]:  # noqa: ARG002
        """End the answers that sound."""
        return actions.end_answers()
