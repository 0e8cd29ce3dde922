"""Chorales: what is fitted to a corpus in four voices, what is bred on top, and how it is scored."""

import json
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from improviser.core.chorale.terms import SOPRANO, Terms
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.holding import probability
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.note import Note
from improviser.core.music.parts import NAMES
from improviser.core.music.piece import Piece, ScoreContext
from improviser.errors import ConfigError, CorpusError, ModelError
from improviser.library import model_file
from improviser.library.catalogue import build, take_apart
from improviser.training import chorale_recipe
from improviser.training.chorale_classifier import windows
from improviser.training.chorale_evaluation import chord_score, evaluate_together, harmonised
from improviser.training.chorale_fitting import Gains, Setting, bits_per_chord, fit, observe, setting_of, types_of
from improviser.training.chorale_grade import Grader, counts_of, rank_distance
from improviser.training.chorale_movement import TEMPERATURE, move_as_often, movement_of, shift_for
from improviser.training.chorale_playing import END, count, fit_to_play, of_corpus, of_play
from improviser.training.chorale_recipe import ChoraleTask, ends_of, networks_for, of_so_many_notes, with_gains
from improviser.training.recipe import Options
from improviser.training.voices import Sources, duets
from tests.core.chorale.small import network, small_chorale, voices
from tests.core.chorale.test_figures import CADENCE
from tests.core.chorale.test_terms import chorale


def piece(number: int, rounds: int = 4) -> Piece:
    """Return a piece of cadences, in a key of its own."""
    chords = np.concatenate([CADENCE] * rounds) + (number % 5) - 2
    voices = tuple(
        tuple(Note(int(pitch), 0.5 * place, 0.5) for place, pitch in enumerate(line.tolist())) for line in chords.T
    )
    return Piece(f"cadences {number}", voices, NAMES)


def settings_of(count: int) -> list[Setting]:
    return [setting for number in range(count) if (setting := setting_of(piece(number))) is not None]


def test_fitting_brings_bits_down_and_more_where_it_was_fitted() -> None:
    settings = settings_of(5)
    types = types_of(settings)
    numbers = np.zeros(Terms(types).size, np.float32)
    model = ChoraleVoices("small", networks_for()[SOPRANO], types, numbers, [0.9] * 3, ends_of(settings))
    seen = observe(model, settings, given=True)
    before = bits_per_chord(model, model.numbers, seen)
    fitted = fit(model, seen, 6)
    assert bits_per_chord(model, fitted, seen) < before - 1
    again = model.with_numbers(fitted)
    proposed = observe(again, settings[:1], given=False)
    live = chord_score(again, settings[0])
    assert live.bits == pytest.approx(bits_per_chord(again, fitted, proposed), abs=1e-4)
    gains = Gains(again, seen)
    assert len(gains) == 3 + len(again.terms.slices)
    only = fit(model, seen, 1, kinds=["chord"])
    assert np.flatnonzero(only).min() >= model.terms.slices["chord"].start
    assert np.flatnonzero(only).max() < model.terms.slices["chord"].stop


def test_gains_are_what_they_say() -> None:
    model = chorale()
    settings = settings_of(2)
    seen = observe(model, settings, given=True)
    genome = np.linspace(-0.3, 0.3, 3 + len(model.terms.slices))
    changed = with_gains(model, genome)
    assert np.isnan(seen.outside).all()
    fast = Gains(model, seen).bits(np.exp(genome))
    assert fast == pytest.approx(bits_per_chord(changed, changed.numbers, seen, doubt=0.0), abs=1e-3)


def test_of_a_large_corpus_some_pieces_are_fitted_to() -> None:
    settings = settings_of(5)
    notes = sum(len(setting.tune) for setting in settings)
    assert of_so_many_notes(settings, notes, 1) == settings
    some = of_so_many_notes(settings, notes // 2, 1)
    assert [setting for setting in settings if setting in some] == some
    assert len(some) == 2
    assert len(of_so_many_notes(settings, 1, 1)) == 1


def test_the_recipe_makes_a_model_that_can_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = tuple(map(piece, range(3)))
    monkeypatch.setattr(chorale_recipe, "read_sources", lambda *_, **__: Sources(pieces))
    monkeypatch.setattr(chorale_recipe, "ROUNDS", 2)
    monkeypatch.setattr(chorale_recipe, "ROUNDS_OF_PLAY", ((1, 0.5, ("chord",)),))
    recipe = chorale_recipe.prepare(Options(("x",), task="chorale", generations=1, population=4), lambda *_: None)
    task = recipe.task
    assert isinstance(task, ChoraleTask)
    rng = generator(1)
    population, batch = task.first_population(rng, 2), task.batch(rng)
    fitness = task.fitness(population, batch)
    assert np.isfinite(fitness).all()
    np.testing.assert_array_equal(fitness, task.fitness(population, batch))
    model = recipe.build([population[0]])
    assert set(recipe.scores([population[0]])) == {"held_out_bits", "held_out_fitness"}
    copy = build("copy", model_file.decode(model_file.encode(take_apart(model, {}))))
    tune = [Note(67, 0.0, 0.5), Note(69, 0.5, 0.5)]
    np.testing.assert_allclose(
        copy.distribution([], onset_seconds=0.5, player=tune), model.distribution([], onset_seconds=0.5, player=tune)
    )


def test_what_cannot_be_learned_from_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Piece("alone", piece(0).voices[:1], NAMES[:1])
    monkeypatch.setattr(chorale_recipe, "read_sources", lambda *_, **__: Sources((alone, piece(0))))
    with pytest.raises(CorpusError, match="four voices"):
        chorale_recipe.prepare(Options(("x",), task="chorale"), lambda *_: None)
    with pytest.raises(ConfigError, match="--voice has no meaning"):
        chorale_recipe.prepare(Options(("x",), task="chorale", voice="alto"), lambda *_: None)
    with pytest.raises(CorpusError, match="four voices"):
        evaluate_together(chorale(), [alone])


def test_a_damaged_file_is_refused() -> None:
    whole = take_apart(small_chorale(), {})
    for key, value in (("types", [0]), ("types", "no"), ("candidates", 99), ("parts", {}), ("types", [145, 145])):
        damaged = model_file.ModelFile(whole.task, {**whole.settings, key: value}, whole.tensors)
        with pytest.raises(ModelError, match="damaged"):
            build("x", damaged)
    for name, array in (
        ("terms.present", np.zeros(3, np.uint8)),
        ("terms.numbers", np.ones(2, np.float16)),
        ("ends.hazard", np.ones(40)),
        ("weights", np.ones(2)),
        ("alto.genomes", np.ones((1, 3), np.float32)),
    ):
        tensors = {**whole.tensors, name: array}
        with pytest.raises(ModelError):
            build("x", model_file.ModelFile(whole.task, whole.settings, tensors))


def test_it_is_scored_chord_by_chord_and_beside_the_corpus() -> None:
    values = evaluate_together(chorale(), [piece(0, 2)], temperatures=(0.7,))
    json.dumps(values, allow_nan=False)
    assert values["notes"] == 12
    assert 0 < values["bits_per_onset"] < 12
    assert values["left_to_itself"]["triads and sevenths"]["corpus"] == 1
    assert len(values["left_to_itself"]) == 33  # of ends the piece says nothing
    assert values == evaluate_together(chorale(), [piece(0, 2)], temperatures=(0.7,))


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from improviser.commands.evaluate import evaluate as command
    from improviser.training import voices

    monkeypatch.setattr(voices, "read_sources", lambda *_, **__: Sources((piece(1, 2),)))
    command("bach-chorale", ["x"])
    text = capsys.readouterr().out
    assert "bits per chord" in text
    assert "corpus   at 0.7     at 1" in text
    assert "mean distance" in text
    assert "told from" in text
    assert "Bach or Mock" in text
    command("bach-chorale", ["x"], temperature=0.5, json=True)
    assert json.loads(capsys.readouterr().out)["temperatures"] == [0.5]
    command("bach-chorale", ["x"], temperature=0.5, part="bass")
    assert "given           the bass" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="--part is 'horn'; bach-chorale answers soprano or alto or tenor or bass"):
        command("bach-chorale", ["x"], part="horn")
    with pytest.raises(ConfigError, match="bach-bass is for harmony"):
        command("bach-bass", ["x"], part="bass")


@pytest.mark.parametrize("given", range(4))
def test_each_voice_can_be_given(given: int) -> None:
    """What a piece is where a voice is given, what is played to that, and how it is scored."""
    setting = setting_of(piece(0, 2), given)
    assert setting is not None
    model = voices(given)
    chords = harmonised(model, setting.tune, generator(1), 0.7)
    assert chords[:, given].tolist() == [note.pitch for note in setting.tune]
    found = count(model.terms, of_corpus(model, [setting]))
    assert found.counts[model.terms.slices["set"]].sum() == len(setting.tune) - setting.rests.sum()
    played = fit_to_play(model, [setting], found, 1, fitted=model.terms.parallels, rate=0.5)
    changed = played.numbers != model.numbers
    assert not (changed & ~model.terms.parallels).any()
    values = evaluate_together(small_chorale(), [piece(0, 2)], given=given, temperatures=(0.7,))
    assert values["part"] == NAMES[given]
    assert 0 < values["bits_per_onset"] < 40


def test_chords_that_end_a_phrase_count_for_several() -> None:
    setting = setting_of(piece(1, 2))
    assert setting is not None
    ends = np.zeros(len(setting.tune), np.bool_)
    ends[[3, -1]] = True
    model = chorale()
    for met in (of_corpus, partial(of_play, seed=1)):
        plain, marked = (count(model.terms, met(model, [replace(setting, ends=each)])) for each in (None, ends))
        chords = model.terms.slices["chord"]
        assert plain.counts[chords].sum() == len(setting.tune)
        assert marked.counts[chords].sum() == len(setting.tune) + 2 * (END - 1)
        assert (marked.chances[chords] == len(setting.tune) + 2 * (END - 1)).all()


def test_fermatas_are_ends_of_every_voice() -> None:
    """The bass moves once more under the soprano's last note: its phrase ends with that."""
    lines = [[Note(60 - 5 * voice, 0.5 * beat, 0.5) for beat in range(4)] for voice in range(4)]
    lines[0][3] = Note(62, 1.5, 1.0)
    lines[3].append(Note(40, 2.0, 0.5))
    context = ScoreContext(0, False, (0.0,) * 4, (4.0,) * 4, (False, False, False, True))
    scored = Piece("x", tuple(map(tuple, lines)), NAMES, context)
    found = [setting.ends for given in range(4) if (setting := setting_of(scored, given)) is not None]
    assert [[*map(bool, ends)] for ends in found if ends is not None] == [
        [False, False, False, True],
        [False, False, False, True],
        [False, False, False, True],
        [False, False, False, False, True],
    ]


def test_a_voice_may_answer_another_than_the_top_one() -> None:
    from improviser.training import harmony_recipe
    from improviser.training.evaluation import evaluate as score

    model = network(2, 3)
    copy = HarmonyModel.from_parts("copy", *model.to_parts())
    assert copy.settings == model.settings
    assert (copy.settings.voice, copy.settings.to) == ("tenor", "bass")
    alone = Piece("alone", piece(0).voices[:2], NAMES[:2])
    ((found, player, own),) = duets([piece(0), alone], "tenor", "bass")
    assert (player, own) == (found.voices[3], found.voices[2])
    assert score(copy, [piece(0, 2)]).values()["pieces"] == 1
    with pytest.raises(CorpusError, match="no piece has a tenor beside its bass"):
        duets([alone], "tenor", "bass")
    with pytest.raises(ConfigError, match="--voice is 'bass'"):
        harmony_recipe.prepare(Options(("x",), voice="bass", player="bass"), lambda *_: None)


def test_parts_move_as_often_as_the_corpus() -> None:
    settings = [setting for number in range(4) if (setting := setting_of(piece(number, 3))) is not None]
    model = move_as_often(voices(0), settings, 1)
    own = movement_of(model, settings[::3], 1)
    wanted = sum(setting.held[:, [*model.others]].sum(axis=0) for setting in settings[::3])
    for odds, times in zip(own.odds, wanted.tolist(), strict=True):
        held = sum(probability(each, TEMPERATURE) for each in odds)
        assert held == pytest.approx(min(times, len(odds)), abs=0.1)
    assert shift_for([0.0, 0.0], 1.0) == pytest.approx(0, abs=1e-6)
    assert shift_for([], 3.0) == pytest.approx(8)


def test_a_grade_is_an_alarm() -> None:
    """What is the corpus's costs nothing; parallels and foreign chords cost much."""
    settings = [setting for number in range(3) if (setting := setting_of(piece(number, 3))) is not None]
    grader = Grader(settings)
    whole = np.concatenate([setting.chords for setting in settings])
    assert rank_distance(Counter({"a": 1, "b": 1}), Counter({"a": 1})) == 0.5
    assert rank_distance(Counter({"c": 2}), Counter({"a": 2, "b": 1})) == pytest.approx(5 / 3)
    one = settings[0]
    own = grader.grade(one.chords, one.tonic, minor=one.minor)
    clusters = one.chords[:, :1] - np.arange(4)
    assert own < grader.grade(clusters, one.tonic, minor=one.minor)
    assert grader.median((setting, setting.chords) for setting in settings) >= 0
    assert counts_of(whole, 0)["degrees"].total() == whole.size


def test_windows_are_of_four_chords() -> None:
    chords = np.array([(72, 67, 64, 48)] * 6)
    seen = windows(chords, 0)
    assert seen.shape == (3, 4 * 12 + 3 * 4)
    assert windows(chords[:3], 0).shape == (0, seen.shape[1])
    # The same music in another key looks the same.
    np.testing.assert_array_equal(windows(chords + 2, 2), seen)
