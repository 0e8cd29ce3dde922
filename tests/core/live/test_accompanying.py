"""Chords are one event: one answer of each part, against all that sounds; fast passages, riffs, and two hands."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import improviser
from improviser.core.harmony.holding import WEIGHTS
from improviser.core.harmony.model import HarmonyModel
from improviser.core.live.answering.tonality import Tonality
from improviser.core.live.player.chords import LEGATO_NOTES
from improviser.core.live.player.held import Held
from improviser.core.live.player.pulse import Pulse
from improviser.core.live.player.riffs import Riffs
from improviser.core.music.counterpoint import CONSONANT

TRIADS = ((48, 52, 55), (45, 48, 52), (41, 45, 48), (43, 47, 50))


@pytest.fixture(scope="module")
def bass() -> improviser.Model:
    return improviser.load_model("bach-bass")


class Room:
    """A performer, what sounds, and all that was struck: (time, pitch)."""

    def __init__(self, *models: improviser.Model, **parameters: object) -> None:
        self.performer = improviser.Performer(models, seed=1, **parameters)
        self.now = 0.0
        self.struck: list[tuple[float, int]] = []
        self.sounding: set[int] = set()

    def _take(self, messages: list[bytes]) -> None:
        for message in messages:
            if message[0] & 0xF0 == 0x90:
                self.struck.append((self.now, message[1]))
                self.sounding.add(message[1])
            elif message[0] & 0xF0 == 0x80:
                self.sounding.discard(message[1])

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.performer.deadline) is not None and due <= until:
            self.now = due
            self._take(self.performer.advance(due))
        self.now = until

    def down(self, *pitches: int, apart: float = 0.008) -> None:
        for pitch in pitches:
            self._take(self.performer.hear(bytes((0x90, pitch, 80)), self.now))
            self.wait(apart)

    def up(self, *pitches: int) -> None:
        for pitch in pitches:
            self._take(self.performer.hear(bytes((0x80, pitch, 64)), self.now))


def chords(room: Room, triads: tuple[tuple[int, ...], ...] = TRIADS, tune: int = 72) -> Iterator[tuple[int, ...]]:
    """Play chords of two hands, and stop in the middle of each."""
    for triad in triads:
        room.down(*triad, tune)
        room.wait(0.4)
        yield triad
        room.up(*triad, tune)
        room.wait(0.1)


def test_a_chord_gets_one_bass_note_below_it_that_is_its_root(bass: improviser.Model) -> None:
    room = Room(bass)
    for triad in chords(room, TRIADS * 2):
        (sounding,) = room.sounding
        assert sounding < min(triad)
        assert sounding % 12 == min(triad) % 12
    assert 8 <= len(room.struck) <= 9  # the first note of all may be taken for a line
    assert not room.sounding


def test_the_first_note_is_answered_at_once_and_the_answer_moves_once_at_most(bass: improviser.Model) -> None:
    room = Room(bass)
    room.down(52, apart=0.0)
    assert len(room.struck) == 1
    room.wait(0.01)
    room.down(48, 45, 72)
    assert len(room.struck) == 1
    room.wait(0.1)
    assert len(room.struck) == 2
    assert {pitch % 12 for pitch in room.sounding} == {9}
    assert room.struck[1][0] <= 0.08
    room.wait(2.0)
    assert len(room.struck) == 2
    room.up(52, 48, 45, 72)
    assert not room.sounding


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("voice", ["bach-bass", "bach-tenor", "bach-melody"])
def test_no_part_stays_on_a_key_that_the_player_holds(voice: str, seed: int) -> None:
    room = Room(improviser.load_model(voice))
    for triad in chords(room, TRIADS, 67 + 2 * seed):
        assert not room.sounding & {*triad, 67 + 2 * seed}


@pytest.mark.parametrize("late", [0.004, 0.015])
def test_a_part_leaves_a_key_as_soon_as_the_player_strikes_it(bass: improviser.Model, late: float) -> None:
    room = Room(bass)
    room.down(64, apart=late)
    ((_, answer),) = room.struck
    room.down(answer, answer + 7, 72, apart=0.0)
    assert answer not in room.sounding
    assert len(room.struck) == 1
    room.wait(0.2)
    assert len(room.struck) == 2
    assert room.sounding
    assert not room.sounding & {answer, answer + 7}
    room.up(64, answer, answer + 7, 72)
    assert not room.sounding


def test_a_part_that_has_left_a_key_does_not_come_back_where_nothing_is_held(bass: improviser.Model) -> None:
    room = Room(bass)
    room.down(64, apart=0.005)
    ((_, answer),) = room.struck
    room.down(answer, apart=0.0)
    room.up(64, answer)
    room.wait(5.0)
    assert not room.sounding


@pytest.mark.parametrize("seed", range(4))
def test_a_bass_is_never_on_the_only_key_that_is_held(bass: improviser.Model, seed: int) -> None:
    room = Room(bass)
    for number in range(24):
        pitch = 41 + (number * (5 + 2 * seed)) % 14
        room.down(pitch)
        assert pitch not in room.sounding
        room.wait(0.3)
        room.up(pitch)
        room.wait(0.05)


@pytest.mark.parametrize("triad", [(55, 60, 64), (52, 55, 60), (48, 52, 55)])
def test_a_close_triad_gets_its_root_whatever_lies_lowest(bass: improviser.Model, triad: tuple[int, ...]) -> None:
    room = Room(bass)
    for _ in range(6):
        room.down(*triad, 79)
        room.wait(0.4)
        assert {pitch % 12 for pitch in room.sounding} == {0}
        room.up(*triad, 79)
        room.wait(0.1)


def test_where_fingers_overlap_in_the_left_hand_the_bass_strikes_once(bass: improviser.Model) -> None:
    room = Room(bass)
    low = (45, 46, 48, 46, 45, 43, 45, 46)
    room.down(72, 45)
    room.wait(0.3)
    before = len(room.struck)
    for pitch, last in zip(low[1:], low, strict=False):
        room.down(pitch)
        room.wait(0.045)
        room.up(last)
        room.wait(0.36)
        assert len(room.struck) - before == 1
        before = len(room.struck)


def test_a_tune_over_a_held_chord_leaves_the_bass_alone(bass: improviser.Model) -> None:
    room = Room(bass)
    room.down(48, 52, 55, 72)
    room.wait(0.3)
    before = list(room.struck)
    for pitch in (74, 76, 77, 76):
        room.up(72)
        room.down(pitch)
        room.wait(0.3)
        room.up(pitch)
    assert room.struck == before
    assert room.sounding
    room.up(48, 52, 55)
    assert not room.sounding


@pytest.mark.parametrize(("way", "silent"), [("support", False), ("below", False), ("off", True)])
def test_what_a_bass_does_under_the_players_own(bass: improviser.Model, way: str, silent: bool) -> None:
    room = Room(bass, bass=way)
    for number, triad in enumerate(chords(room)):
        assert number == 0 or bool(room.sounding) != silent  # the first note of all is not known to be a bass
        assert all(pitch < min(triad) for pitch in room.sounding)


@pytest.mark.parametrize(("follow", "answers"), [("every", 24), ("pulse", 8), ("harmony", 8)])
def test_a_fast_run_is_played_along_with_on_pulses(bass: improviser.Model, follow: str, answers: int) -> None:
    room = Room(bass, follow=follow)
    for number in range(24):
        pitch = 60 + (0, 2, 4, 5, 7, 5, 4, 2)[number % 8]
        room.down(pitch, apart=0.075)
        room.up(pitch)
        room.wait(1 / 12 - 0.075)
    assert len(room.struck) <= answers
    assert (
        max(sum(0 <= at - start < 1 for at, _ in room.struck) for start, _ in room.struck) <= (4, 13)[follow == "every"]
    )


@pytest.mark.parametrize("per_second", [5, 7, 9, 11])
def test_no_second_of_a_steady_passage_has_more_strokes_than_four(bass: improviser.Model, per_second: int) -> None:
    room = Room(bass)
    for number in range(6 * per_second):
        pitch = 60 + (0, 2, 4, 5, 7, 5, 4, 2)[number % 8]
        room.down(pitch, apart=0.8 / per_second)
        room.up(pitch)
        room.wait(0.2 / per_second)
    assert max(sum(0 <= at - start < 1 for at, _ in room.struck) for start, _ in room.struck) <= 4
    gaps = [after - before for (before, _), (after, _) in pairwise(room.struck[6:])]
    assert max(gaps) - min(gaps) < 0.01  # it does not go back to every note for a while


@pytest.mark.parametrize("drummed", [0.3, 0.4, 0.5])
def test_in_a_fast_passage_a_bass_plays_on_the_pulse_of_the_drums(bass: improviser.Model, drummed: float) -> None:
    room = Room(bass)
    for stroke in range(24):
        room.performer.hear(bytes((0x99, 36, 100)), room.now)
        for number in range(4):
            pitch = 60 + (0, 2, 4, 5, 7, 5, 4, 2)[(4 * stroke + number) % 8]
            room.down(pitch, apart=drummed / 5)
            room.up(pitch)
            room.wait(drummed / 20)
    late = [at for at, _ in room.struck if at > 11.5 * drummed]
    assert len(late) == 12
    assert all(min(at % drummed, drummed - at % drummed) < 0.02 for at in late)


def test_what_clashed_with_the_tune_is_not_favoured_when_the_riff_comes_again(bass: improviser.Model) -> None:
    room = Room(bass, temperature=3.0)  # more may come
    riff = (67, 69, 71, 72, 76, 74, 72, 71)
    for _ in range(12):
        for pitch in riff:
            room.down(pitch, apart=0.4)
            room.up(pitch)
            room.wait(0.1)
        room.wait(1.5)
    answers = [pitch for _, pitch in room.struck]
    again = {True: [0, 0], False: [0, 0]}
    for place, tune in enumerate(riff):
        row = answers[place :: len(riff)]
        for before, after in pairwise(row):
            consonant = (tune - before) % 12 in CONSONANT
            again[consonant][0] += before == after
            again[consonant][1] += 1
    assert again[False][1] >= 8
    assert again[True][0] / again[True][1] > 2 * again[False][0] / again[False][1]


def test_one_line_is_answered_note_by_note_as_ever(bass: improviser.Model) -> None:
    answers = []
    for follow in ("pulse", "every"):
        room = Room(bass, follow=follow, temperature=0)
        for pitch in (67, 69, 71, 72, 76, 74, 72, 71, 69, 67):
            room.down(pitch, apart=0.4)
            room.up(pitch)
            assert room.performer.deadline is None
            room.wait(0.1)
        answers.append(room.struck)
    assert answers[0] == answers[1]


def test_two_hands_are_replied_to_with_two(bass: improviser.Model) -> None:
    for models, most in (([improviser.load_model("bach-melody")], 4), ([bass], 1)):
        room = Room(*models, mode="answer")
        for _ in chords(room):
            pass
        together = 0
        for _ in range(600):
            room.wait(0.01)
            together = max(together, len(room.sounding))
        assert together == most


@pytest.mark.parametrize(("weight", "strikes"), [(9.0, False), (-9.0, True)])
def test_where_it_stays_the_model_says_whether_its_note_is_held_over(
    bass: improviser.Model, weight: float, strikes: bool
) -> None:
    assert isinstance(bass, HarmonyModel)
    model = HarmonyModel("mine", replace(bass.settings, holding=(weight,) * WEIGHTS), bass.genomes)
    room, before = Room(model, low=48, high=48), None  # it can only stay
    for pitch in (67, 69, 71, 72, 71, 69, 67, 64):
        room.down(pitch, apart=0.05)
        if before is not None:
            room.up(before)  # legato
        assert room.sounding == {48}
        room.wait(0.3)
        before = pitch
    assert len(room.struck) == (8 if strikes else LEGATO_NOTES)
    room.up(64)
    assert not room.sounding


def test_a_riff_that_comes_again_is_remembered() -> None:
    riffs, now = Riffs(), 0.0
    riff = (69, 72, 74, 76)
    for _ in range(2):
        for pitch in riff:
            now += 0.25
            riffs.learn((pitch,), (pitch - 24,), now)
        now += 2.0
    place = riffs.recall(69, now)
    assert place is not None
    assert place.answers == (45,)
    assert place.alike > 1
    assert riffs.recall(70, now) is None


@given(st.lists(st.floats(0.01, 2.0), min_size=1, max_size=60))
def test_no_second_but_of_ornaments_has_many_strokes(gaps: list[float]) -> None:
    pulse, now, strokes = Pulse(Tonality()), 0.0, []
    for gap in gaps:
        now += gap
        if pulse.strikes(now, 60):
            strokes.append(now)
    assert strokes
    assert max(sum(start <= at < start + 0.94 for at in strokes) for start in strokes) <= 8


def test_a_pedal_keeps_what_is_released_and_a_key_that_is_struck_again_is_down() -> None:
    held = Held()
    held.press(0, 60, 1.0)
    held.pedal(0, down=True)
    held.release(0, 60)
    assert held.kept == {60: 1.0}
    held.press(0, 60, 2.0)
    assert (held.down, held.kept) == ({60: 2.0}, {})
    held.pedal(0, down=False)
    held.release(0, 60)
    assert not len(held)
