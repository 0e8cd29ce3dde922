"""Parts move between the player's notes as often, and as far, as was counted."""

import numpy as np
import pytest

from improviser.core.chorale.ornaments import REACH, STEPS, Ornaments, read_ornaments
from improviser.core.chorale.session import ChoraleSession
from improviser.core.chorale.terms import Place
from improviser.core.music.note import Note
from improviser.core.music.piece import Piece
from improviser.errors import ModelError
from improviser.training.chorale_fitting import setting_of
from improviser.training.chorale_ornaments import count_ornaments
from tests.core.chorale.small import NAMES, voices

CHORD, PLACE = (72, 67, 64, 48), Place(0, False, 0, 2, 0, (71, 67, 62, 55))


def small() -> Ornaments:
    ornaments = voices(0).ornaments
    assert ornaments is not None
    return ornaments


def test_who_sings_himself_moves_no_part_and_the_others_do_as_counted() -> None:
    weights = small().weights(CHORD, PLACE, given=0)
    np.testing.assert_allclose(weights[1:], 0.05)
    assert not weights[0].any()


def test_as_many_are_drawn_as_are_wanted() -> None:
    weights = small().weights(CHORD, PLACE, given=0)
    chances = np.linspace(0, 1, 2000, endpoint=False)
    for share in (0.0, 0.5, 1.0):
        drawn = [small().draw(weights, share, chance) for chance in chances]
        found = [each for each in drawn if each is not None]
        assert len(found) / len(chances) == pytest.approx(share * weights.sum(), abs=0.002)
        if found:
            assert {voice for voice, _ in found} == {1, 2, 3}
            assert {number for _, number in found} == {*range(len(STEPS))}


def test_a_part_that_has_moved_is_expected_to_go_on() -> None:
    session = ChoraleSession(voices(0))
    session.learn(72, 0.0, [67, 64, 48])
    before = session.look(74, 0.5).logs
    session.ornament(2, 3)
    moved = session.look(74, 0.5).logs
    np.testing.assert_allclose(moved[1, 64 - REACH : 64 + REACH + 1], before[1, 64 - REACH : 64 + REACH + 1] + 1)
    np.testing.assert_allclose(moved[[0, 2]], before[[0, 2]])
    session.ornament(2, None)
    np.testing.assert_allclose(session.look(74, 0.5).logs, before)
    session.ornament(0, 3)  # that is the player's
    np.testing.assert_allclose(session.look(74, 0.5).logs, before)


def test_they_are_counted_where_the_corpus_has_them() -> None:
    """The tenor of this piece goes up a tone between each two of the soprano's notes, and nothing else moves."""
    beats = range(40)
    lines: list[list[Note]] = [[Note(pitch, 0.5 * beat, 0.5) for beat in beats] for pitch in (72, 67, 48)]
    tenor = [Note(pitch, 0.5 * beat + late, 0.25) for beat in beats for pitch, late in ((60, 0.0), (62, 0.25))]
    piece = Piece("x", tuple(map(tuple, (lines[0], lines[1], tenor, lines[2]))), NAMES)
    setting = setting_of(piece)
    assert setting is not None
    assert (setting.steps[:-1, 2] == STEPS.index(2)).all()
    assert (setting.steps[:, [0, 1, 3]] == -1).all()
    found = count_ornaments(voices(0), [setting])
    cases = found.rates[2].sum(axis=-1)
    assert cases.max() > 0.8
    assert found.rates[[1, 3]].max() < 0.05
    assert found.leads[STEPS.index(2)].argmax() == REACH  # back to where it was


def test_a_damaged_table_is_refused() -> None:
    tables = {name: np.asarray(table) for name, table in small().arrays().items()}
    for name, table in (("rhythm", np.ones(3)), ("rates", -tables["rates"])):
        with pytest.raises(ModelError, match="damaged"):
            read_ornaments({**tables, name: table})
