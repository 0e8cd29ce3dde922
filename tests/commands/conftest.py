"""Fixtures: the command line in a folder of its own, with a tune and a model."""

from pathlib import Path

import pytest

from improviser.library import catalogue, model_file
from tests.command import CommandLine
from tests.core.echo.test_model import model as echo_model
from tests.melodies import TUNE, write_melody


@pytest.fixture
def improviser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line, in an empty folder, without models of the user's."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.setenv(catalogue.ENVIRONMENT, str(tmp_path / "shelf"))
    return CommandLine(folder, monkeypatch, capsys)


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    """A MIDI file with a melody, outside the folder the commands work in."""
    return write_melody(tmp_path / "tune.mid", TUNE * 3)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small echo model, outside the folder the commands work in."""
    path = tmp_path / "small.safetensors"
    model_file.write(path, catalogue.take_apart(echo_model(), {"seed": 7}))
    return path
