"""RtMidi's library, loaded in this one place: python-rtmidi, or rtmidi2 where that has no wheels, with one face.

python-rtmidi has wheels up to Python 3.12 only, rtmidi2 for newer ones. rtmidi2 ends the whole process where there is
no MIDI system, so a child process tries first what we would do.
"""

import contextlib
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from improviser.errors import MidiSystemError

PYTHON_RTMIDI, RTMIDI2 = "python-rtmidi", "rtmidi2"
LAST_OF_PYTHON_RTMIDI, LAST_OF_RTMIDI2 = (3, 12), (3, 14)
"""The newest Python that each has wheels for; the markers in pyproject.toml say the same."""
MACHINES = {
    PYTHON_RTMIDI: {
        "linux": ("x86_64", "aarch64"),
        "darwin": ("x86_64", "arm64"),
        "win32": ("AMD64",),
    },
    RTMIDI2: {"linux": ("x86_64",), "darwin": ("x86_64", "arm64"), "win32": ("AMD64",)},
}
PROBE_SECONDS = 10.0
PROBE = """
import sys, rtmidi2
api, has_virtual_ports = int(sys.argv[1]), sys.argv[2] == "True"
for kind in (rtmidi2.MidiIn, rtmidi2.MidiOut):
    port = kind("improviser-probe", api=api)
    port.ports
    if has_virtual_ports:
        port.open_virtual_port("probe")
    port.close_port()
"""
"""What is tried in the child process; it is text, so that the child need not import anything of ours."""


def library_here(
    python: tuple[int, int] = sys.version_info[:2], system: str = sys.platform, machine: str = ""
) -> str | None:
    """Return the library that has wheels for a Python on a system and machine (by default, this); None if none has."""
    machine = machine or platform.machine()
    if python <= LAST_OF_PYTHON_RTMIDI and machine in MACHINES[PYTHON_RTMIDI].get(system, ()):
        return PYTHON_RTMIDI
    if LAST_OF_PYTHON_RTMIDI < python <= LAST_OF_RTMIDI2 and machine in MACHINES[RTMIDI2].get(system, ()):
        return RTMIDI2
    return None


def remedy() -> str:
    """Return what to do where RtMidi cannot be loaded."""
    library = library_here()
    if library is None:
        newest = ".".join(map(str, LAST_OF_PYTHON_RTMIDI))
        jack = "play over JACK or PipeWire, which need none, or " if sys.platform == "linux" else ""
        return (
            f"{jack}take Python {newest} (in the clone: uv tool install --python {newest} .), or build {PYTHON_RTMIDI}"
        )
    alsa = " and ALSA's library (on Debian: apt install libasound2)" if sys.platform == "linux" else ""
    return f"install it anew (pip install --force-reinstall {library}){alsa}"


def said_by_rtmidi(error: Exception) -> str:
    """Return what RtMidi says is wrong, in one line, without the name of the function that found it."""
    return re.sub(r"^\w+::\w+: ", "", " ".join(str(error).split())).rstrip(".")


def load_rtmidi() -> Any:
    """Return python-rtmidi's module, or rtmidi2 with its face (neither has types).

    :raises MidiSystemError: if it is not installed, or cannot be loaded: the Linux builds need ALSA's library.
    """
    try:
        import rtmidi

        rtmidi.get_compiled_api()
    except (ImportError, OSError, AttributeError) as error:  # AttributeError: another module of this name
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import rtmidi2

            return Rtmidi2(rtmidi2)
        problem = " ".join(str(error).split())
        raise MidiSystemError(f"RtMidi cannot be loaded ({problem}); {remedy()}") from error
    return rtmidi


class Rtmidi2:
    """rtmidi2 with python-rtmidi's face. JACK is left out: our own client speaks to it better."""

    API_UNIX_JACK = -1
    """No system's number: JACK is never among those that were compiled."""

    RtMidiError = RuntimeError

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self.API_LINUX_ALSA: int = module.API_LINUX_ALSA
        self.API_MACOSX_CORE: int = module.API_MACOSX_CORE
        self.API_WINDOWS_MM: int = module.API_WINDOWS_MM
        self._work: set[int] = set()

    def get_compiled_api(self) -> list[int]:
        """Return the constant of this system's own MIDI."""
        own = {"linux": self.API_LINUX_ALSA, "darwin": self.API_MACOSX_CORE, "win32": self.API_WINDOWS_MM}
        return [own[sys.platform]] if sys.platform in own else []

    def MidiIn(self, api: int, name: str) -> "In":  # noqa: N802  python-rtmidi's name
        """Return an input.

        :raises RuntimeError: if the system does not work.
        """
        self._try(api)
        return In(self._module.MidiIn(name, api=api))

    def MidiOut(self, api: int, name: str) -> "Out":  # noqa: N802  python-rtmidi's name
        """Return an output.

        :raises RuntimeError: if the system does not work.
        """
        self._try(api)
        return Out(self._module.MidiOut(name, api=api))

    def _try(self, api: int) -> None:
        """Let a child process do what we are about to; what has worked once is not tried again."""
        if api not in self._work:
            probe(api, has_virtual_ports=api != self.API_WINDOWS_MM)
            self._work.add(api)


def probe(api: int, *, has_virtual_ports: bool) -> None:
    """Open and close ports of `api` with rtmidi2 in a child process.

    :raises RuntimeError: if that fails, or ends the child, or takes too long.
    """
    try:
        ran = subprocess.run(
            [sys.executable, "-c", PROBE, str(api), str(has_virtual_ports)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _refuse(f"it did not answer within {PROBE_SECONDS:g} s")
    except OSError as error:
        _refuse(str(error))
    if ran.returncode:
        lines = [line.strip() for line in ran.stderr.decode(errors="replace").splitlines() if line.strip()]
        _refuse(lines[-1].removeprefix("RuntimeError: ") if lines else f"its test ended with {ran.returncode}")


def _refuse(problem: str) -> NoReturn:
    raise RuntimeError(problem)


class Port:
    """A port of rtmidi2's; a direction is added below."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def get_ports(self, *, encoding: None) -> list[bytes | None]:  # noqa: ARG002  asked of the other, too
        """Return the names of the ports there are, in order and as they are: in UTF-8."""
        return [None if name is None else name.encode() for name in self._port.ports]

    def open_port(self, number: int, name: str) -> None:  # noqa: ARG002  our end has no name of its own in rtmidi2
        """Connect to the port of that number."""
        self._port.open_port(number)

    def open_virtual_port(self, name: str) -> None:
        """Open a port of our own, to which others connect."""
        self._port.open_virtual_port(name)

    def close_port(self) -> None:
        """Close what is open."""
        self._port.close_port()

    def delete(self) -> None:
        """Let go of the system; nothing can be done afterwards."""
        self._port = None


class In(Port):
    """An input of rtmidi2's."""

    def set_callback(self, hear: Callable[[tuple[list[int], float], object], None]) -> None:
        """Call `hear` with each message and the seconds since the one before."""
        self._port.callback = lambda message, seconds: hear((message, seconds), None)

    def cancel_callback(self) -> None:
        """Call nobody any more."""
        self._port.callback = None

    def ignore_types(self, *, sysex: bool, timing: bool, active_sense: bool) -> None:
        """Keep kinds of messages out."""
        self._port.ignore_types(midi_sysex=sysex, midi_time=timing, midi_sense=active_sense)


class Out(Port):
    """An output of rtmidi2's."""

    def send_message(self, message: bytes) -> None:
        """Send a raw message."""
        self._port.send_message(tuple(message))
