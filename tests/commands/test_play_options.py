"""The options of `play`: each live parameter has one, and what a parameter cannot be is refused in one line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from improviser import cli
from improviser.commands.play_options import LIVE, SETTINGS
from improviser.core.live.parameters.kinds import Range
from improviser.core.live.parameters.table import TABLE, allowed_words
from improviser.errors import ConfigError
from improviser.settings.config import load
from improviser.settings.schema import KEYS
from tests.command import CommandLine

GROUP: Any = typer.main.get_command(cli.app)


def words() -> Iterator[tuple[str, str]]:
    """Yield for each parameter with a value some that it cannot be."""
    for name in LIVE:
        kind = TABLE[name].kind
        if isinstance(kind, Range):
            yield name, f"{kind.low - 1:g}"
            yield name, f"{kind.high + 1:g}"
            if not kind.whole:
                yield from ((name, "nan"), (name, "inf"))
        elif TABLE[name].choices:
            yield from ((name, "dance"), (name, ""), (name, "x" * 999))


def parsed(*words: str) -> dict[str, Any]:
    given: dict[str, Any] = GROUP.commands["play"].make_context("play", list(words)).params
    return {name: given[name] for name in SETTINGS if name != "record"}


def test_each_setting_of_an_option_is_one() -> None:
    assert set(SETTINGS) <= set(KEYS)
    assert set(LIVE) == set(TABLE) - {"controls"}
    assert all(value in (None, (), []) for value in parsed().values())


@pytest.mark.parametrize(("name", "word"), [*words()])
def test_what_a_parameter_cannot_be_is_refused_by_the_options_name(name: str, word: str) -> None:
    option = KEYS[name].flag
    with pytest.raises(ConfigError) as caught:
        load(parsed(option, word) | dict.fromkeys(("model", "input", "output")), environment={})
    said = str(caught.value)
    assert said.startswith(f"{option}: {name} must be {allowed_words(name)}; it is ")
    assert "\n" not in said


@pytest.mark.parametrize("name", [name for name in LIVE if TABLE[name].type is bool])
def test_switches_are_turned_on_and_off(name: str) -> None:
    flag = KEYS[name].flag
    assert parsed(flag)[name] is True
    assert parsed(f"--no{flag[1:]}")[name] is False


@pytest.mark.parametrize(
    ("text", "variable", "options", "says"),
    [
        ("", "", ("--temperature", "-3"), "--temperature: temperature must be a number 0–4"),
        ("", "-3", (), "IMPROVISER_TEMPERATURE: temperature must be a number 0–4"),
        ("temperature = -3", "", (), "settings.toml: temperature must be a number 0–4"),
        ("quantise = '1/5'", "", (), "quantise must be off, 1/4, 1/8"),
        ("low = 90", "", ("--high", "60"), "low must not be above high; they are 90 and 60"),
        ("", "", ("--mode", "dance"), "--mode: mode must be shadow, answer, solo or mute"),
        ("", "", ("--density", "7"), "--density: density must be a number 0–1; it is 7.0"),
    ],
)
def test_play_refuses_it_in_one_line(
    improviser: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    variable: str,
    options: tuple[str, ...],
    says: str,
) -> None:
    path = improviser.folder / "settings.toml"
    path.write_text(text, "utf-8")
    monkeypatch.setenv("IMPROVISER_TEMPERATURE", variable)
    assert improviser("play", "--no-record", "--no-display", "--config", str(path), *options).refused(says)


@pytest.mark.parametrize("command", [("demo",), ("render", "tune.mid", "out.mid")])
@pytest.mark.parametrize("word", ["-3", "4.5", "nan"])
def test_other_commands_refuse_it_likewise(
    improviser: CommandLine, tune: Path, command: tuple[str, ...], word: str
) -> None:
    assert improviser(*command, "--temperature", word).refused("--temperature: temperature must be a number 0–4")
    assert improviser.files() <= {tune.name}
