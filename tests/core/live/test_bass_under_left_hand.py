"""The left hand, live: after-beats, chords that follow one another, and the roots of close chords."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

import improviser

Heard = Sequence[tuple[int, ...]]


def bass_under(chords: Heard, beat: float = 0.6, pedal: bool = False) -> list[list[int]]:
    """Return what `bach-bass` strikes with each chord of a left hand, under a tune that holds its notes."""
    playing = improviser.Performer([improviser.load_model("bach-bass")], seed=1, mode="shadow", guard=False)
    found = []
    if pedal:
        playing.hear(bytes((0xB0, 64, 127)), 0.5)
    for number, chord in enumerate(chords):
        now = 1.0 + beat * number
        keys = (*chord, 79) if number % 4 == 0 else chord
        sent = [playing.hear(bytes((0x90, key, 80)), now + 0.004 * place) for place, key in enumerate(keys)]
        while (due := playing.deadline) is not None and due < now + 0.8 * beat:
            sent.append(playing.advance(due))
        found.append([each[1] for messages in sent for each in messages if each[0] & 0xF0 == 0x90 and each[2]])
        for key in chord:
            playing.hear(bytes((0x80, key, 64)), now + 0.8 * beat)
        if number % 4 == 3:
            playing.hear(bytes((0x80, 79, 64)), now + 0.9 * beat)
    return found


WALTZ = ((38,), (54, 57, 62), (54, 57, 62), (43,), (55, 59, 62), (55, 59, 62))


def test_a_bass_leaves_out_the_after_beats_of_a_waltz() -> None:
    played = bass_under(WALTZ * 4)[6:]
    assert all(notes and notes[-1] % 12 in (2, 7) for notes in played[::3])
    assert not any(played[1::3] + played[2::3])


def test_a_bass_that_a_pedal_keeps_is_not_struck_again_with_a_broken_chord() -> None:
    played = bass_under(((36,), (48,), (52,), (55,)) * 4, beat=0.3, pedal=True)[4:]
    assert all(played[::4])
    assert not any(played[place] for place in range(len(played)) if place % 4)


def test_octaves_so_low_that_there_is_no_room_below_are_left_alone() -> None:
    assert not any(bass_under(((45, 33),) * 8)[2:])
    assert all(notes[-1] == 31 for notes in bass_under(((55, 43),) * 8)[2:])


def test_a_chord_that_followed_before_is_foreseen() -> None:
    inverted = ((52, 55, 60), (53, 57, 60), (50, 55, 59), (52, 55, 60))
    played = bass_under(inverted * 5)
    assert [notes[-1] % 12 for notes in played[8:]] == [0, 5, 7, 0] * 3
    assert sum(len(notes) > 1 for notes in played[12:]) <= 1


def test_a_voicing_without_its_root_gets_it_from_the_bass() -> None:
    two_five_one = ((53, 57, 60, 64), (53, 57, 59, 64), (52, 55, 59, 62), (52, 55, 59, 62))
    played = bass_under(two_five_one * 5, beat=1.0)[8:]
    roots = [notes[-1] % 12 for notes in played if notes]
    assert sum(root == wanted for root, wanted in zip(roots, [2, 7, 0, 0] * 3, strict=False)) >= 10


ALBERTI = ((48,), (55,), (52,), (55,), (47,), (55,), (50,), (55,))


@pytest.mark.parametrize("beat", [0.16, 0.2, 0.27])
def test_a_bass_strikes_the_lowest_notes_of_an_alberti_bass(beat: float) -> None:
    played = bass_under(ALBERTI * 4, beat=beat)[8:]
    assert [notes[-1] % 12 for notes in played[::4]] == [0, 11] * 3
    assert not any(played[place] for place in range(len(played)) if place % 4)


def test_a_repeated_chord_gets_a_bass_on_pulses_and_a_change_one_at_once() -> None:
    chords = ((48, 52, 55),) * 7 + ((50, 53, 57),) * 9
    played = [bool(notes) for notes in bass_under(chords * 2, beat=0.2)[16:]]
    assert played[0]
    assert played[7]
    assert sum(played) <= 9
    assert not any(one and other for one, other in pairwise(played[1:7]))


@pytest.mark.parametrize("beat", [0.06, 0.09, 0.13, 0.2])
def test_a_bass_under_a_quick_left_hand_never_strikes_more_than_four_notes_a_second(beat: float) -> None:
    tremolo, walks = ((40,), (52,)) * 40, ((40,), (41,), (43,), (45,), (47,), (48,), (47,), (44,)) * 10
    for line in (tremolo, walks):
        played = bass_under(line, beat=beat)  # where the first note is moved, it counts once
        struck = [beat * number for number, notes in enumerate(played) if notes]
        assert struck
        assert all(sum(begins <= each < begins + 0.99 for each in struck) <= 4 for begins in struck)


def test_a_new_root_in_a_quick_line_is_struck_though_it_lies_above_the_last() -> None:
    boogie = ((40,), (44,), (47,), (49,), (50,), (49,), (47,), (44,))
    fourth, fifth = (tuple((pitch + by,) for (pitch,) in boogie) for by in (5, 7))
    played = bass_under((*boogie, *fourth, *boogie, *fifth) * 2, beat=0.16)[8:]
    assert [notes[-1] % 12 for notes in played[::8]] == [9, 4, 11, 4, 9, 4, 11]


def test_under_a_walking_left_hand_a_bass_strikes_roots_and_leaves_room() -> None:
    walks = (
        ((41,), (45,), (48,), (51,)),
        ((46,), (50,), (53,), (52,)),
        ((43,), (47,), (50,), (54,)),
        ((48,), (52,), (55,), (48,)),
    )
    played = bass_under([step for walk in walks for step in walk] * 3, beat=0.4)[16:]
    roots = [notes[-1] % 12 if notes else None for notes in played[::4]]
    assert roots == [5, 10, 7, 0] * 2
    assert sum(map(bool, played)) <= 0.6 * len(played)


@pytest.mark.parametrize("lasts", [0.9, 1.02, 1.3])
def test_a_fast_line_of_broken_chords_gets_no_more_bass_notes_where_its_notes_overlap(lasts: float) -> None:
    playing = improviser.Performer([improviser.load_model("bach-bass")], seed=1, mode="shadow", guard=False)
    gap, struck = 1 / 18, list[float]()
    messages = [(1 + gap * number, bytes((0x90, (72, 76, 79, 84)[number % 4], 80))) for number in range(72)]
    messages += [(seconds + lasts * gap, bytes((0x80, on[1], 64))) for seconds, on in messages]
    for seconds, message in sorted(messages):
        while (due := playing.deadline) is not None and due <= seconds:
            struck += [due for each in playing.advance(due) if each[0] & 0xF0 == 0x90]
        struck += [seconds for each in playing.hear(message, seconds) if each[0] & 0xF0 == 0x90 and each[2]]
    assert all(sum(begins <= each < begins + 1 for each in struck) <= 6 for begins in struck)
    assert 8 <= len(struck) <= 16
