"""Rendering: every note answered, rhythm kept, files well formed."""

from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from improviser.core.echo.model import EchoModel
from improviser.core.midi.tempo import TempoMap
from improviser.core.music.note import Note
from improviser.core.networks.asking import Session
from improviser.core.networks.responder import LogProbabilities, Model
from improviser.library.catalogue import load_model
from improviser.midifile import MidiPiece, TimedNote, read_midi, write_midi
from improviser.recordings.rendering import render, untangled
from tests.core.echo.original import recorded
from tests.melodies import TUNE, piece, timed


class Octave:
    """A model that likes the octave below best, and the fifth below next; it notes what it is taught."""

    name = "octave"
    task = "harmony"

    def __init__(self) -> None:
        self.lessons: list[tuple[int, float, int | None]] = []

    def distribution(
        self,
        history: Sequence[Note],
        *,
        onset_seconds: float,
        player: Sequence[Note] = (),
        candidates: Sequence[int] | None = None,
    ) -> NDArray[np.float64]:
        return np.exp(self.propose(player[-1].pitch, onset_seconds))

    def session(self) -> Session:
        raise NotImplementedError("a performer does not ask for it")

    def responder(self) -> "Octave":
        return self

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:
        preferences = np.full(128, -30.0)
        preferences[[max(0, pitch - 12), max(0, pitch - 7)]] = (-0.1, -5.0)
        return preferences

    def moment(self, onset_seconds: float) -> float:
        return onset_seconds

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:
        self.lessons.append((pitch, onset_seconds, played))

    def reset(self) -> None:
        self.lessons.clear()


def played(of: MidiPiece) -> list[tuple[int, int, int, int]]:
    return [(note.start_tick, note.end_tick, note.note.velocity, note.note.pitch) for note in of.notes]


def rhythm(of: MidiPiece) -> list[tuple[int, int, int]]:
    return [note[:3] for note in played(of)]


def well_formed(path: Path) -> int:
    """Check that no pitch of a channel starts while it sounds and all ends; return how many notes start."""
    sounding: set[tuple[int, int]] = set()
    starts = 0
    for message in mido.MidiFile(path):
        if message.type == "note_on":
            key = message.channel, message.note
            assert key not in sounding
            sounding.add(key)
            starts += 1
        elif message.type == "note_off":
            sounding.remove((message.channel, message.note))
    assert not sounding
    return starts


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_an_echo_model_decodes_the_whole_piece_as_the_original() -> None:
    echo = recorded()[0]
    whole = piece(timed(pitch, 100 * place, 100 * place + 80) for place, pitch in enumerate(echo.pitches))
    answered = render(whole, EchoModel("original", echo.network), temperature=0.7, rng=rng())
    assert [note.note.pitch for note in answered.notes] == echo.played
    assert rhythm(answered) == rhythm(whole)


def test_other_models_answer_note_by_note_and_learn_what_they_played() -> None:
    whole = piece(timed(pitch, 480 * place, 480 * place + 400, velocity=30 + place) for place, pitch in enumerate(TUNE))
    model = Octave()
    answered = render(whole, model, temperature=0.0, rng=rng())
    assert [note.note.pitch for note in answered.notes] == [pitch - 12 for pitch in TUNE]
    assert rhythm(answered) == rhythm(whole)
    assert model.lessons == [(pitch, place * 0.5, pitch - 12) for place, pitch in enumerate(TUNE)]


def test_a_chord_is_answered_without_collisions() -> None:
    chord = piece([timed(60, 0, 480), timed(65, 0, 480), timed(60, 960, 1000)])
    answered = render(chord, Octave(), temperature=0.0, rng=rng())
    assert sorted(note.note.pitch for note in answered.notes) == [48, 48, 53]
    unison = piece([timed(60, 0, 480), timed(60, 0, 480, channel=1), timed(60, 0, 240)])
    answered = render(unison, Octave(), temperature=0.0, rng=rng())
    assert sorted((note.channel, note.note.pitch) for note in answered.notes) == [(0, 48), (0, 53), (1, 48)]


def test_tempo_and_signatures_are_kept_and_the_input_comes_on_request(tmp_path: Path) -> None:
    tempo = TempoMap(96, ((0, 400_000), (300, 900_000)))
    notes = tuple(TimedNote(0, 3, 50 * n, 50 * n + 40, Note(60 + n, tempo.seconds_at(50 * n), 0.1)) for n in range(10))
    whole = MidiPiece("p", tempo, ((0, 3, 4),), ("a",), notes)
    model = load_model("echo")
    write_midi(tmp_path / "alone.mid", render(whole, model, temperature=0.7, rng=rng()))
    write_midi(tmp_path / "both.mid", render(whole, model, temperature=0.7, rng=rng(), with_input=True))
    alone, both = read_midi(tmp_path / "alone.mid"), read_midi(tmp_path / "both.mid")
    for result in (alone, both):
        assert result.tempo == tempo
        assert result.time_signatures == ((0, 3, 4),)
    assert rhythm(alone) == rhythm(whole)
    assert {note.channel for note in alone.notes} == {3}
    assert both.tracks == ("input", "echo")
    assert [note.note.pitch for note in both.notes if note.track == 0] == [note.note.pitch for note in notes]
    answers = [note for note in both.notes if note.track == 1]
    assert sorted(note.note.pitch for note in answers) == sorted(note.note.pitch for note in alone.notes)
    assert {note.channel for note in answers} == {0}


chaos = st.lists(
    st.builds(
        lambda pitch, start, length, channel: timed(pitch, start, start + length, channel=channel),
        st.integers(60, 63),
        st.integers(0, 40),
        st.integers(0, 20),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=25,
)


@given(chaos, st.booleans(), st.booleans())
def test_whatever_overlaps_the_file_is_well_formed_and_every_note_answered(
    tmp_path_factory: pytest.TempPathFactory, notes: list[TimedNote], echo: bool, with_input: bool
) -> None:
    whole = piece(sorted(notes, key=lambda one: (one.start_tick, one.note.pitch)))
    model: Model = load_model("echo") if echo else Octave()
    answered = render(whole, model, temperature=0.0, rng=rng(), with_input=with_input)
    path = tmp_path_factory.getbasetemp() / "chaos.mid"
    write_midi(path, answered)
    assert well_formed(path) == len(notes) * (2 if with_input else 1)
    starts = sorted(note.start_tick for note in answered.notes)
    assert starts == sorted([note.start_tick for note in notes] * (2 if with_input else 1))


@given(chaos)
def test_untangling_cuts_only_what_collides(notes: list[TimedNote]) -> None:
    kept = untangled(notes)
    assert len(kept) == len(notes)
    for before, after in zip(sorted(notes, key=lambda one: one.start_tick), kept, strict=True):
        assert (after.start_tick, after.channel, after.note.pitch) == (
            before.start_tick,
            before.channel,
            before.note.pitch,
        )
        assert after.end_tick <= before.end_tick
        if after.end_tick < before.end_tick:
            assert any(
                other.start_tick == after.end_tick
                and (other.channel, other.note.pitch) == (after.channel, after.note.pitch)
                for other in notes
            )


def test_channels_are_shared_only_when_there_are_no_others() -> None:
    full = piece(timed(60, 100 * channel, 100 * channel + 50, channel=channel) for channel in range(16) if channel != 9)
    answered = render(full, Octave(), temperature=0.0, rng=rng(), with_input=True)
    assert {note.channel for note in answered.notes} == {note.channel for note in full.notes}


def test_a_recorded_loop_is_answered_like_anything_else() -> None:
    """What the live guard passes over: each note is the answer just given, a few milliseconds later."""
    loop = piece(timed(108 - 12 * place, 5 * place, 5 * place + 4) for place in range(9))
    answered = render(loop, Octave(), temperature=0.0, rng=rng())
    assert [note.note.pitch for note in answered.notes] == [96 - 12 * place for place in range(9)]
