"""Models of one's own that use what both hands sound: their experts are bred on music with chords, and are played."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from improviser import Performer, load_model
from improviser.core.arrays import Float32Array
from improviser.core.harmony.context import BASS, NAMES
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.note import Note
from improviser.core.networks.viewpoints import Inputs
from improviser.errors import ModelError
from improviser.library.catalogue import LoadableModel
from improviser.midifile import TimedNote, write_midi
from improviser.training.choir_recipe import Heard
from improviser.training.context import Sounding, bred_in_context, scenes_of
from improviser.training.generations import Champion, Limits
from improviser.training.progress import Progress
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.trainer import Run, calibrate, save_model
from improviser.training.voices import read_sources
from tests.training.test_voices import TICKS, a_piece, line

TUNE = (72, 74, 76, 79, 77, 76, 74, 71, 72, 76, 74, 72, 69, 71, 72, 72)
CHORDS = ((48, 52, 55), (43, 50, 53), (45, 52, 57), (41, 48, 57))


def chords(track: int, up: int) -> list[TimedNote]:
    """A left hand: a chord for each two notes of the tune, its root at the bottom."""
    return [
        TimedNote(track, 0, start, start + 2 * TICKS, Note(pitch + up, start / TICKS / 2, 1.0))
        for number in range(32)
        for start in [2 * TICKS * number]
        for pitch in CHORDS[number % 4]
    ]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Six pieces for two hands in six keys, on two tracks or on one."""
    for up in range(6):
        right = line(0, [pitch + up for pitch in TUNE * 4])
        write_midi(tmp_path / f"{up}.mid", a_piece(right, chords(up % 2, up)))
    return str(tmp_path)


def test_what_is_in_neither_outline_is_kept_and_given_to_the_player(folder: str) -> None:
    for piece in read_sources([folder]).pieces:
        assert piece.voice_names == ("soprano", "bass")
        assert len(piece.inner) == 64
        under, along = scenes_of(piece, "bass", is_bass=True)
        assert (len(under.others), under.lower) == (64, 0)
        assert (len(along.others), along.lower) == (96, 12)
        assert scenes_of(replace(piece, inner=()), "bass", is_bass=True) == []


def test_what_sounds_at_a_moment() -> None:
    sounding = Sounding([Note(48, 0.0, 2.0), Note(60, 0.0, 0.5), Note(64, 0.502, 1.0)])
    assert [sorted(sounding.at(seconds)) for seconds in (0.0, 0.5, 1.2, 1.6, 3.0)] == [
        [48, 60], [48, 64], [48, 64], [48], [],
    ]  # fmt: skip


def test_experts_are_bred_on_two_hands_kept_in_the_file_and_played(folder: str, tmp_path: Path) -> None:
    model = load_model("bach-bass")
    assert isinstance(model, HarmonyModel)
    pieces = read_sources([folder]).pieces
    first, again = (bred_in_context(model, pieces, 1, generations=12) for _ in range(2))
    assert first.scores["chord_bits"] < first.scores["chord_bits_before"] - 0.1
    assert first.model.settings == again.model.settings
    settings, tensors = first.model.to_parts()
    kept = HarmonyModel.from_parts("mine", settings, tensors)
    assert kept.context == first.model.context != BASS
    played = [
        [
            Performer([one], seed=1, temperature=0.0, bass="below").hear(bytes((0x90, note.pitch, 80)), 0.004 * number)
            for number, note in enumerate(piece.voices[0][:1])
        ]
        for one in (model, kept)
        for piece in pieces
    ]
    assert all(all(answers) for answers in played)


def test_without_chords_a_model_stays_as_it_is(tmp_path: Path) -> None:
    for up in range(3):
        write_midi(tmp_path / f"{up}.mid", a_piece(line(0, [*TUNE] * 4), line(1, [pitch - 24 for pitch in TUNE] * 4)))
    model = load_model("bach-bass")
    assert isinstance(model, HarmonyModel)
    found = bred_in_context(model, read_sources([str(tmp_path)]).pieces, 1)
    assert found.model is model
    assert not found.scores


def without_breeding(options: Options, known: Heard, _progress: Progress) -> Recipe:
    """Return a recipe as that of a choir, but for the long part of it."""
    material = known.material
    inputs: Inputs[Any] = Inputs(material.settings.viewpoints, material.model.viewpoints)
    shape = material.settings.shape(inputs.size, vertical=material.model.vertical)

    def build(genomes: Sequence[Float32Array]) -> LoadableModel:
        return material.model("mine", material.settings, np.stack(genomes))

    return Recipe(
        task=cast("Any", None),
        strategy=cast("Any", None),
        limits=Limits(),
        settings={"seed": options.seed, "genes": shape.genome_size},
        sources=material.sources,
        build=build,
        scores=lambda _: {"held_out_bits": 2.0},
    )


def test_a_run_on_two_hands_ends_with_it(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improviser.training.context.GENERATIONS", 4)
    monkeypatch.setattr("improviser.training.harmony_recipe.breed", lambda *_: ())
    monkeypatch.setattr("improviser.training.harmony_recipe.choir_recipe", without_breeding)
    recipe = prepare(Options((folder,), layers=(4,)))
    genome = np.zeros(int(recipe.settings["genes"]), np.float32)
    done = Run([Champion(genome, -2.0, -2.0, 9)], complete=True)
    calibrate(recipe, done)
    scores = save_model(tmp_path / "mine.safetensors", recipe, done)
    assert scores["chord_bits"] <= scores["chord_bits_before"]
    mine = load_model(tmp_path / "mine.safetensors")
    assert isinstance(mine, HarmonyModel)
    assert done.finished is not None
    assert isinstance(done.finished.model, HarmonyModel)
    assert mine.context == done.finished.model.context
    stopped = Run([Champion(genome, -2.0, -2.0, 9)], complete=False)
    calibrate(recipe, stopped)
    assert stopped.finished is None


def test_weights_that_are_none_are_refused() -> None:
    model = load_model("bach-bass")
    assert isinstance(model, HarmonyModel)
    settings, tensors = model.to_parts()
    for wrong in ({"root": "much"}, {"root": 1e9}, [1.0]):
        with pytest.raises(ModelError):
            HarmonyModel.from_parts("wrong", {**settings, "context": wrong}, tensors)
    strange = HarmonyModel.from_parts("strange", {**settings, "context": {"colour": 1.0}}, tensors)
    with pytest.raises(ModelError, match="another version"):
        Performer([strange])
    assert {*BASS} <= {*NAMES}
