"""Keys by functional harmony: what rows of seventh chords say about where home is, on every tonic."""

from collections.abc import Sequence

import numpy as np
import pytest

from improviser.core.music.functional_keys import Chord, chord_of, tonic_nats

MAJOR_7, MINOR_7, DOMINANT, HALF = (0, 4, 7, 11), (0, 3, 7, 10), (0, 4, 7, 10), (0, 3, 6, 10)
ROOTLESS_MINOR, ROOTLESS_DOMINANT, ROOTLESS_MAJOR = (3, 7, 10, 14), (4, 9, 10, 14), (4, 7, 11, 14)
SHELL_MINOR, SHELL_DOMINANT, SHELL_MAJOR = (0, 3, 10), (0, 4, 10), (0, 4, 11)
Row = Sequence[tuple[int, Sequence[int]]]

HOME_ROWS: dict[str, Row] = {
    "ii V I VI": ((2, MINOR_7), (7, DOMINANT), (0, MAJOR_7), (9, DOMINANT)),
    "ii V I VI, rootless": ((2, ROOTLESS_MINOR), (7, ROOTLESS_DOMINANT), (0, ROOTLESS_MAJOR), (9, ROOTLESS_DOMINANT)),
    "ii V I, shells": ((2, SHELL_MINOR), (7, SHELL_DOMINANT), (0, SHELL_MAJOR)),
    "minor ii V i": ((2, HALF), (7, DOMINANT), (0, MINOR_7)),
}
MODAL_ROWS: dict[str, Row] = {
    "dorian, a tone up": ((0, MINOR_7), (2, MINOR_7)),
    "dorian, a fourth up": ((0, MINOR_7), (5, DOMINANT)),
    "mixolydian": ((0, DOMINANT), (10, MAJOR_7), (5, MAJOR_7), (0, DOMINANT)),
}


def chords(row: Row, tonic: int, times: int = 4) -> list[Chord]:
    return [chord_of([48 + tonic + root + step for step in steps]) for root, steps in row] * times


@pytest.mark.parametrize("name", HOME_ROWS)
def test_home_is_where_a_row_of_chords_is_usual_in_every_key(name: str) -> None:
    first = tonic_nats(chords(HOME_ROWS[name], 0))
    assert first is not None
    assert first.argmax() == 0
    for tonic in range(1, 12):
        nats = tonic_nats(chords(HOME_ROWS[name], tonic))
        assert nats is not None
        np.testing.assert_allclose(np.roll(nats, -tonic), first, atol=1e-9)


@pytest.mark.parametrize("name", MODAL_ROWS)
def test_of_modal_rows_little_is_said_against_their_home(name: str) -> None:
    nats = tonic_nats(chords(MODAL_ROWS[name], 0))
    assert nats is not None
    assert nats[0] > -0.35
    assert sum(nats > nats[0]) <= 1


def test_the_first_chord_follows_none() -> None:
    nats = tonic_nats(chords(((0, MAJOR_7),), 0, times=1))
    assert nats is not None
    assert nats.argmax() == 0
    assert nats[0] > nats[7] > nats[1]


def test_nothing_is_said_of_triads_and_of_a_blues() -> None:
    assert tonic_nats([]) is None
    assert tonic_nats(chords(((0, (0, 4, 7)), (7, (0, 4, 7))), 0)) is None
    assert tonic_nats(chords(((0, DOMINANT), (5, DOMINANT), (7, DOMINANT)), 0)) is None
