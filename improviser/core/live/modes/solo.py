"""Solo: as answer, but it goes on, phrase after phrase, in rhythms the player has played."""

from improviser.core.live.modes.answer import Answer
from improviser.core.live.modes.mode import Actions
from improviser.core.midi.event import Event


class Solo(Answer):
    """Replies, and goes on by itself."""

    name = "solo"
    help = "also keep playing by itself"
    invitation = "Play a phrase: it is answered, and then it goes on by itself."
    endless = True

    def begin(self, actions: Actions, now: float) -> list[Event]:
        """Go on from what was played before."""
        actions.reply_again(now)
        return []

    def sequencer_started(self, actions: Actions, now: float) -> None:
        """Go on with the sequencer."""
        actions.reply_again(now)

    def replied(self, actions: Actions, following: float) -> None:
        """Go on in time."""
        actions.reply_again(following)
