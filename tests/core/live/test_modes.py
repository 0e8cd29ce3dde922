"""The modes: each is described where users choose, and another one takes its file and its entry alone."""

import subprocess
import sys
from pathlib import Path

from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.parameters.table import MODES, Parameters

ROOT = Path(__file__).parents[3]

ANOTHER = '''
"""Play with a mode that is in no file: it answers each note, and replies to the phrase as well."""

import contextlib, io, re
from improviser.core.live.modes.mode import Mode
from improviser.core.live.modes.registry import MODES_BY_NAME


class Both(Mode):
    name = "both"
    help = "answer each note, and reply to the phrase"
    invitation = "Play as you like."
    answers = replies = True

    def hear(self, actions, note, now):
        return actions.answer(note, now)


MODES_BY_NAME[Both.name] = Both()

# The doors, none of which knows of it.
from improviser import cli
from improviser.commands import completion
from improviser.core.addresses.topics import Topics
from improviser.core.live.parameters.allowed import check
from improviser.core.live.player.knobs import value_at
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.snapshot import Setup, Tally
from improviser.remote.discovery import configurations
from improviser.remote.requests import allowed_for, read_request
from improviser.core.live.parameters.table import TABLE
from improviser.settings.checking import validate
from improviser.show.terminal import SessionScreen
from rich.console import Console
from tests.core.live.desk import Desk, notes

assert check("mode", "both") == validate("mode", "both") == value_at("mode", 127, Parameters()) == "both"
assert read_request("mode", b"both", ()) == "both"
assert "both" in allowed_for("mode", ())
assert completion.choices(TABLE["mode"].kind)("bo") == ["both"]
assert TABLE["mode"].stepped("mute", 1) == "both"  # as the key m does
assert any(b'"both"' in payload for payload in configurations(Topics("improviser"), ["bach-bass"]).values())
out = io.StringIO()
with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
    cli.app(["play", "--help"])
assert "both:answereachnote,andreplytothephrase" in re.sub(r"[\\s│]", "", out.getvalue())
console = Console(width=60, height=20, file=io.StringIO())
console.print(SessionScreen(Tally().snapshot(0.0, Setup(("bach-bass",), Parameters(mode="both")))))
assert Both.invitation in console.file.getvalue() and "both: " in console.file.getvalue()

desk = Desk(mode="both")
assert notes(desk.down(60)) == [48]  # as in shadow
desk.up(60)
assert len(notes([event for _, event in desk.wait(10)])) == 1  # and as in answer
assert desk.synth.at_rest
'''


def test_another_mode_is_found_at_every_door() -> None:
    ran = subprocess.run([sys.executable, "-c", ANOTHER], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_each_mode_is_in_the_readme() -> None:
    row = next(line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| `--mode`"))
    for mode in MODES_BY_NAME.values():
        assert f"{mode.name}: {mode.help}" in row


def test_a_session_begins_in_a_mode_there_is() -> None:
    assert Parameters().mode in MODES_BY_NAME
    assert all(name == mode.name for name, mode in MODES_BY_NAME.items())


def test_the_performer_knows_no_mode_by_name() -> None:
    """Nor does anything else but the parameters' defaults and the modes themselves."""
    live = ROOT / "improviser" / "core" / "live"
    for path in (live / "performer.py", live / "playing.py", live / "player" / "hands.py"):
        assert not [name for name in MODES if f'"{name}"' in path.read_text("utf-8")], path
