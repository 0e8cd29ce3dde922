"""Answer: notes are listened to; when the phrase is over, the models reply to it."""

from improviser.core.live.modes.mode import Actions, Mode
from improviser.core.midi.event import Event, NoteOn


class Answer(Mode):
    """Replies to phrases."""

    name = "answer"
    help = "reply to each phrase when it is over"
    invitation = "Play a phrase: it is answered when you pause."
    replies = True

    def hear(self, actions: Actions, note: NoteOn, now: float) -> list[Event]:
        """Listen to the note, as part of a phrase."""
        actions.listen(note, now)
        return []
