"""A corpus as the task `melody` sees it: every tune is sung through the session that also sings live."""

from collections.abc import Iterable, Sequence

import numpy as np

from improviser.core.melody.session import VIEWPOINTS, Melody, Situation
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.population import Notes
from improviser.core.networks.viewpoints import Inputs


def melody_notes(tunes: Iterable[Sequence[Note]], settings: ChoirSettings) -> Notes:
    """Return one note to score for each note of the tunes."""
    inputs: Inputs[Situation] = Inputs(settings.viewpoints, VIEWPOINTS)
    return notes_of([(tune, Melody(settings.low, settings.high)) for tune in tunes], settings, inputs)


def notes_of(
    sung: Iterable[tuple[Sequence[Note], Melody]], settings: ChoirSettings, inputs: Inputs[Situation]
) -> Notes:
    """Return one note to score for each note of the tunes, each sung through its own session."""
    seen, frames, experts = [], [], []
    for tune, session in sung:
        for note in tune:
            now = session.look(note.onset_seconds)
            seen.append(inputs.read(now))
            experts.append(now.experts.astype(np.float32))
            previous = now.pitches[0] if now.pitches else now.centre
            frames.append((previous, now.tonic, 0, min(max(note.pitch, settings.low), settings.high)))
            session.learn(note.pitch, note.onset_seconds)
    previous_pitches, tonics, players, targets = list(np.array(frames, dtype=np.int64).reshape(-1, 4).T.copy())
    return Notes(
        np.array(seen, dtype=np.float32).reshape(-1, inputs.size),
        previous_pitches,
        tonics,
        players,
        targets,
        np.array(experts, dtype=np.float32) if settings.experts else None,
    )
