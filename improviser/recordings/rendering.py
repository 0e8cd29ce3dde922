"""Plays a whole MIDI file with a model, off line: every note answered, rhythm, velocity and tempo kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from improviser.core.live.parameters.table import DEFAULTS, Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.note import CHANNELS
from improviser.core.networks.responder import Model
from improviser.core.tasks.registry import TASKS
from improviser.midifile import MidiPiece, TimedNote, without_drum_channel

INPUT_NAME = "input"


def render(
    piece: MidiPiece,
    model: Model,
    *,
    temperature: float,
    rng: np.random.Generator,
    with_input: bool = False,
    part: str = DEFAULTS["part"],
) -> MidiPiece:
    """Return the answers of `model` to every note of `piece`, in one track named after the model.

    An echo model decodes the piece as a whole, as the original did; `temperature` and `rng` do not matter to it. Others
    play as they do live. With the input, that comes first, in a track of its own, and the answers move to channels that
    it does not use, as far as there are any.

    :param part: which part of a chorale the piece is, or "auto".
    """
    task = TASKS.get(model.task)  # a caller's own model may be of none
    if task is not None and task.whole is not None:
        pitches = [[pitch] for pitch in task.whole(model, [timed.note.pitch for timed in piece.notes])]
    else:
        pitches = list(_played(piece.notes, model, temperature, rng, part))
    answered = [(timed, pitch) for timed, chord in zip(piece.notes, pitches, strict=True) for pitch in chord]
    answers = [replace(timed, track=0, note=replace(timed.note, pitch=pitch)) for timed, pitch in answered]
    return assembled(piece, answers, model.name, with_input=with_input)


def assembled(piece: MidiPiece, answers: Sequence[TimedNote], name: str, *, with_input: bool) -> MidiPiece:
    """Return `answers` as a piece in the tempo of `piece`: a track of this name, behind one of the input if wanted."""
    if not with_input:
        return replace(piece, tracks=(name,), notes=tuple(untangled(without_drum_channel(answers))))
    heard = [replace(timed, track=0) for timed in without_drum_channel(piece.notes)]
    lies = {timed.channel: moved.channel for timed, moved in zip(piece.notes, heard, strict=True)}
    free = _free_channels({timed.channel for timed in heard})
    moved_to = {channel: free[lie] for channel, lie in lies.items()}
    answers = [replace(timed, track=1, channel=moved_to.get(timed.channel, timed.channel)) for timed in answers]
    return replace(piece, tracks=(INPUT_NAME, name), notes=tuple(untangled([*heard, *answers])))


def _played(
    notes: Sequence[TimedNote], model: Model, temperature: float, rng: np.random.Generator, part: str
) -> Iterator[list[int]]:
    """Yield what the live performer answers each note with: a pitch, or one for each part that is chosen together.

    Drums have been left out as they were read.
    """
    parameters = Parameters(temperature=temperature, part=part, guard=False, drums="notes", follow="every")
    performer = Performer([model], parameters, rng)
    together = model.task in TASKS and TASKS[model.task].together
    # Ends come before starts at the same tick; a note of no length ends after it has started.
    moments = [(timed.start_tick, 1, index) for index, timed in enumerate(notes)]
    moments += [(timed.end_tick, 0 if timed.end_tick > timed.start_tick else 2, n) for n, timed in enumerate(notes)]
    for _, kind, index in sorted(moments):
        timed = notes[index]
        if kind == 1:
            note = timed.note
            events = performer.hear(NoteOn(timed.channel, note.pitch, note.velocity), note.onset_seconds).events
            pitches = [event.pitch for event in events if isinstance(event, NoteOn)]
            yield pitches if together else pitches[-1:]
        else:
            events = performer.hear(NoteOff(timed.channel, timed.note.pitch), timed.note.end_seconds).events
        for event in events:
            performer.sent(event)
        performer.settle()


def untangled(notes: Iterable[TimedNote]) -> list[TimedNote]:
    """Return `notes` so that no pitch of a channel starts while it sounds: the earlier note is cut there.

    Of two that start together the first is left without length.
    """
    last: dict[tuple[int, int], int] = {}
    kept: list[TimedNote] = []
    for timed in sorted(notes, key=lambda timed: timed.start_tick):
        key = timed.channel, timed.note.pitch
        before = last.get(key)
        if before is not None and kept[before].end_tick > timed.start_tick:
            kept[before] = _cut(kept[before], timed)
        last[key] = len(kept)
        kept.append(timed)
    return kept


def _cut(timed: TimedNote, following: TimedNote) -> TimedNote:
    """Return `timed`, ended where `following` starts."""
    duration = max(0.0, following.note.onset_seconds - timed.note.onset_seconds)
    return replace(timed, end_tick=following.start_tick, note=replace(timed.note, duration_seconds=duration))


def _free_channels(used: set[int]) -> dict[int, int]:
    """Give each used channel one of its own that is not used; where these run out, itself."""
    free = (channel for channel in range(CHANNELS) if channel not in used and channel != DRUM_CHANNEL)
    return {channel: next(free, channel) for channel in sorted(used)}
