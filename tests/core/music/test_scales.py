"""Scales: every usual name of a key, and which pitches it allows."""

import pytest

from improviser.core.music.scales import STEPS, pitches_of
from improviser.errors import ConfigError


def classes_of(key: str) -> set[int]:
    pitches = pitches_of(key)
    assert pitches is not None
    assert pitches.shape == (128,)
    return {pitch % 12 for pitch in range(128) if pitches[pitch]}


def test_off_allows_everything() -> None:
    assert pitches_of("off") is None


@pytest.mark.parametrize(
    ("key", "classes"),
    [
        ("C major", {0, 2, 4, 5, 7, 9, 11}),
        ("C", {0, 2, 4, 5, 7, 9, 11}),
        ("a", {0, 2, 4, 5, 7, 9, 11}),
        ("D minor", {2, 4, 5, 7, 9, 10, 0}),
        ("f# dorian", {6, 8, 9, 11, 1, 3, 4}),
        ("F♯ Dorian", {6, 8, 9, 11, 1, 3, 4}),
        ("Bb minor pentatonic", {10, 1, 3, 5, 8}),
        ("B♭_minor_pentatonic", {10, 1, 3, 5, 8}),
        ("b", {11, 1, 2, 4, 6, 7, 9}),
        ("Cb major", {11, 1, 3, 4, 6, 8, 10}),
        ("  G   harmonic-minor ", {7, 9, 10, 0, 2, 3, 6}),
        ("E chromatic", set(range(12))),
    ],
)
def test_a_key_allows_its_pitch_classes(key: str, classes: set[int]) -> None:
    assert classes_of(key) == classes


@pytest.mark.parametrize("scale", STEPS)
def test_every_scale_starts_on_its_tonic_in_every_octave(scale: str) -> None:
    pitches = pitches_of(f"E {scale}")
    assert pitches is not None
    assert pitches[4::12].all()
    assert len(classes_of(f"E {scale}")) == len(STEPS[scale])


@pytest.mark.parametrize("key", ["", "H major", "C majeur", "C## major", "major", "12", "C major minor", "\n"])
def test_another_key_is_refused_with_those_there_are(key: str) -> None:
    with pytest.raises(ConfigError, match=r"is not known; use off, .*mixolydian"):
        pitches_of(key)
