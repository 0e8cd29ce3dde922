"""A corpus as the task `harmony` sees it: every piece is played through the session that also plays live."""

from collections.abc import Iterable, Sequence

from improviser.core.harmony.session import VIEWPOINTS, Accompaniment, Situation
from improviser.core.music.note import Note
from improviser.core.music.piece import sounding_at
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.notes import Collector, Notes
from improviser.core.networks.viewpoints import Inputs

# Onsets of a score coincide exactly; those of a recording nearly.
TOLERANCE_SECONDS = 0.01

Duet = tuple[Sequence[Note], Sequence[Note]]
"""The player's notes and the voice's own."""


def harmony_notes(duets: Iterable[Duet], settings: ChoirSettings) -> Notes:
    """Return one note to score for each note of the player: what the voice has sounding at its onset, or a rest."""
    inputs: Inputs[Situation] = Inputs(settings.viewpoints, VIEWPOINTS)
    register = settings.low, settings.high
    return notes_of(((duet, Accompaniment(register, settings.player)) for duet in duets), settings, inputs)


def notes_of(played: Iterable[tuple[Duet, Accompaniment]], settings: ChoirSettings, inputs: Inputs[Situation]) -> Notes:
    """Return one note to score for each note of the players, each duet played through its own session."""
    collector = Collector(inputs)
    centre = (settings.low + settings.high) // 2
    for (player, own), session in played:
        answers = sounding_at(own, [note.onset_seconds for note in player], tolerance_seconds=TOLERANCE_SECONDS)
        for note, answer in zip(player, answers, strict=True):
            target = None if answer is None else min(max(answer, settings.low), settings.high)
            now = session.look(note.pitch, note.onset_seconds)
            collector.add(
                now,
                previous=centre if now.own[0] is None else now.own[0],
                tonic=now.tonic,
                player=note.pitch,
                target=-1 if target is None else target,
                experts=now.experts if settings.experts else None,
            )
            session.learn(note.pitch, note.onset_seconds, target)
    return collector.notes()
