"""The form of a solo, and the vocabulary: both stay small, however long it goes on."""

from improviser.core.replies.form import ARCHES, LONG_REST, Form
from improviser.core.replies.vocabulary import NOTES, OWN_NOTES, Known, Vocabulary
from tests.core.replies.briefs import TUNE, dice, line


def test_a_solo_opens_and_closes_and_rests() -> None:
    form, chance, arch, arches = Form(), dice(), [], []
    for _ in range(60):
        turn, form = form.turn(chance, 4)
        assert 1 <= turn.fewest <= turn.most
        assert 0 <= turn.back < 4
        arch.append(turn)
        if turn.rest == LONG_REST:
            arches.append(arch)
            arch = []
    assert len(arches) >= 60 // ARCHES[1]
    for arch in arches:
        assert ARCHES[0] <= len(arch) <= ARCHES[1]
        highest = max(arch, key=lambda turn: turn.rise)
        assert arch[0].rise < highest.rise > arch[-1].rise
        assert arch[0].opening < highest.opening > arch[-1].opening
    assert all(turn.rest >= 1 for arch in arches for turn in arch)


def test_what_is_remembered_is_bounded() -> None:
    vocabulary = Vocabulary()
    for place in range(200):
        phrase = line([pitch + place % 24 for pitch in TUNE])
        vocabulary = vocabulary.heard(phrase).played(phrase)
    assert sum(map(len, vocabulary.phrases)) <= NOTES
    assert sum(map(len, vocabulary.replies)) <= OWN_NOTES
    assert vocabulary.phrases[-1] == vocabulary.replies[-1] == phrase


def test_what_is_known_is_what_was_said() -> None:
    known = Known(Vocabulary().heard(line((60, 62, 64, 65))).heard(line((67, 65))))
    assert (2, 2, 1) in known.figures
    assert (2, 1, 2) in known.figures  # across the rest
    assert (1, 1) not in known.pairs
    assert sorted(known.following[2,]) == [-2, 1, 2]
    assert (known.lowest, known.highest) == (60, 67)
    nothing = Known(Vocabulary())
    assert not nothing.figures
    assert nothing.lowest < nothing.middle < nothing.highest
