"""Where replies may end: as the key finder says, and where the player's phrases do, whatever the mode."""

import numpy as np

from improviser.core.live.replying.stability import stability
from improviser.core.music.home import MODES

C_MAJOR = np.zeros((len(MODES), 12))
C_MAJOR[0, 0] = 1.0


def likeliest(ends: list[int], count: int = 1) -> set[int]:
    """Return the pitch classes that are likeliest to be stable for a player who is heard in C major."""
    found = stability(C_MAJOR, ends)
    return set(sorted(range(12), key=lambda pitch: -found[pitch])[:count])


def test_without_ends_the_key_finder_decides() -> None:
    assert likeliest([], 3) == {0, 4, 7}


def test_who_always_comes_back_to_a_note_is_at_home_there_in_any_mode() -> None:
    for home in range(12):
        assert home in likeliest([60 + home] * 6, 3)
    assert likeliest([59] * 6) <= {11, 2, 6}  # B locrian
    assert stability(C_MAJOR, [59] * 6)[0] < 0.1


def test_ends_on_many_notes_say_nothing() -> None:
    assert stability(C_MAJOR, [69, 62, 67, 60] * 4) == stability(C_MAJOR, [])
    assert likeliest([59], 3) == {0, 4, 7}, "nor does one phrase"


def test_half_cadences_leave_home_where_it_is() -> None:
    assert likeliest([67, 60, 67, 60, 60, 67, 60, 60], 3) == {0, 4, 7}
