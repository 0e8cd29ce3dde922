"""Evaluation: right sums, every kind of model, and the command's two outputs."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from improviser.core.music.note import Note
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError
from improviser.library.catalogue import load_model
from improviser.training.evaluation import evaluate, play_along
from tests.core.harmony.duets import a_bass, a_model, a_tune
from tests.core.melody.test_melody import a_model as a_melody_model


def pieces(count: int = 3) -> list[Piece]:
    tunes = [a_tune(30, seed) for seed in range(count)]
    return [
        Piece(f"piece {seed}", (tuple(tune), tuple(a_bass(tune, seed, rests=0.1))), ("soprano", "bass"))
        for seed, tune in enumerate(tunes)
    ]


def test_bits_are_those_of_the_contract() -> None:
    model, (piece,) = a_model(), pieces(1)
    found = evaluate(model, [piece])
    player, own = piece.voices
    bits = []
    for index, note in enumerate(player):
        sounding = [one for one in own if one.onset_seconds <= note.onset_seconds < one.end_seconds]
        if not sounding:
            continue
        # A rest is a rest in the session; in the contract's history it is not told apart, so stop at the first.
        if any(not [o for o in own if o.onset_seconds <= n.onset_seconds < o.end_seconds] for n in player[:index]):
            break
        history = [one for one in own if one.onset_seconds < note.onset_seconds]
        chances = model.distribution(history, onset_seconds=note.onset_seconds, player=player[: index + 1])
        bits.append(-math.log2(chances[sounding[0].pitch]))
    again = evaluate(model, [Piece("cut", (player[: len(bits)], own), piece.voice_names)])
    assert len(bits) >= 3
    assert again.values()["bits_per_note"] == pytest.approx(np.mean(bits))
    assert found.notes <= len(player)


@pytest.mark.parametrize("name", ["harmony", "melody", "echo"])
def test_every_kind_of_model(name: str) -> None:
    model = a_model() if name == "harmony" else a_melody_model() if name == "melody" else load_model(name)
    values = evaluate(model, pieces()).values()
    assert values["pieces"] == 3
    assert 0 < values["bits_per_note"] <= 64
    assert 0 <= values["top_1"] <= 1
    own = values["left_to_itself"]
    assert (own["parallels"]["model"] is None) == (name == "melody")
    assert values == evaluate(model, pieces()).values()


def test_nothing_to_score_is_an_error() -> None:
    tune = tuple(a_tune(10))
    with pytest.raises(CorpusError):
        evaluate(a_model(), [Piece("alone", (tune,), ("soprano",))])
    silent = Piece("silent", (tune, (Note(40, 1000.0, 1.0),)), ("soprano", "bass"))
    with pytest.raises(CorpusError):
        evaluate(a_model(), [silent])


def test_the_bundled_bass_neither_copies_nor_repeats_itself() -> None:
    model = load_model("bach-bass")
    tune = a_tune(200, 5)
    for temperature in (0.0, 0.7, 1.0):
        played = play_along(model, tune, np.random.default_rng(0), temperature)
        repeats = np.mean([one == other for one, other in pairwise(played)])
        # What is likeliest each time repeats itself more, all the more to a tune by chance, which leaves every key.
        assert repeats < (0.3 if temperature else 0.45)
        assert len(set(played)) >= 8
        # Now and then a voice may cross, as Bach's do.
        assert np.mean([answer < note.pitch for answer, note in zip(played, tune, strict=True)]) > 0.97
        assert all(33 <= answer <= 67 for answer in played)


def test_one_held_key_is_answered_with_more_than_one_note() -> None:
    tune = [Note(67, 0.5 * number, 0.5) for number in range(60)]
    played = play_along(load_model("bach-bass"), tune, np.random.default_rng(0), 0.7)
    assert len(set(played)) >= 3


def test_the_command_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import msgspec

    from improviser.commands.evaluate import evaluate as command

    command("echo", ["demo-tune"])
    text = capsys.readouterr().out
    assert "bits per note" in text
    command("echo", ["demo-tune"], json=True)
    values = msgspec.json.decode(capsys.readouterr().out)
    assert values["model"] == "echo"
    assert f"{values['bits_per_note']:.3f}" in text
    with pytest.raises(CorpusError):
        command("bach-bass", [str(tmp_path / "nothing")])
