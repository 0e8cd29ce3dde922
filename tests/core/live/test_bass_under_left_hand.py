"""The left hand, live: after-beats, chords that follow one another, and the roots of close chords."""

from collections.abc import Sequence

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
