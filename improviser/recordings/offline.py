"""Rendering as a function: notes or a MIDI file in, the notes that a model plays to them out."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from improviser.core.live.parameters.allowed import check
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.raw import Performer
from improviser.core.midi.pairing import notes_of
from improviser.core.midi.tempo import TempoMap
from improviser.core.music.note import Note, is_time
from improviser.core.networks.asking import check_notes
from improviser.core.networks.responder import Model
from improviser.core.printable import shown
from improviser.errors import ConfigError, NoteError
from improviser.files import user_path
from improviser.library.catalogue import load_model
from improviser.midifile import MidiPiece, TimedNote, read_midi
from improviser.recordings.limits import LONGEST_TAIL
from improviser.recordings.live_rendering import messages_of, perform, players_part
from improviser.recordings.rendering import render as answer_each

Named = str | os.PathLike[str]


def render(
    source: Named | Iterable[Note],
    models: Model | Named | Sequence[Model | Named] = "bach-bass",
    *,
    seed: int = 0,
    tail: float = 0.0,
    **parameters: Any,
) -> list[Note]:
    """Play to notes off line, as fast as the machine can; return what was played, by onset, then pitch.

    Without `mode`, every note is answered, in its rhythm and as loud, by one model, as `improviser render` does; an
    echo model decodes the piece as a whole, as the original did. With `mode`, the notes are the player of a live
    session: the `Performer` hears them with their stamps.

    :param source: the notes (in any order), or a MIDI file, drums left out.
    :param models: a model, its name or its file; with `mode` several, one voice each.
    :param seed: a whole number ≥ 0; the same seed gives the same notes.
    :param tail: with `mode`, how many seconds the session goes on behind the last note, 0–3600; what sounds then ends.
    :param parameters: without `mode` temperature (0–4) alone and, for a chorale, part; with it every live parameter,
        see `parameters`.
    :raises ConfigError: for a parameter, seed or tail that cannot be.
    :raises ModelError: if a model cannot be found, read or trusted.
    :raises MidiFileError: if the file cannot be read, or holds no notes.
    :raises NoteError: if something among the notes is no `Note`.

    >>> import improviser
    >>> tune = [improviser.Note(pitch, beat * 0.5, 0.4) for beat, pitch in enumerate((72, 74, 76, 77))]
    >>> bass = improviser.render(tune, "bach-bass", seed=1)
    >>> [note.onset_seconds for note in bass]
    [0.0, 0.5, 1.0, 1.5]
    """
    if isinstance(models, str | os.PathLike) or not isinstance(models, Iterable):
        models = [models]
    chosen = [load_model(model) if isinstance(model, str | os.PathLike) else model for model in models]
    performer = Performer(chosen, seed=seed, **{"guard": False, **parameters})  # nothing comes back in off line
    if not (is_time(tail) and 0 <= tail <= LONGEST_TAIL):
        raise ConfigError(f"tail must be seconds from 0 to {LONGEST_TAIL:g}; it is {shown(tail)}")
    piece = _piece(source)
    if "mode" in parameters:
        return list(_session(piece, performer, tail))
    if others := sorted(set(parameters) - {"temperature", "part"}):
        raise ConfigError(f"{others[0]} is for a live session; give a mode as well, such as mode='shadow'")
    if len(chosen) != 1:
        raise ConfigError(f"one model answers every note, not {len(chosen)}; for several give mode='shadow'")
    if not piece.notes:
        return []
    temperature = check("temperature", parameters.get("temperature", Parameters().temperature))
    part = check("part", parameters.get("part", Parameters().part))
    answered = answer_each(piece, chosen[0], temperature=temperature, rng=np.random.default_rng(seed), part=part)
    return _sorted(timed.note for timed in answered.notes)


def _sorted(notes: Iterable[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: (note.onset_seconds, note.pitch))


def _piece(source: Named | Iterable[Note]) -> MidiPiece:
    """Return a source as a piece; the ticks of notes are the places of their times among all."""
    if isinstance(source, str | os.PathLike):
        return read_midi(user_path(os.fspath(source)), need_notes=True)
    if not isinstance(source, Iterable):
        raise NoteError(f"give a list of notes, or a MIDI file; this is {shown(source)}")
    notes = list(source)
    check_notes(notes)
    times = sorted({time for note in notes for time in (note.onset_seconds, note.end_seconds)})
    tick = {time: place for place, time in enumerate(times)}
    timed = tuple(TimedNote(0, 0, tick[note.onset_seconds], tick[note.end_seconds], note) for note in _sorted(notes))
    return MidiPiece("notes", TempoMap(480), (), ("",), timed)


def _session(piece: MidiPiece, performer: Performer, tail: float) -> tuple[Note, ...]:
    """Return what a performer plays to a piece."""
    return notes_of(*perform(messages_of(players_part(piece)), performer, tail))
