"""JACK's library, loaded in this one place: where it is missing, what is missing and what to do are one line.

JACK-Client's module `jack` loads libjack as it is imported, and raises OSError where there is none: on macOS, on
Windows, and on many a Linux desktop. None of that may keep anybody from playing on another MIDI system.
"""

import sys
from dataclasses import dataclass
from types import ModuleType

from improviser.errors import MidiSystemError
from improviser.ports.jack_choice import choose_library


@dataclass(frozen=True, slots=True)
class Missing:
    """Why JACK cannot be spoken to, and what to do about it."""

    problem: str
    remedy: str


def find_jack() -> ModuleType | Missing:
    """Return JACK-Client's module, which says nothing on the terminal by itself, or why there is none."""
    if "jack" not in sys.modules:
        choose_library()
    try:
        import jack

        jack.set_error_function(lambda _: None)
        jack.set_info_function(lambda _: None)
    except ModuleNotFoundError as error:
        return Missing(f"Python's module {error.name!r} is not installed", "install it with: pip install JACK-Client")
    except (ImportError, OSError, AttributeError) as error:  # AttributeError: another library of this name, or too old
        problem = " ".join(str(error).split()) or "its library cannot be loaded"
        return Missing(problem, "install JACK's library (on Debian: apt install libjack-jackd2-0)")
    return jack  # type: ignore[no-any-return]  # it has no types


def load_jack() -> ModuleType:
    """Return JACK-Client's module.

    :raises MidiSystemError: if it, or JACK's library, is not installed or cannot be loaded.
    """
    found = find_jack()
    if isinstance(found, Missing):
        raise MidiSystemError(f"JACK cannot be used here ({found.problem}); {found.remedy}")
    return found
