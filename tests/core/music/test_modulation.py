"""The key is left as soon as the player has left it, and not for an accidental."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.music.keys import KeyTracker, estimate_key
from improviser.core.music.modulation import ModulatingKeys
from improviser.core.music.rhythm import RhythmTracker
from improviser.core.music.scales import STEPS

TUNE = (67, 69, 71, 72, 76, 74, 72, 71, 69, 67, 65, 64, 62, 71, 72)


def lines(rng: np.random.Generator, tonic: int, notes: int) -> list[int]:
    """Return a random line in a major key, mostly by step."""
    scale = [pitch for pitch in range(57, 79) if (pitch - tonic) % 12 in STEPS["major"]]
    place, line = int(rng.integers(len(scale))), []
    for _ in range(notes):
        line.append(scale[place])
        place = max(0, min(len(scale) - 1, place + int(rng.choice([-2, -1, -1, 1, 1, 2]))))
    return line


class Ear:
    """Both ways to hear a key, told the same notes."""

    def __init__(self) -> None:
        self.rhythm = RhythmTracker()
        self.keys = ModulatingKeys()
        self.fading = KeyTracker()
        self.now = 0.0

    def hear(self, pitches: Sequence[int], gap: float = 0.4) -> list[tuple[int, int]]:
        """Hear notes; return the tonics of both after each."""
        found = []
        for pitch in pitches:
            self.now += gap
            moment = self.rhythm.look(self.now)
            self.keys.hear_player(pitch, moment)
            self.rhythm.hear(self.now)
            self.fading.hear(pitch)
            found.append((estimate_key(self.keys.histogram)[0], estimate_key(self.fading.histogram)[0]))
        return found


def test_it_follows_modulations_sooner_than_a_fading_memory() -> None:
    wrong = np.zeros((12, 2))
    for by in range(1, 12):
        for seed in range(12):
            rng = np.random.default_rng(seed)
            ear = Ear()
            ear.hear(lines(rng, 0, 24))
            ear.now += 0.8
            for tonics in ear.hear(lines(rng, by, 16)):
                wrong[by] += [tonic != by for tonic in tonics]
    ours, fading = wrong.sum(axis=0)
    assert ours < 0.75 * fading, wrong
    assert (wrong[1:, 0] < wrong[1:, 1]).all(), wrong


def test_three_notes_are_enough_for_a_far_key() -> None:
    ear = Ear()
    ear.hear(TUNE * 2)
    ear.now += 0.8
    new, fading = zip(*ear.hear([pitch + 4 for pitch in TUNE]), strict=True)
    assert set(new[2:]) == {4, 11}  # a key beside it is nearly as good: they share all notes but one
    assert set(fading[2:7]) == {0}
    assert new[-5:] == fading[-5:] == (4,) * 5


def test_one_accidental_in_a_phrase_leaves_no_key() -> None:
    ear = Ear()
    ear.hear(TUNE)
    before = sum(ear.keys.histogram)
    assert all(new == fading for new, fading in ear.hear((66, 67, 64, 60)))
    assert sum(ear.keys.histogram) > 0.8 * before


@given(st.lists(st.tuples(st.integers(0, 127), st.floats(0, 3)), max_size=60))
def test_looking_is_hearing_ahead_and_changes_nothing(notes: list[tuple[int, float]]) -> None:
    ear = Ear()
    for pitch, gap in notes:
        ear.now += gap
        moment = ear.rhythm.look(ear.now)
        before = list(ear.keys.histogram)
        histogram, key = ear.keys.look(pitch, moment)
        assert ear.keys.histogram == before
        ear.keys.hear_player(pitch, moment)
        ear.rhythm.hear(ear.now)
        assert ear.keys.histogram == histogram
        assert sum(histogram) < 40
        assert key == pytest.approx(estimate_key(histogram))


@given(st.lists(st.tuples(st.integers(0, 127), st.booleans()), max_size=40))
def test_the_key_that_is_heard_is_that_of_all_that_was_heard(notes: list[tuple[int, bool]]) -> None:
    ear = Ear()
    for pitch, is_player in notes:
        if is_player:
            ear.keys.hear_player(pitch, ear.rhythm.look(ear.now))
        else:
            ear.keys.hear(pitch)
        tonic, minor = estimate_key(ear.keys.histogram)
        assert ear.keys.key[0] == tonic
        assert ear.keys.key[1] == pytest.approx(minor)


def test_answers_in_the_old_key_are_not_heard_right_after_it_is_left() -> None:
    wrong = []
    for alone in (0, 4):
        missed = 0
        for by in range(1, 12):
            rhythm, hearing, now = RhythmTracker(), ModulatingKeys(alone), 0.0
            for number, pitch in enumerate((*TUNE, *TUNE, *(pitch + by for pitch in TUNE[:9]))):
                now += 1.6 if number in (len(TUNE), 2 * len(TUNE)) else 0.4
                hearing.hear_player(pitch, rhythm.look(now))
                rhythm.hear(now)
                hearing.hear((0, 5, 7, 2)[number % 4])  # ever in C
                near = (hearing.key[0] - by) % 12 in (0, 5, 7)
                missed += number >= 2 * len(TUNE) and not near
        wrong.append(missed)
    assert wrong[1] < 0.8 * wrong[0]


def test_answers_are_heard_where_no_key_is_left() -> None:
    rhythm, hearings, now = RhythmTracker(), [ModulatingKeys(0), ModulatingKeys(4)], 0.0
    for pitch in TUNE * 2:
        now += 0.4
        for hearing in hearings:
            hearing.hear_player(pitch, rhythm.look(now))
            hearing.hear(pitch - 12)
        rhythm.hear(now)
    assert hearings[0].histogram == hearings[1].histogram
