"""Where libjack, JACK-Client or RtMidi is missing, everything goes on with what there is, or says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from improviser.errors import MidiSystemError
from improviser.ports.backends import rtmidi_backends
from improviser.ports.rtmidi_library import PYTHON_RTMIDI, library_here
from tests.bare.sitecustomize import LIBJACK, VARIABLE

RTMIDI = "rtmidi,rtmidi2"
"""Either of them will do."""
REMEDIES = {LIBJACK: "libjack-jackd2-0", "jack": "pip install JACK-Client", RTMIDI: library_here() or PYTHON_RTMIDI}
without = pytest.mark.parametrize("hidden", REMEDIES)


def improviser(folder: Path, hidden: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where what is `hidden` is missing, and no program can be found."""
    (folder / "bin").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        VARIABLE: hidden,
        "PATH": str(folder / "bin"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    return subprocess.run(
        [sys.executable, "-m", "improviser", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def rtmidi_loads() -> None:
    """Leave out a test that needs RtMidi."""
    try:
        rtmidi_backends()
    except MidiSystemError as error:
        pytest.skip(str(error))


def no_alsa() -> None:
    """Leave out a test that needs a machine on which no MIDI system works."""
    if sys.platform != "linux" or Path("/dev/snd/seq").exists():
        pytest.skip("a MIDI system works here")


@without
def test_the_demo_needs_none_of_them(hidden: str, tmp_path: Path) -> None:
    ran = improviser(tmp_path, hidden, "demo", "--seconds", "1", "--out", "played")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert {path.name for path in (tmp_path / "played").iterdir()} == {"session.mid", "session.wav", "session.svg"}


@without
def test_help_and_latency_need_none_of_them(hidden: str, tmp_path: Path) -> None:
    assert "Usage:" in improviser(tmp_path, hidden, "--help").stdout
    assert "Usage:" in improviser(tmp_path, hidden, "play", "--help").stdout
    ran = improviser(tmp_path, hidden, "latency", "--notes", "5", "--json")
    assert json.loads(ran.stdout)["lost"] == 0
    assert ran.returncode == 0


@without
def test_status_needs_none_of_them(hidden: str, tmp_path: Path) -> None:
    ran = improviser(tmp_path, hidden, "status")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "no session is running" in ran.stderr


@pytest.mark.parametrize("hidden", [LIBJACK, "jack"])
def test_ports_say_what_jack_lacks_and_go_on_to_the_next(hidden: str, tmp_path: Path) -> None:
    rtmidi_loads()
    ran = improviser(tmp_path, hidden, "ports", "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    reports = {report["api"]: report for report in json.loads(ran.stdout)}
    if "jack" in reports:
        assert not reports["jack"]["available"]
        assert REMEDIES[hidden] in reports["jack"]["remedy"]
    assert reports.keys() - {"jack"}
    assert REMEDIES[hidden] in improviser(tmp_path, hidden, "ports").stdout or "jack" not in reports


@without
@pytest.mark.parametrize("arguments", [("play",), ("latency", "--api", "auto", "--notes", "5")])
def test_what_needs_midi_says_in_one_line_what_was_tried(hidden: str, arguments: list[str], tmp_path: Path) -> None:
    no_alsa()
    ran = improviser(tmp_path, hidden, *arguments)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert REMEDIES[hidden] in ran.stderr
    if hidden != RTMIDI:
        assert ("ALSA does not work here" if library_here() else REMEDIES[RTMIDI]) in ran.stderr


@without
def test_jack_alone_says_what_it_lacks(hidden: str, tmp_path: Path) -> None:
    no_alsa()
    ran = improviser(tmp_path, hidden, "play", "--api", "jack")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    # RtMidi has no part in it.
    remedies = {REMEDIES[hidden]} if hidden != RTMIDI else {REMEDIES[LIBJACK], "start a JACK server"}
    assert any(remedy in ran.stderr for remedy in remedies)


def test_ports_without_rtmidi_are_those_of_jack_and_say_what_it_lacks(tmp_path: Path) -> None:
    ran = improviser(tmp_path, RTMIDI, "ports")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("JACK")
    lines = ran.stdout.splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("RtMidi: not available")]
    assert lines[place + 1].startswith("  to use it, ")
    assert lines[place + 1].count(REMEDIES[RTMIDI]) == 1


def test_an_api_of_rtmidis_without_it_is_one_line(tmp_path: Path) -> None:
    ran = improviser(tmp_path, RTMIDI, "play", "--api", "alsa")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert REMEDIES[RTMIDI] in ran.stderr


@pytest.mark.parametrize("command", [("demo", "--web"), ("play", "--web", "--no-record")])
def test_the_page_says_which_extra_it_takes(command: tuple[str, ...], tmp_path: Path) -> None:
    ran = improviser(tmp_path, "aiohttp", *command)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "uv sync --extra web" in ran.stderr
