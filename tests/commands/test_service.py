"""`improviser service install`: the unit is written once, and runs what was asked for."""

import sys
from pathlib import Path

import pytest

from tests.command import CommandLine
from tests.remote.test_systemd import settings

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


@linux_only
def test_the_unit_is_written_once(improviser: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    dry = improviser("service", "install", "--dry-run", "--name", "left", "--", "--mqtt", "mqtt://host")
    assert dry.code == 0
    assert not (tmp_path / "config").exists()
    done = improviser("service", "install", "--name", "left", "--", "--mqtt", "mqtt://host")
    path = tmp_path / "config" / "systemd" / "user" / "improviser-left.service"
    assert done.code == 0
    assert done.out.splitlines()[0] == str(path)
    assert path.read_text() == dry.out
    assert settings(dry.out)["ExecStart"].endswith(
        "-m improviser play --name left --no-display --wait-for-ports --mqtt mqtt://host"
    )
    assert improviser("service", "install", "--name", "left").refused("--force")
    assert improviser("service", "install", "--name", "left", "--force").code == 0


def test_a_name_that_cannot_be_is_refused(improviser: CommandLine) -> None:
    assert improviser("service", "install", "--dry-run", "--name", "a/b").refused("--name")
