"""A live parameter is one entry in the table: one that is added to a copy of it is found at every door."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ABOVE = "    def hears_channel(self"
"""What comes after the table, in the file that holds it."""

ENTRIES = """\
    swing: Annotated[float, Described(Range(0, 1, step=0.25), "How late off-beats are.", "0 is even", "beats")] = 0.5
    voices: Annotated[int, Described(Range(1, 8, whole=True), "How many sing.")] = 1
    touch: Annotated[str, Described(("soft", "firm", "hard"), "How keys are struck.")] = "firm"
    echo_back: Annotated[bool, Described(SWITCH, "Say it again.", main=True)] = False

"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, with more entries in its table, and nothing else changed."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "improviser", folder / "improviser", ignore=shutil.ignore_patterns("__pycache__"))
    for name in (
        "__init__.py",
        "readme/__init__.py",
        "readme/parameters.py",
        "settings/__init__.py",
        "settings/doors.py",
    ):
        (folder / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    shutil.copy(ROOT / "README.md", folder)
    shutil.copytree(ROOT / "models", folder / "models")
    table = folder / "improviser" / "core" / "live" / "parameters" / "table.py"
    text = table.read_text("utf-8")
    assert text.count(ABOVE) == 1
    table.write_text(text.replace(ABOVE, ENTRIES + ABOVE), "utf-8")
    return folder


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "160", "NO_COLOR": "1", "HOME": str(copy)}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )


def asked(copy: Path, *words: str) -> Any:
    ran = run(copy, "tests.settings.doors", *words)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


CASES: dict[str, dict[str, Any]] = {
    "swing": {
        "good": "0.25", "bad": "9", "value": 0.25, "shown": " · swing 0.25 beats ",
        "turned": [0.0, 1.0], "next": 0.75, "default": 0.5,
        "allowed": "a number of beats 0–1 (0 is even)",
        "entity": ("number", {"min": 0, "max": 1, "step": 0.25, "unit_of_measurement": "beats"}),
    },
    "voices": {
        "good": "3", "bad": "2.5", "value": 3, "shown": " · voices 3 ",
        "turned": [1, 8], "next": 2, "default": 1,
        "allowed": "a whole number 1–8", "entity": ("number", {"min": 1, "max": 8, "step": 1}),
    },
    "touch": {
        "good": "hard", "bad": "limp", "value": "hard", "shown": " · touch hard ",
        "turned": ["soft", "hard"], "next": "hard", "default": "firm",
        "allowed": "soft, firm or hard", "entity": ("select", {"options": ["soft", "firm", "hard"]}),
    },
    "echo_back": {
        "good": "true", "bad": "2", "value": True, "shown": " · echo back on ",
        "turned": [False, True], "next": True, "default": False,
        "allowed": "true or false", "entity": ("switch", {"payload_on": "true", "payload_off": "false"}),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_entry_is_found_at_every_door(copy: Path, name: str) -> None:
    case = CASES[name]
    said = asked(copy, name, case["good"], case["bad"])
    assert {door: value for door, value in said["values"].items() if door != "knob"} == dict.fromkeys(
        ("core", "settings file", "environment", "option", "MQTT", "page"), case["value"]
    )
    assert said["values"]["knob"] == case["turned"][1]
    assert len(said["refusals"]) == 6
    for door, refusal in said["refusals"].items():
        assert refusal.startswith(f"{name} must be {case['allowed']}; it is "), door
    assert said["turned"] == case["turned"]
    assert (said["bound"], said["learnable"]) == (name, [name])
    assert (said["next"], said["allowed"], said["state"]) == (case["next"], case["allowed"], case["default"])
    component, details = case["entity"]
    assert said["control"] == {"select": "choice"}.get(component, component)
    entity = said["entities"].pop(component)
    assert not said["entities"]
    assert details.items() <= entity.items()
    assert entity["command_topic"].endswith(f"/set/{name}")
    assert ("entity_category" in entity) == (name != "echo_back")
    assert len(said["explained"]) == len(said["readme"]) == 1
    assert [case["shown"] in line for line in said["shown"]] == [False, True]
    assert said["documented"]
    assert said["defaults"] == [case["default"]]


def test_play_offers_it_and_refuses_what_it_cannot_be(copy: Path) -> None:
    offered = run(copy, "improviser", "play", "--help").stdout
    for option in ("--swing", "--voices", "--touch", "--echo-back", "--no-echo-back"):
        assert f" {option} " in offered
    assert "How late off-beats are, 0-1 beats; 0 is even (0.5)." in offered
    assert "How keys are struck: soft, firm or hard (firm)." in offered
    refused = run(copy, "improviser", "play", "--no-record", "--swing", "9")
    assert refused.returncode == 2
    assert refused.stderr == "improviser: error: --swing: swing must be a number of beats 0–1 (0 is even); it is 9.0\n"


def test_it_is_in_no_other_file_of_the_package(copy: Path) -> None:
    sources = (copy / "improviser").rglob("*.py")
    assert [path.name for path in sources if "swing" in path.read_text("utf-8")] == ["table.py"]
