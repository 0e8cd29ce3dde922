"""Foretelling: of which notes it can be known, as things stand, what they are answered before they are heard."""

from typing import NamedTuple

from improviser.core.live.parameters.table import Parameters
from improviser.core.midi.event import Event, NoteOn
from improviser.core.midi.lanes import channel_of


class Answered(NamedTuple):
    """A note that has been answered, and is still to be taken in.

    :param note: on its lane; `now`: when it came; `number`: by which input.
    :param answer: the notes that answer it.
    :param leaving: what was sent for that.
    """

    note: NoteOn
    now: float
    number: int
    answer: list[NoteOn]
    leaving: list[Event]


class Foretelling(NamedTuple):
    """The notes that nothing unusual is known of.

    :param begins: none before that (seconds); `ends`: only those before.
    :param held: not those of keys, (lane, pitch), that hold something.
    :param suspected: nor those, (channel, pitch, velocity), that may be our own.
    :param due: when the performer has something to do without a note, at the earliest.
    :param echoing: whether our own notes come back.
    :param restricts: what says which keys are answered; None if all are.
    """

    begins: float
    ends: float
    held: frozenset[tuple[int, int]]
    suspected: frozenset[tuple[int, int, int]]
    due: float
    echoing: bool
    restricts: Parameters | None

    def covers(self, lane: int, pitch: int, velocity: int, now: float) -> bool:
        """Say whether this is one of them, and one that is answered."""
        if not self.begins <= now < self.ends or (lane, pitch) in self.held:
            return False
        if self.suspected and (channel_of(lane), pitch, velocity) in self.suspected:
            return False
        by = self.restricts
        return by is None or (by.hears_channel(lane) and by.hears_key(pitch) and by.answers_key(pitch))
