"""After a session that asks for it, what is recorded is learned from, by a process that nobody waits for."""

from pathlib import Path

import pytest

from improviser.library.catalogue import ENVIRONMENT
from improviser.session.learning_afterwards import TOLD, learn_afterwards
from improviser.settings.config import load


def test_it_says_nothing_and_keeps_nothing_where_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "models"))
    assert learn_afterwards(load({"record": False}, environment={})) is None
    process = learn_afterwards(load({"record": str(tmp_path)}, environment={}))
    assert process is not None
    assert process.wait(110) == 2, "there is nothing to learn from"
    assert not (tmp_path / "models").exists()
    assert "play first" in (tmp_path / TOLD).read_text()
