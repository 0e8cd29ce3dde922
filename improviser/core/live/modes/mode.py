"""A mode: what becomes of a note of the player's, and when a reply begins."""

from typing import ClassVar, Protocol

from improviser.core.midi.event import Event, NoteOn


class Actions(Protocol):
    """What a mode may do with the music; what a method returns is to be sent."""

    def is_chosen(self) -> bool:
        """Draw whether something is part of the share that is played, the density."""

    def answer(self, note: NoteOn, now: float) -> list[Event]:
        """Answer a note of the player's at once; the answer ends with its key."""

    def listen(self, note: NoteOn, now: float) -> None:
        """Take in a note of a phrase that is to be replied to."""

    def learn(self, note: NoteOn, now: float) -> None:
        """Take in a note that is not answered."""

    def end_answers(self) -> list[Event]:
        """End all answers to notes, those that are to come as well."""

    def reply_again(self, seconds: float) -> None:
        """Begin a further reply at that time, in a rhythm that the player has played; if there is none yet, do not."""


class Mode:
    """One way to play. A mode has no state: one object serves all sessions.

    As it stands here it learns from notes, and never plays.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    """What it does, in the imperative, to go on a sentence."""
    invitation: ClassVar[str]
    """What the player is told before the first note."""
    answers: ClassVar[bool] = False
    """Whether notes are answered at once, so that it pays to prepare for those that are likely."""
    replies: ClassVar[bool] = False
    """Whether a phrase is replied to when it is over: player and program take turns."""
    endless: ClassVar[bool] = False
    """Whether it goes on for ever when the player has stopped."""
    silent: ClassVar[bool] = False
    """Whether nothing is played, so that no pedal or wheel need be passed on to answers."""

    def hear(self, actions: Actions, note: NoteOn, now: float) -> list[Event]:
        """Take in a note of the player's that may be answered; return what to send."""
        actions.learn(note, now)
        return []

    def begin(self, actions: Actions, now: float) -> list[Event]:  # noqa: ARG002
        """Take over from another mode, whose reply has been ended; return what to send."""
        return []

    def sequencer_started(self, actions: Actions, now: float) -> None:
        """Take in that a sequencer, whose clock is followed, starts or goes on."""

    def replied(self, actions: Actions, following: float) -> None:
        """Take in that a reply is over; the next one would be in time at `following`."""
