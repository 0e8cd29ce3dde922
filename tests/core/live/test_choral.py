"""A chorale, live: all parts answer a note at once, and end with its key."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from improviser.core.chorale.model import ChoraleModel
from improviser.core.evolution.randomness import generator
from improviser.core.midi.event import Event, NoteOff, NoteOn, ProgramChange
from improviser.core.music.note import Note
from improviser.core.music.parts import NAMES
from improviser.library.catalogue import load_model
from improviser.training.chorale_evaluation import harmonised
from tests.core.chorale.small import small_chorale, voices
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


def sung(events: Sequence[Event]) -> list[NoteOn]:
    return [event for event in events if isinstance(event, NoteOn)]


@pytest.mark.parametrize(("part", "middle"), [("soprano", 69), ("alto", 64), ("tenor", 59), ("bass", 50)])
def test_the_others_are_added_around_the_part_that_is_played(part: str, middle: int) -> None:
    desk = Desk(small_chorale(), part=part, channels="each", check_every_send=True, foretells=True)
    others = [number for number, name in enumerate(NAMES) if name != part]
    for step in (0, 2, 4, 5, 4, 2, 0):
        assert [event.channel for event in sung(desk.down(middle + step))] == others
        desk.up(middle + step)
    assert desk.foretold
    assert desk.synth.at_rest


def test_auto_tells_the_part_by_how_high_it_is() -> None:
    desk = Desk(small_chorale(), part="auto", channels="each", foretells=True)
    missing = []
    for pitch in (72, 71, 69, 71, 48, 50, 52, 53, 67, 65, 64, 65):
        missing.append({0, 1, 2, 3} - {event.channel for event in sung(desk.down(pitch))})
        desk.up(pitch)
    assert missing == [{0}] * 4 + [{3}] * 4 + [{1}] * 4


def test_another_part_may_be_played_at_any_time() -> None:
    desk = Desk(small_chorale(), channels="each", check_every_send=True)
    played(desk)
    desk.down(72)
    desk.change("part", "bass")
    desk.up(72)
    assert {event.channel for event in sung(desk.down(48))} == {0, 1, 2}
    desk.change("part", "auto")
    desk.up(48)
    assert {event.channel for event in sung(desk.down(72))} == {1, 2, 3}
    desk.up(72)
    assert desk.synth.at_rest


def test_what_answers_another_part_knows_the_last_chords() -> None:
    """Who becomes the bass is answered as one who has heard the chords before."""

    def answer(*, before: bool) -> list[int]:
        desk = Desk(small_chorale(), temperature=0.0)
        if before:
            played(desk)
        desk.change("part", "bass")
        return notes(desk.down(48))

    assert answer(before=True) != answer(before=False)


def test_a_model_for_sopranos_alone_takes_any_part_for_one() -> None:
    alone = ChoraleModel.of("alone", {0: voices(0)})
    answers = [played(Desk(alone, part=part)) for part in ("soprano", "bass", "auto")]
    assert answers[0] == answers[1] == answers[2]


def test_parts_on_channels_of_their_own_meet_and_have_programs_and_loudness() -> None:
    desk = Desk(
        small_chorale(),
        channels="each",
        channel=8,
        balance="alto 0.5, bass 0.25",
        instruments="alto 20, bass 33",
        check_every_send=True,
        foretells=True,
    )
    first = desk.down(72)
    programs = [(event.channel, event.program) for event in first if isinstance(event, ProgramChange)]
    assert programs == [(8, 19), (11, 32)]  # channel 10 is the drums'
    assert [(event.channel, event.velocity) for event in sung(first)] == [(8, 40), (10, 80), (11, 20)]
    desk.up(72)
    later = [event for pitch in TUNE * 4 for event in (*desk.down(pitch), *desk.up(pitch))]
    assert not any(isinstance(event, ProgramChange) for event in later)
    assert len(sung(later)) == 3 * 4 * len(TUNE)  # none is left out where parts meet
    desk.change("instruments", "alto 21")
    again = [event for event in desk.down(72) if isinstance(event, ProgramChange)]
    assert again == [ProgramChange(8, 20)]
    desk.up(72)
    assert desk.synth.at_rest


def test_each_part_keeps_to_its_register() -> None:
    desk = Desk(small_chorale(), channels="each", registers="alto 60-65, bass 30-47", temperature=2.0)
    found: dict[int, set[int]] = {}
    for pitch in TUNE * 3:
        for event in sung(desk.down(pitch)):
            found.setdefault(event.channel, set()).add(event.pitch)
        desk.up(pitch)
    assert found[1] <= {*range(60, 66)}
    assert found[3] <= {*range(30, 48)}
    assert len(found[2]) > 6


def test_parts_hold_over_what_stays_where_the_player_plays_legato() -> None:
    def struck(*, hold: bool, legato: bool) -> int:
        desk = Desk(small_chorale(), hold=hold, temperature=0.3, channels="each", foretells=True)
        count, last = 0, None
        for pitch in TUNE * 3:
            if last is not None and not legato:
                desk.up(last)
            count += len(notes(desk.down(pitch, after=0.4)))
            if last is not None and legato and last != pitch:
                desk.up(last, after=0.05)
            last = pitch
        desk.up(TUNE[-1])
        assert desk.synth.at_rest
        return count

    assert struck(hold=True, legato=True) < 3 * 3 * len(TUNE)
    assert struck(hold=True, legato=False) == struck(hold=False, legato=True) == 3 * 3 * len(TUNE)


def test_what_is_held_over_ends_in_time() -> None:
    """Of a chord that the next key holds over, nothing is left some seconds later."""
    desk = Desk(small_chorale(), hold=True, temperature=0.3, check_every_send=True)
    held: list[int] = []
    for last, pitch in pairwise((67, 69, 71, 72, 74) * 6):
        struck = notes(desk.down(pitch, after=0.4))
        desk.up(last, after=0.05)
        held = [sounds for _, sounds in desk.performer.ledger.sounding if sounds not in struck]
        if held:
            break
    assert held
    ended = [event.pitch for _, event in desk.wait(10.0) if isinstance(event, NoteOff)]
    assert sorted(ended) == sorted(held)
    desk.up(pitch)
    assert desk.synth.at_rest


def ornamented(**parameters: Any) -> tuple[Desk, list[list[NoteOn]]]:
    """Play a steady tune; return what was played between its notes."""
    desk = Desk(small_chorale(), channels="each", foretells=True, **parameters)
    between = []
    for pitch in TUNE * 3:
        desk.down(pitch, after=0.02)
        between.append([event for _, event in desk.wait(0.47) if isinstance(event, NoteOn)])
        desk.up(pitch, after=0.01)
    return desk, between


def test_parts_move_by_step_between_the_notes_if_that_is_asked_for() -> None:
    _, none = ornamented(ornament=0.0)
    assert not any(none)
    desk, all_of_them = ornamented(ornament=1.0)
    _, some = ornamented(ornament=0.3)
    count, less = (sum(map(len, found)) for found in (all_of_them, some))
    assert 0 < less < count < len(TUNE) * 3
    assert all(len(moved) <= 1 for moved in all_of_them)
    assert {event.channel for moved in all_of_them for event in moved} <= {1, 2, 3}
    sounding: dict[int, int] = {}
    for _, event in desk.sent:
        if isinstance(event, NoteOn):
            sounding[event.channel] = event.pitch
        elif isinstance(event, NoteOff) and sounding.get(event.channel) == event.pitch:
            sounding.pop(event.channel)
    assert not sounding
    assert desk.synth.at_rest


def test_a_movement_is_a_step_half_a_pulse_after_the_note_and_goes_back_if_nothing_comes() -> None:
    desk = Desk(small_chorale(), channels="each", ornament=1.0, check_every_send=True)
    struck: dict[int, int] = {}
    for pitch in TUNE * 4:
        events = desk.down(pitch, after=0.25)
        struck = {event.channel: event.pitch for event in sung(events)}
        begun = desk.now
        moved = [(when - begun, event) for when, event in desk.wait(0.25) if isinstance(event, NoteOn)]
        if moved:
            break
        desk.up(pitch, after=0.0)
    when, event = moved[0]
    assert when == pytest.approx(0.25, abs=0.01)
    assert abs(event.pitch - struck[event.channel]) in (1, 2)
    back = [each for _, each in desk.wait(3.0) if isinstance(each, NoteOn)]
    assert back == [NoteOn(event.channel, struck[event.channel], event.velocity)]
    desk.up(pitch)
    assert desk.synth.at_rest


def test_a_note_of_the_player_comes_before_a_movement() -> None:
    desk = Desk(small_chorale(), ornament=1.0, check_every_send=True)
    for pitch in TUNE * 4:
        desk.down(pitch, after=0.5)
        desk.up(pitch, after=0.01)  # what has ended does not move
        assert not [event for _, event in desk.wait(0.4) if isinstance(event, NoteOn)]
    desk.down(72)
    desk.panic()
    assert desk.performer.deadline is None
    assert desk.wait(2.0) == []
    assert desk.synth.at_rest
