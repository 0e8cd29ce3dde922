"""A corpus as the task `melody` sees it: every tune is sung through the session that also sings live."""

from collections.abc import Iterable, Sequence

from improviser.core.melody.session import VIEWPOINTS, Melody, Situation
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.notes import Collector, Notes
from improviser.core.networks.viewpoints import Inputs


def melody_notes(tunes: Iterable[Sequence[Note]], settings: ChoirSettings) -> Notes:
    """Return one note to score for each note of the tunes."""
    inputs: Inputs[Situation] = Inputs(settings.viewpoints, VIEWPOINTS)
    return notes_of(((tune, Melody(settings.low, settings.high)) for tune in tunes), settings, inputs)


def notes_of(
    sung: Iterable[tuple[Sequence[Note], Melody]], settings: ChoirSettings, inputs: Inputs[Situation]
) -> Notes:
    """Return one note to score for each note of the tunes, each sung through its own session."""
    collector = Collector(inputs)
    for tune, session in sung:
        for note in tune:
            now = session.look(note.onset_seconds)
            collector.add(
                now,
                previous=now.pitches[0] if now.pitches else now.centre,
                tonic=now.tonic,
                target=min(max(note.pitch, settings.low), settings.high),
                experts=now.experts if settings.experts else None,
            )
            session.learn(note.pitch, note.onset_seconds)
    return collector.notes()
