"""What a knob turns is kept in the user's file, and not a byte of it that says anything else is touched."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.player.knobs import LEARNABLE
from improviser.errors import ConfigError, OutputError
from improviser.settings.config import load
from improviser.settings.keeping import check_keepable, keep, with_controls

FILE = """\
# My settings.
low = 40      # not too deep

[profile.piano]  # upstairs
high = 90
"""
SCATTERED = "controls.mode = 3\ncontrols.high = 4\nlow = 3\n"
BINDINGS = st.integers(33, 63) | st.fixed_dictionaries({"control": st.integers(1, 31), "channel": st.integers(1, 16)})
CONTROLS = st.dictionaries(st.sampled_from(LEARNABLE), BINDINGS, min_size=1)


def test_a_table_is_added_at_the_end() -> None:
    fresh = with_controls(FILE, {"temperature": 21})
    assert fresh == FILE + "\n[controls]\ntemperature = 21\n"
    assert with_controls("", {"temperature": 21}) == "[controls]\ntemperature = 21\n"
    assert with_controls("low = 1", {"temperature": 21}) == "low = 1\n\n[controls]\ntemperature = 21\n"


def test_a_profile_s_table_is_added_at_the_end_too_and_parts_no_comment_from_what_it_is_about() -> None:
    text = FILE + "\n# about the organ\n[profile.organ]\nhigh = 80\n"
    expected = text + "\n[profile.piano.controls]\nmode = {control = 4, channel = 2}\n"
    assert with_controls(text, {"mode": {"control": 4, "channel": 2}}, ("profile", "piano")) == expected


def test_a_table_that_is_there_is_changed_line_by_line() -> None:
    text = FILE + '\n[ controls ]  # knobs\n# the first\ntemperature = 20   # red\n"mode" = 4\nlow = 5\n\n[profile.x]\n'
    assert with_controls(text, {"temperature": {"control": 21, "channel": 2}, "mode": 4, "density": 22}) == (
        FILE + "\n[ controls ]  # knobs\n# the first\ntemperature = {control = 21, channel = 2}   # red\n"
        '"mode" = 4\ndensity = 22\n\n[profile.x]\n'
    )
    text = "[controls]\n\n  [controls.mode] # red\n  control = 3 # left\n  channel = 1\n"
    expected = text.replace("= 3", "= 4")
    assert with_controls(text, {"mode": {"control": 4, "channel": 1}}) == expected


@pytest.mark.parametrize(
    ("text", "above", "fresh"),
    [
        ("controls = { mode = 3 }\nlow = 1\n", (), "controls = {low = 3}\nlow = 1\n"),
        ("controls = { mode = 3 }  # red\nlow = 1\n", (), "controls = {low = 3}  # red\nlow = 1\n"),
        ("controls.mode = 3\nlow = 1\n", (), "controls.low = 3\nlow = 1\n"),
        ("controls.low = 2 # red\nhigh = 9\n", (), "controls.low = 3 # red\nhigh = 9\n"),
        ("low = 1\r\n", (), "low = 1\r\n\r\n[controls]\r\nlow = 3\r\n"),
        ("\ufefflow = 1\n", (), "\ufefflow = 1\n\n[controls]\nlow = 3\n"),
        ("x = [\n[1]\n]\n[controls]\n", (), "x = [\n[1]\n]\n[controls]\nlow = 3\n"),
        ('x = """\n[controls]\nlow = 1\n"""\n', (), 'x = """\n[controls]\nlow = 1\n"""\n\n[controls]\nlow = 3\n'),
        (
            "[profile]\npiano = {high = 9}\n",
            ("profile", "piano"),
            "[profile]\npiano = {high = 9,controls = {low = 3}}\n",
        ),
        (
            "profile.piano.high = 9\nlow = 5\n",
            ("profile", "piano"),
            "profile.piano.high = 9\nlow = 5\n\n[profile.piano.controls]\nlow = 3\n",
        ),
    ],
)
def test_every_way_to_write_it_is_understood(text: str, above: tuple[str, ...], fresh: str) -> None:
    assert with_controls(text, {"low": 3}, above) == fresh


def test_what_cannot_be_changed_is_left_alone() -> None:
    assert with_controls("controls = {\n", {"low": 3}) is None
    assert with_controls("x = [\n[controls]\n]\n", {"low": 3}) is None
    assert with_controls("profile = 3\n", {"low": 3}, ("profile", "piano")) is None
    assert with_controls(f"x = {'[' * 900}{']' * 900}\n", {"low": 3}) is None
    # A fault of tomlkit's; where one is mended, this may become the text with the one line.
    assert with_controls(SCATTERED, {"low": 4}) is None


@given(CONTROLS, CONTROLS, st.booleans(), st.sampled_from(["", FILE, FILE.replace("\n", "\r\n")]))
def test_whatever_is_kept_is_read_again(
    before: dict[str, Any], after: dict[str, Any], of_profile: bool, text: str
) -> None:
    above = ("profile", "piano") if of_profile and text else ()
    for controls in (before, after):
        fresh = with_controls(text, controls, above)
        assert fresh is not None
        found: Any = tomllib.loads(fresh)
        for name in above:
            found = found[name]
        assert found["controls"] == controls
        assert all(line in fresh for line in text.splitlines() if line.startswith("#"))
        text = fresh


def test_a_new_file_explains_every_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "new")
    path = keep(load(environment={}), {"temperature": 21})
    assert path == tmp_path / "new" / "config.toml"
    assert "# temperature = 0.7" in path.read_text("utf-8")
    config = load(environment={})
    assert config.settings.controls == {"temperature": 21}
    assert keep(config, {"temperature": 22, "low": 23}) == path
    assert load(environment={}).settings.controls == {"temperature": 22, "low": 23}


@pytest.mark.skipif(os.name != "posix", reason="links and permissions are POSIX's")
def test_the_file_that_was_read_is_written_with_its_links_and_permissions(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "improviser.toml", tmp_path / "config.toml"
    real.write_text(FILE)
    real.chmod(0o600)
    link.symlink_to(real)
    assert keep(load(file=link), {"low": 21}) == link
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert real.read_text() == FILE + "\n[controls]\nlow = 21\n"
    assert len(list(tmp_path.rglob("*.toml*"))) == 2


def test_a_profile_with_controls_of_its_own_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FILE + "[profile.piano.controls]\nlow = 3\n")
    keep(load(file=path, profile="piano"), {"low": 4}, "piano")
    assert load(file=path, profile="piano").settings.controls == {"low": 4}
    assert load(file=path).settings.controls == {}
    keep(load(file=path), {"low": 5}, "piano")
    assert load(file=path).settings.controls == {"low": 5}


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(SCATTERED)
    with pytest.raises(ConfigError, match=r"add this line: controls = \{low = 4\}"):
        keep(load(file=path), {"low": 4})
    assert path.read_text() == SCATTERED
    with pytest.raises(ConfigError, match="IMPROVISER_CONTROLS says what knobs turn"):
        check_keepable(load(file=path, environment={"IMPROVISER_CONTROLS": "{ low = 3 }"}))
    check_keepable(load(file=path, environment={}))
    check_keepable(load(environment={}))
    if hasattr(os, "geteuid") and os.geteuid():
        tmp_path.chmod(0o500)
        with pytest.raises(OutputError):
            keep(load(file=path), {"low": 4})
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("broken", "said"),
    [(b"low = \n", "is not TOML: .*line 1"), (b"low = 1\n\xff", "is not UTF-8 text at line 2")],
)
def test_a_file_that_was_broken_since_is_refused_in_one_line_and_left_alone(
    broken: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(FILE)
    config = load(file=path)
    path.write_bytes(broken)
    with pytest.raises(ConfigError, match=said) as raised:
        keep(config, {"low": 4})
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == broken
