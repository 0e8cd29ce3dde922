"""A chorale, live: all parts answer a note at once, and end with its key."""

import numpy as np
import pytest

from improviser.core.evolution.randomness import generator
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.note import Note
from improviser.library.catalogue import load_model
from improviser.training.chorale_evaluation import harmonised
from tests.core.chorale.test_terms import chorale
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import RuleModel

TUNE = (67, 67, 69, 71, 72, 71, 69, 67, 74, 72, 71, 69, 67)


def played(desk: Desk) -> list[list[int]]:
    """Play the tune; return the answers."""
    answers = []
    for pitch in TUNE:
        answers.append(notes(desk.down(pitch)))
        desk.up(pitch)
    return answers


def test_each_note_is_answered_by_all_parts_below_it() -> None:
    desk = Desk(chorale(), check_every_send=True)
    answers = played(desk)
    assert all(2 <= len(answer) <= 3 for answer in answers)
    assert sum(len(answer) for answer in answers) >= 3 * len(TUNE) - 4
    assert np.mean([max(answer) <= pitch for answer, pitch in zip(answers, TUNE, strict=True)]) > 0.8
    assert desk.synth.at_rest


def test_what_is_played_is_what_is_trained() -> None:
    """The performer plays what the trainer lets the model play, number by number of the same chance."""
    tune = [Note(pitch, 0.25 + 0.45 * number, 0.2) for number, pitch in enumerate(TUNE)]
    desk = Desk(chorale(), seed=3, density=1.0, temperature=0.9)
    answers = played(desk)

    class Chances:
        """The session's numbers without those that are drawn for the density."""

        def __init__(self) -> None:
            self._rng = np.random.default_rng(3)

        def random(self) -> float:
            self._rng.random()
            return float(self._rng.random())

    chords = harmonised(chorale(), tune, Chances(), 0.9)  # type: ignore[arg-type]
    assert [[*dict.fromkeys(chord[1:])] for chord in chords.tolist()] == answers


def test_what_is_struck_together_with_a_note_is_no_further_note_of_the_line() -> None:
    desk = Desk(chorale(), check_every_send=True)
    first = notes(desk.down(72))
    assert first
    assert notes(desk.down(64, after=0.02)) == []
    assert desk.up(72) == []  # the other key holds the chord
    assert sorted(event.pitch for event in desk.up(64) if isinstance(event, NoteOff)) == sorted(first)
    assert desk.synth.at_rest


def test_parts_that_meet_are_struck_once() -> None:
    desk = Desk(chorale(), temperature=4.0, seed=5)
    answers = [answer for _ in range(12) for answer in played(desk)]
    assert any(len(answer) < 3 for answer in answers)
    assert all(len({*answer}) == len(answer) for answer in answers)


@pytest.mark.parametrize(("low", "high"), [(60, 127), (0, 50), (48, 60), (60, 60)])
def test_the_register_holds_for_all_parts(low: int, high: int) -> None:
    desk = Desk(chorale(), low=low, high=high)
    assert all(low <= pitch <= high for answer in played(desk) for pitch in answer)


def test_the_scale_holds_for_all_parts_and_a_shift_moves_them() -> None:
    scale = Desk(chorale(), scale="C major")
    assert {pitch % 12 for answer in played(scale) for pitch in answer} <= {0, 2, 4, 5, 7, 9, 11}
    plain, moved = (played(Desk(chorale(), transpose=shift)) for shift in (0, 12))
    assert [[pitch + 12 for pitch in answer] for answer in plain] == moved


@pytest.mark.parametrize("pitch", [0, 24, 45, 90, 127])
def test_a_player_outside_of_the_register_is_answered(pitch: int) -> None:
    desk = Desk(chorale())
    for _ in range(3):
        assert notes(desk.down(pitch))
        desk.up(pitch)


def test_in_answer_mode_all_parts_reply() -> None:
    desk = Desk(chorale(), mode="answer", check_every_send=True)
    played(desk)
    reply = [event for _, event in desk.wait(12.0) if isinstance(event, NoteOn)]
    assert len(reply) > 2 * len(TUNE)
    assert desk.synth.at_rest


def test_others_may_play_along_and_take_over() -> None:
    desk = Desk(chorale(), RuleModel(lambda pitch: pitch + 12), check_every_send=True)
    answer = notes(desk.down(67))
    assert answer[0] == 79
    assert len(answer) >= 3
    desk.swap(load_model("bach-bass"))
    desk.up(67)
    assert len(notes(desk.down(69))) == 1
    desk.swap(chorale())
    desk.up(69)
    assert len(notes(desk.down(71))) >= 2


def test_a_burst_is_answered_from_one_thought() -> None:
    desk = Desk(chorale())
    for number in range(300):
        assert notes(desk.down(60 + number % 12, after=0.0002)) or number % 64
        desk.up(60 + number % 12, after=0.0)
    assert desk.synth.at_rest


def test_the_seed_decides() -> None:
    one, same, other = (played(Desk(chorale(), seed=seed)) for seed in (1, 1, 2))
    assert one == same != other
    tune = [Note(pitch, 0.5 * number, 0.4) for number, pitch in enumerate(TUNE)]
    drawn = [harmonised(chorale(), tune, generator(4), 1.0).tolist() for _ in range(2)]
    assert drawn[0] == drawn[1]
