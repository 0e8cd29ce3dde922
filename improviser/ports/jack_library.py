"""JACK's library, loaded in this one place: where it is missing, what is missing and what to do are one line.

JACK-Client's module `jack` loads libjack as it is imported, and raises OSError where there is none: on macOS, on
Windows, and on many a Linux desktop. None of that may keep anybody from playing on another MIDI system.

A daemon may outlive its server, and find another kind of it afterwards. So there may be two modules: the usual one, and
one that speaks through PipeWire's libjack.
"""

import contextlib
import ctypes
import ctypes.util
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from improviser.errors import MidiSystemError
from improviser.ports.jack_choice import JACKD, PIPEWIRE, Choice, choose, jackd_library

INSTALL = "install JACK's library (on Debian: apt install libjack-jackd2-0)"
_by_path: dict[Path, ModuleType] = {}
"""JACK-Client's module once more, for each library that was loaded by its path."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why JACK cannot be spoken to, and what to do about it."""

    problem: str
    remedy: str


def find_jack(choice: Choice | None = None) -> ModuleType | Missing:
    """Return JACK-Client's module, which says nothing on the terminal by itself, or why there is none.

    :param choice: which server it is to speak to; what `choose` says now if not given.
    """
    choice = choose() if choice is None else choice
    try:
        jack = _import(_library_of(choice))
        jack.set_error_function(lambda _: None)
        jack.set_info_function(lambda _: None)
    except ModuleNotFoundError as error:
        return Missing(f"Python's module {error.name!r} is not installed", "install it with: pip install JACK-Client")
    except (ImportError, OSError, AttributeError) as error:  # AttributeError: another library of this name, or too old
        problem = " ".join(str(error).split()) or "its library cannot be loaded"
        return Missing(problem, choice.remedy or INSTALL)
    return jack


def _library_of(choice: Choice) -> Path | None:
    """Return the library to load by its path; None for the one that the system finds by its name.

    Once PipeWire's is loaded, that is what the system finds: both have the same name.
    """
    return jackd_library() if choice.server == JACKD and _by_path else choice.library


def _import(library: Path | None) -> ModuleType:
    if library is None:
        import jack

        return jack  # type: ignore[no-any-return]  # it has no types
    if library not in _by_path:
        spec = importlib.util.find_spec("jack")
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError("No module named 'jack'", name="jack")
        module = importlib.util.module_from_spec(spec)
        with _found_at(library):
            spec.loader.exec_module(module)
        _by_path[library] = module
    return _by_path[library]


@contextlib.contextmanager
def _found_at(library: Path) -> Iterator[None]:
    """Let whoever looks for a library find this one: JACK-Client takes no path."""
    find_library = ctypes.util.find_library
    ctypes.util.find_library = lambda _name: str(library)  # type: ignore[assignment]
    try:
        yield
    finally:
        ctypes.util.find_library = find_library


def load_jack(server: str = "") -> ModuleType:
    """Return JACK-Client's module.

    :param server: which server it is to speak to, "jackd" or "PipeWire"; whichever answers if not given.
    :raises MidiSystemError: if it, or JACK's library, is not installed or cannot be loaded.
    """
    found = find_jack(choose(server))
    if isinstance(found, Missing):
        raise MidiSystemError(f"JACK cannot be used here ({found.problem}); {found.remedy}")
    return found


def share_library(server: str = "") -> None:
    """Have RtMidi speak through the libjack that is chosen, whatever it brings along; to be called before its import.

    :param server: which server it is to speak to; whichever answers if not given.
    """
    if "rtmidi" not in sys.modules and (library := choose(server).library) is not None:
        with contextlib.suppress(OSError):  # then it takes its own, and says that there is no server
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def server_of(jack: ModuleType) -> str:
    """Return which server a module speaks to, "jackd" or "PipeWire"; empty where there is no telling."""
    version = getattr(jack, "version_string", str)()
    if PIPEWIRE in version:
        return PIPEWIRE
    return JACKD if sys.platform == "linux" else ""
