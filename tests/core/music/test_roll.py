"""Keys and slices of a roll."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.snapshot import Part, Sounded
from improviser.core.music.roll import PIANO, SLICE_SECONDS, slices, window


@given(st.lists(st.integers(0, 127), max_size=5), st.integers(1, 120))
def test_a_window_is_part_of_a_piano_and_holds_what_it_can(pitches: list[int], count: int) -> None:
    keys = window(pitches, count)
    assert len(keys) == min(count, len(PIANO))
    assert set(keys) <= set(PIANO)
    wanted = [pitch for pitch in pitches if pitch in PIANO]
    if wanted == pitches and pitches and max(pitches) - min(pitches) < count:
        assert set(pitches) <= set(keys)


@pytest.mark.parametrize(
    ("start", "end", "filled"),
    [
        (0.0, 1.0, [(0, True)]),
        (0.5, 1.5, [(0, True), (1, False)]),
        (2.0, None, [(2, True), (3, False), (4, False), (5, False)]),
        (3.0, 3.0, [(3, True)]),
        (-4.0, 0.5, [(0, False)]),
        (9.0, None, []),
    ],
)
def test_slices(start: float, end: float | None, filled: list[tuple[int, bool]]) -> None:
    """Times in slices, looked at from slice 0 to 5."""
    note = Sounded(Part.PLAYER, 60, start * SLICE_SECONDS, None if end is None else end * SLICE_SECONDS)
    assert list(slices(note, 0, 5)) == filled
