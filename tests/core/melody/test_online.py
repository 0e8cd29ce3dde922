"""Evolution while somebody plays: it learns, is bounded, proves itself, and does not go round in circles."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.melody.adaptation import MOST_BIAS, MOST_GAIN, Adaptation, bounded, gains_of, size_of
from improviser.core.melody.model import MelodyModel, frame_of
from improviser.core.melody.online import LEAST_OTHER, OnlineEvolution, Told, other_notes
from improviser.core.music.player import demo_tune
from improviser.errors import ModelError
from improviser.library.adaptations import adaptable_models, adapted, base_of, digest_of, from_bytes, to_bytes
from improviser.library.catalogue import load_model

RIFF = (62, 65, 69, 67, 65, 62, 60, 62)


@cache
def model() -> MelodyModel:
    loaded = load_model("bach-melody")
    assert isinstance(loaded, MelodyModel)
    return loaded


def genes(seed: int, spread: float = 0.3) -> Adaptation:
    drawn = np.random.default_rng(seed).normal(0.0, spread, size_of(model().shape))
    return Adaptation("bach-melody", base_of(model()), bounded(drawn, model().shape))


def line(count: int, seed: int = 1) -> list[Told]:
    """Return a line in a language that is not Bach's: fourths and fifths, on a pentatonic scale."""
    rng = np.random.default_rng(seed)
    scale = [pitch for pitch in range(57, 82) if pitch % 12 in (1, 4, 6, 8, 11)]
    place, told = 5, []
    for number in range(count):
        place = int(np.clip(place + rng.choice([-3, -2, 2, 3]), 0, len(scale) - 1))
        told.append((scale[place], number * 0.4 + 1.5 * (number // 12)))
    return told


@given(st.integers(0, 10_000), st.integers(1, 20))
@settings(max_examples=10)
def test_head_by_head_is_the_whole(seed: int, count: int) -> None:
    """What is bred on is what the network plays, adapted or not."""
    responder, plain = genes(seed).applied_to(model()).responder(), model().responder()
    for pitch, onset in line(count, seed):
        responder.follow(pitch, onset)
        plain.follow(pitch, onset)
    now = plain.situation(count * 0.4 + 2.0)
    network, frame, shape = model().network, frame_of(now), model().shape
    rows, fixed, known = network.opinions(model().inputs.read(now), frame, now.experts)
    whole = network.scores(model().inputs.read(now), frame, now.experts)[0]
    np.testing.assert_allclose(rows.sum(axis=0) + fixed, whole, atol=2e-3)
    their = genes(seed).genes
    biases = their[gains_of(shape) :]
    pitches = np.arange(128)
    scores = np.exp(their[: gains_of(shape)]) @ rows + fixed + biases[-shape.experts :] @ known
    scores = scores + biases[np.clip(pitches - frame.previous, -shape.reach, shape.reach) + shape.reach]
    scores = scores + biases[shape.intervals + (pitches - frame.tonic) % 12]
    heights = np.clip(pitches - frame.shift, shape.low, shape.high) - shape.low
    scores = scores + biases[shape.intervals + 12 + heights]
    folded = genes(seed).applied_to(model()).network.scores(model().inputs.read(now), frame, now.experts)[0]
    np.testing.assert_allclose(scores, folded, atol=5e-3)


def test_nothing_learned_changes_nothing() -> None:
    nothing = Adaptation("bach-melody", "", np.zeros(size_of(model().shape), np.float32))
    assert np.array_equal(nothing.applied_to(model()).genomes, model().genomes)


def test_a_file_holds_it_all_and_its_digest_is_its_own() -> None:
    one = genes(1)
    data = to_bytes(one)
    assert data == to_bytes(from_bytes(data))
    assert digest_of(data) != digest_of(to_bytes(genes(2)))
    again = adapted([data], [load_model("auto")])["bach-melody"]
    assert np.array_equal(again.genomes, one.applied_to(model()).genomes)
    assert {each.name for each in adaptable_models([load_model("auto"), load_model("bach-bass")])} > {"bach-melody"}


def test_what_is_of_another_model_is_refused() -> None:
    data = to_bytes(Adaptation("bach-melody", "0" * 64, genes(1).genes))
    for models in ([load_model("bach-melody")], [load_model("bach-bass")], []):
        with pytest.raises(ModelError, match="another model"):
            adapted([data], models)
    far = Adaptation("bach-melody", base_of(model()), genes(1).genes + 9)
    with pytest.raises(ModelError, match="beyond"):
        adapted([to_bytes(far)], [model()])


@given(st.integers(0, 10_000), st.floats(0.1, 50))
@settings(max_examples=20)
def test_all_is_bounded(seed: int, spread: float) -> None:
    adaptation, shape = genes(seed, spread), model().shape
    assert np.abs(adaptation.genes[: gains_of(shape)]).max() <= np.float32(MOST_GAIN)
    assert np.abs(adaptation.genes).max() <= MOST_BIAS
    assert np.abs(adaptation.part(0.5).genes).max() <= MOST_BIAS / 2


def evolved(told: list[Told], every: int, seed: int = 0) -> tuple[OnlineEvolution, list[Adaptation | None]]:
    """Return what comes of a session, evolved on after so many notes each time."""
    evolution = OnlineEvolution(model(), base_of(model()), seed)
    came: list[Adaptation | None] = []
    for number, (pitch, onset) in enumerate(told, start=1):
        evolution.hear(pitch, onset)
        if number % every == 0 and (bred := evolution.evolve()) is not None:
            came.append(bred.adaptation)
    return evolution, came


def bits(played: MelodyModel, told: list[Told], last: int) -> float:
    responder, costs = played.responder(), []
    for pitch, onset in told:
        costs.append(-responder.proceed(onset)[pitch] / np.log(2))
        responder.follow(pitch, onset)
    return float(np.mean(costs[-last:]))


def test_it_learns_what_is_heard_and_foresees_what_comes() -> None:
    told = line(160)
    _, came = evolved(told[:120], every=24)
    assert came[-1] is not None
    assert bits(came[-1].applied_to(model()), told, last=40) < bits(model(), told, last=40) - 0.1


def test_the_same_session_has_the_same_adaptations() -> None:
    bred = []
    for _ in range(2):
        evolution = OnlineEvolution(model(), base_of(model()), 1)
        for pitch, onset in line(40):
            evolution.hear(pitch, onset)
            if pitch % 12 == 1:
                evolution.evolve(3)
        bred.append(evolution.bred)
    one, other = bred
    assert one is not None
    assert other is not None
    assert np.array_equal(one, other)


def test_what_has_not_foreseen_better_is_not_played() -> None:
    """After a stretch of quite another kind comes a chorale, which the model foresees best as it is."""
    evolution = OnlineEvolution(model(), "")
    for number in range(60):
        evolution.hear((54, 67, 80)[number % 3] + number % 2, 0.3 * number)
    assert evolution.evolve(20) is None, "nothing has proved itself yet"
    for note in demo_tune(30.0):
        evolution.hear(note.pitch, 30 + note.onset_seconds)
    came = evolution.evolve(1)
    assert came is not None
    assert came.ahead > came.without
    assert came.adaptation is None


def test_after_a_riff_two_hundred_times_it_knows_something_else() -> None:
    told = [(pitch, 2.0 * turn + 0.25 * number) for turn in range(200) for number, pitch in enumerate(RIFF)]
    evolution, came = evolved(told, every=400)
    for adaptation in (each for each in came if each is not None):
        assert not evolution.collapses(adaptation)
    strong = np.zeros(size_of(model().shape), np.float32)
    strong[gains_of(model().shape) - model().shape.experts : gains_of(model().shape)] = MOST_GAIN
    strong[:3] = -MOST_GAIN  # only the memory of the riff is left
    assert evolution.collapses(Adaptation("bach-melody", "", strong))


def test_what_is_neither_heard_nor_a_loop_is_counted() -> None:
    riff = list(RIFF)
    assert other_notes(riff * 8, riff * 8) == 0
    assert other_notes([50, 51, 52], riff * 8) == 0
    rng = np.random.default_rng(1)
    assert other_notes(riff * 8, rng.integers(50, 80, 64).tolist()) > 0.8
    assert other_notes(riff * 8, [*riff * 6, *rng.integers(50, 80, 16).tolist()]) > LEAST_OTHER
