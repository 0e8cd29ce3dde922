"""A session in figures."""

import math

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.session_figures import figures_of
from improviser.core.music.note import Note


def notes(*pitches: int, late: float = 0.0, length: float = 0.5) -> list[Note]:
    return [Note(pitch, index * 0.5 + late, length) for index, pitch in enumerate(pitches)]


def test_figures_of_a_short_session() -> None:
    figures = figures_of(notes(60, 62, 64, 65, 67, 72), notes(48, 50, 50, 54))
    assert (figures.heard, figures.played, figures.key) == (6, 4, "C major")
    assert figures.answered == 4 / 6
    assert figures.consonant == 2 / 4, "octave, octave; a second and a major seventh are none"
    assert figures.in_scale == 3 / 4
    assert figures.repeats == 1 / 3


def test_an_answer_comes_with_its_note() -> None:
    assert figures_of(notes(60, 62), notes(60, 62, late=0.02)).answered == 1.0
    assert figures_of(notes(60, 62), notes(60, 62, late=0.1)).answered == 0.0


def test_a_dissonance_that_has_ended_is_none() -> None:
    assert math.isnan(figures_of(notes(60, length=0.1), notes(61, late=0.2)).consonant)
    assert figures_of(notes(60, length=0.3), notes(61, late=0.2)).consonant == 0.0


def test_nothing_has_no_figures() -> None:
    figures = figures_of([], [])
    assert figures.key == ""
    assert all(math.isnan(share) for share in (figures.answered, figures.consonant, figures.in_scale, figures.repeats))


PARTS = st.lists(st.builds(Note, st.integers(0, 127), st.floats(0, 100), st.floats(0, 5)), max_size=30)


@given(PARTS, PARTS)
def test_shares_are_shares(player: list[Note], improviser: list[Note]) -> None:
    for part in (player, improviser):
        part.sort(key=lambda note: note.onset_seconds)
    figures = figures_of(player, improviser)
    for share in (figures.answered, figures.consonant, figures.in_scale, figures.repeats):
        assert math.isnan(share) or 0.0 <= share <= 1.0


def test_an_answer_that_was_moved_as_a_chord_completed_is_counted() -> None:
    own = [Note(40, 0.0, 0.05), Note(36, 0.05, 1.0), Note(38, 1.2, 0.05), Note(36, 2.0, 0.5)]
    figures = figures_of([], own)
    assert figures.moved == 1 / 4
    assert figures.moved_seconds == 0.05
    assert math.isnan(figures_of([], own[1:2]).moved_seconds)
