"""Shadow: each note is answered at once; the answer ends with its key."""

from improviser.core.live.modes.mode import Actions, Mode
from improviser.core.midi.event import Event, NoteOn


class Shadow(Mode):
    """Answers notes, or of low density some of them."""

    name = "shadow"
    help = "answer each note at once"
    invitation = "Play a note: it is answered at once."
    answers = True

    def hear(self, actions: Actions, note: NoteOn, now: float) -> list[Event]:
        """Answer the note, if it is chosen."""
        return actions.answer(note, now) if actions.is_chosen() else super().hear(actions, note, now)
