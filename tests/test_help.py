"""Help that teaches: examples that hold, names that are nearly right, completion, and the README's own commands."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from improviser import cli
from improviser.commands.examples import EXAMPLES, WIDEST, epilog_of
from improviser.commands.play_options import PANELS

ROOT = Path(__file__).parents[1]
GROUP: Any = typer.main.get_command(cli.app)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every command by what is typed for it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def parse(words: list[str]) -> None:
    """Parse a command as the command line would, options' values included, without running it.

    :raises Exception: what the parser raises for a command or option that is not there.
    """
    command = GROUP
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context("improviser", list(words))


def help_of(path: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        cli.app([*path.split(), "--help"])
    return said.getvalue()


def test_every_command_has_examples_and_every_example_a_command() -> None:
    assert set(commands(GROUP)) == set(EXAMPLES)


@pytest.mark.parametrize(("path", "typed"), [(path, typed) for path, some in EXAMPLES.items() for typed, _ in some])
def test_examples_are_right(path: str, typed: str) -> None:
    assert typed.startswith(path)
    parse(shlex.split(typed))


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_are_seen_line_by_line(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line.strip() for line in help_of(path, 80, monkeypatch).splitlines()]
    for line in (epilog_of(path) or "").splitlines():
        assert len(line) <= WIDEST
        assert line in lines


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["plai"], "'play'"),
        (["play", "--tempreature", "1"], "--temperature"),
        (["demo", "--model", "bach-base"], "bach-bass"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(typed: list[str], meant: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "improviser", *typed], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ran.returncode == 2
    assert meant in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("improviser pl", "play"),
        ("improviser play --temp", "--temperature"),
        ("improviser play --model bach-b", "bach-bass"),
        ("improviser play --mode sh", "shadow"),
        ("improviser play --side be", "below"),
        ("improviser play --scale au", "auto"),
        ("improviser play --learn velocity_s", "velocity_scale"),
        ("improviser inspect ec", "echo"),
    ],
)
def test_a_shell_can_complete(typed: str, offered: str) -> None:
    environment = {
        **os.environ,
        "_IMPROVISER_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    code = "import sys; sys.argv[0] = 'improviser'; from improviser.cli import run; run()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert offered in ran.stdout.split()


def readme_commands() -> list[str]:
    """Return every command of ours in the README's blocks of commands."""
    found = []
    for kind, text in re.findall(
        r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        lines = text.replace("\\\n", " ").splitlines() if kind in ("sh", "console", "bash") else []
        for line in lines:
            typed = line.removeprefix("$ ") if kind == "console" else line
            if kind != "console" or line.startswith("$ "):
                found += re.findall(r"(?:^|[&|;]\s*|uv run (?:-q )?)improviser ([^&|;#]*)", typed)
    return found


@pytest.mark.parametrize("typed", readme_commands())
def test_the_readmes_commands_are_right(typed: str) -> None:
    parse(shlex.split(typed))


def test_the_readme_shows_the_main_commands() -> None:
    shown = {typed.split()[0] for typed in readme_commands()}
    assert {"demo", "play", "train", "render", "inspect"} <= shown


def test_the_many_options_of_play_are_sorted_by_what_they_are_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said = help_of("play", 80, monkeypatch)
    places = [said.index(title) for title in ("Options", *PANELS)]
    assert places == sorted(places)
    assert said.index("--input") < places[1] < said.index("--temperature") < places[2] < said.index("--soundfont")
