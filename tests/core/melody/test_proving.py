"""What is bred has to prove itself in the mixture that plays: it is heard beside it, and better only beyond chance."""

import numpy as np
import pytest

from improviser.core.melody.adaptation import Adaptation, bounded, size_of
from improviser.core.melody.model import MelodyModel
from improviser.core.melody.proving import Proof
from improviser.errors import ModelError
from improviser.library.adaptations import Pupil, base_of
from improviser.library.catalogue import load_model

LEAPS = np.random.default_rng(3).integers(57, 82, 200).tolist()
"""Of no style."""


@pytest.fixture(scope="module")
def bach() -> MelodyModel:
    model = load_model("bach-melody")
    assert isinstance(model, MelodyModel)
    return model


def test_without_a_difference_nothing_is_proved(bach: MelodyModel) -> None:
    proof = Proof(bach)
    for number in range(12):
        proof.hear(LEAPS[number], 0.4 * number)
    assert proof.bits[0] == proof.bits[1] > 0
    assert not proof.is_better


def test_what_foresees_worse_is_no_better_and_what_foresees_better_is(bach: MelodyModel) -> None:
    pupil = Pupil(bach)
    found = None
    for number, pitch in enumerate(LEAPS):
        pupil.hear(pitch, 0.4 * number)
        if number % 40 == 39:
            found = pupil.learn()
    assert found
    without, ahead = pupil.bits
    assert ahead < without
    worse = Adaptation("bach-melody", base_of(bach), bounded(np.full(size_of(bach.shape), -9.0), bach.shape))
    proof = Proof(bach)
    proof.adapt({"bach-melody": worse.applied_to(bach)})
    for number in range(40):
        proof.hear(60 + number % 5, 0.4 * number)
    assert not proof.is_better


def test_only_melodies_are_proved() -> None:
    with pytest.raises(ModelError, match="no melody model"):
        Proof(load_model("bach-bass"))


def test_little_evidence_counts_when_much_was_heard_and_much_at_once(bach: MelodyModel) -> None:
    proof = Proof(bach)

    def proved(bits: float, notes: int) -> bool:
        proof.costs, proof._count = np.array([1000.0 + bits, 1000.0]), float(notes)
        return proof.is_better

    assert [proved(8.0, notes) for notes in (100, 299, 300)] == [False, False, True]
    assert not proved(3.0, 900)
    assert proved(16.0, 100)
