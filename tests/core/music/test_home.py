"""Where home is: the tonic and the mode, in every mode, on every tonic, at any tempo."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.music.home import MODES, HomeTracker, home_name
from improviser.core.music.note import Note
from improviser.core.music.scales import pitches_of
from tests.home_players import played

PLAYERS = 8


def told(phrases: Sequence[Sequence[Note]]) -> HomeTracker:
    tracker = HomeTracker()
    for notes in phrases:
        for note in notes:
            tracker.hear(note.pitch, note.onset_seconds)
    return tracker


@pytest.mark.parametrize("mode", [mode.name for mode in MODES])
def test_home_is_found_in_every_mode(mode: str) -> None:
    right = []
    for seed in range(PLAYERS):
        rng = np.random.default_rng(1000 + seed)
        tonic, bpm = int(rng.integers(12)), float(rng.uniform(50, 180))
        phrases = played(mode, tonic, 300 + seed, bpm=bpm, riffs=seed % 2 == 0)
        home = told(phrases).home(phrases[-1][-1].end_seconds)
        right.append((home.tonic, home.mode.name) == (tonic, mode))
    assert np.mean(right) >= 0.75, right


@pytest.mark.parametrize("by", range(12))
@pytest.mark.parametrize("tempo", [0.5, 2.0])
def test_a_transposed_player_at_another_tempo_is_at_home_elsewhere(by: int, tempo: float) -> None:
    phrases = played("dorian", 2, 3, bpm=100)
    elsewhere = [
        [Note(note.pitch + by, tempo * note.onset_seconds, tempo * note.duration_seconds) for note in notes]
        for notes in phrases
    ]
    here, there = told(phrases).home(), told(elsewhere).home()
    assert (there.tonic, there.mode) == ((here.tonic + by) % 12, here.mode)
    assert there.certainty == pytest.approx(here.certainty, rel=1e-6)


def test_the_same_notes_are_another_mode_where_phrases_rest_on_another() -> None:
    scale = (60, 62, 64, 65, 67, 69, 71)
    for rest, wanted in ((62, (2, "dorian")), (64, (4, "phrygian")), (60, (0, "major")), (69, (9, "minor"))):
        tracker, now = HomeTracker(), 0.0
        for _ in range(6):
            for pitch in (*scale, *scale[::-1], rest):
                now += 0.3
                tracker.hear(pitch, now)
            now += 1.2
        home = tracker.home(now)
        assert (home.tonic, home.mode.name) == wanted


def test_the_lowest_notes_of_chords_speak_for_home() -> None:
    lines = []
    for bass in (45, 48):
        tracker, now = HomeTracker(), 0.0
        for _ in range(8):
            for pitch in (60, 64, 69, 64, 67, 65, 62, 71):
                now += 0.3
                for one in (bass, pitch):
                    tracker.hear(one, now)
        lines.append(tracker.home().tonic)
    assert lines == [9, 0]


def test_a_modulation_is_heard() -> None:
    first, second = played("major", 0, 1, bpm=110), played("minor", 6, 2, bpm=110)
    end = first[-1][-1].end_seconds + 1
    later = [[Note(n.pitch, n.onset_seconds + end, n.duration_seconds) for n in notes] for notes in second]
    assert told(first).home().name == "C major"
    assert told([*first, *later[:4]]).home().tonic == 6


@pytest.mark.parametrize("name", [mode.name for mode in MODES])
def test_every_name_is_a_scale_that_can_be_asked_for(name: str) -> None:
    for tonic in range(12):
        scale = pitches_of(home_name(tonic, name))
        assert scale is not None
        assert np.flatnonzero(scale[60:72]).size in (5, 6, 7)
        assert scale[60 + tonic]
        assert HomeTracker().home().certainty == pytest.approx(1 / 12)


def test_keys_are_spelled_as_is_usual() -> None:
    assert home_name(1, "major") == "D♭ major"
    assert home_name(1, "minor") == "C♯ minor"
    assert home_name(8, "minor-pentatonic") == "G♯ minor pentatonic"
    assert home_name(3, "blues") == "E♭ blues"


@given(st.lists(st.tuples(st.integers(0, 127), st.floats(0, 1e6)), max_size=80), st.floats(0, 1e9))
def test_whatever_is_played_the_chances_are_chances(notes: list[tuple[int, float]], later: float) -> None:
    tracker, now = HomeTracker(), 0.0
    for pitch, gap in notes:
        now += gap
        tracker.hear(pitch, now)
        chances = tracker.chances(now + later)
        assert chances.sum() == pytest.approx(1.0)
        assert (chances >= 0).all()
        home = tracker.home(now + later)
        assert 0 <= home.certainty <= 1 + 1e-9
        assert home.tonic in home.stable <= home.scale
