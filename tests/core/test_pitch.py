"""The names of pitches."""

import pytest

from improviser.core.pitch import pitch_name


@pytest.mark.parametrize(("pitch", "name"), [(60, "C4"), (69, "A4"), (0, "C-1"), (127, "G9"), (70, "B♭4"), (66, "F♯4")])
def test_pitch_names(pitch: int, name: str) -> None:
    assert pitch_name(pitch) == name
