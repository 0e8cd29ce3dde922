"""The names of pitches."""

import pytest

from improviser.core.music.pitch import key_name, pitch_name


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (69, "A4"), (0, "C-1"), (127, "G9"), (70, "B♭4"), (66, "F♯4")])
def test_pitch_names(pitch: int, name: str) -> None:
    assert pitch_name(pitch) == name


def test_keys_have_their_usual_names() -> None:
    assert [key_name(tonic, minor=False) for tonic in (0, 1, 3, 8)] == ["C major", "D♭ major", "E♭ major", "A♭ major"]
    assert [key_name(tonic, minor=True) for tonic in (1, 8, 9)] == ["C♯ minor", "G♯ minor", "A minor"]
