"""The left hand of a reply: close chords come back as chords, whichever side of the border they are on."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.answering.left_hand import LOWEST_INVERSION, hands_of, moved
from improviser.core.midi.event import NoteOn
from improviser.core.music.phrase import Heard, Phrase

D_MAJOR = frozenset((2, 4, 6, 7, 9, 11, 1))
BORDER = 65.0


def phrase(*struck: tuple[float, float, tuple[int, ...]]) -> Phrase:
    """Return a phrase: onset, duration and pitches of what is struck together."""
    notes = [Heard(NoteOn(0, pitch, 80), onset, onset + lasts) for onset, lasts, all_of in struck for pitch in all_of]
    return Phrase(tuple(notes), 10.0, 0.5)


def hands(*struck: tuple[float, float, tuple[int, ...]]) -> tuple[list[int], list[int]]:
    right, left = hands_of(phrase(*struck), BORDER)
    return [heard.note.pitch for heard in right], [heard.note.pitch for heard in left]


def test_a_waltz_keeps_its_chords_though_they_reach_over_the_border() -> None:
    bar = [(0.0, 1.4, (50, 74)), (0.5, 0.4, (57, 62, 66)), (1.0, 0.4, (57, 62, 66))]
    assert hands(*bar) == ([74], [50, 57, 62, 66, 57, 62, 66])
    short = [(0.0, 0.4, (50, 74)), (0.5, 0.4, (57, 62, 66, 76)), (1.0, 0.4, (57, 62, 66))]
    assert hands(*short) == ([74, 76], [50, 57, 62, 66, 57, 62, 66])


def test_a_tune_close_above_the_chord_is_the_tune() -> None:
    assert hands((0.0, 0.4, (50, 67)), (0.5, 0.4, (57, 62, 66))) == ([67, 66], [50, 57, 62])
    assert hands((0.0, 0.4, (48, 52, 55, 72)), (0.5, 0.4, (43, 47, 50, 74)))[0] == [72, 74]
    assert hands((0.0, 0.4, (60,)), (0.5, 0.4, (64,)))[1] == [], "one line has one hand"


def test_the_upper_notes_of_a_tremolo_under_a_tune_are_the_left_hands() -> None:
    tremolo = [(0.1 * number, 0.11, ((48, 67)[number % 2],)) for number in range(1, 12)]
    right, left = hands(*sorted([(0.0, 0.56, (48, 84)), (0.6, 0.56, (48, 79)), *tremolo[:5], *tremolo[6:]]))
    assert right == [84, 79]
    assert left.count(67) == 6
    legato = hands((0.0, 0.52, (50, 84)), (0.5, 0.5, (72,)), (1.0, 0.5, (50, 67)))
    assert legato == ([84, 72, 67], [50, 50])


@given(st.lists(st.integers(40, 75), min_size=1, max_size=5, unique=True), st.integers(55, 90))
def test_the_left_hand_is_below_the_tune_and_has_all_its_notes_where_there_is_room(
    figure: list[int], tune: int
) -> None:
    figure = [pitch for pitch in figure if pitch % 12 in D_MAJOR] or [50]
    found = moved(sorted(figure), sorted(figure), tune, D_MAJOR)
    assert all(pitch < tune for pitch in found)
    assert found == sorted(set(found))
    if max(figure) + 6 < tune:
        assert len(found) == len(figure)
    assert all(pitch >= min(LOWEST_INVERSION, min(figure) - 6) for pitch in found)


def test_a_close_chord_is_inverted_below_a_low_tune() -> None:
    assert moved((57, 62, 66), (57, 62, 66), 62, D_MAJOR) == [50, 54, 57]
