"""Which libjack speaks to the server that runs here: jackd's own, or the one that PipeWire brings along.

Both are called `libjack.so.0`, and whichever is loaded first serves the whole process. PipeWire's lies in a folder of
its own, which is why its users start JACK's programs through `pw-jack`; here that is not needed.
"""

import contextlib
import ctypes
import os
import socket
import sys
from pathlib import Path

LIBRARY = "libjack.so.0"
FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
PIPEWIRE_FOLDER = "pipewire-0.3/jack"
SOCKETS = Path("/dev/shm")  # noqa: S108  it is JACK's, and only looked at
DEFAULT_SERVER = "default"
ANSWER_SECONDS = 0.5


def choose_library() -> None:
    """Load PipeWire's libjack, if it is PipeWire that answers and no jackd does; to be called before libjack is loaded.

    Who has chosen already (by `pw-jack`, or LD_LIBRARY_PATH) keeps what was chosen.
    """
    if sys.platform != "linux" or "pipewire" in os.environ.get("LD_LIBRARY_PATH", "") or jackd_answers():
        return
    if pipewire_answers() and (library := pipewire_library()) is not None:
        with contextlib.suppress(OSError):  # then the other is loaded, and says that there is no server
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def jackd_answers() -> bool:
    """Return whether a server of jackd's takes connections, of the name that clients look for."""
    name = os.environ.get("JACK_DEFAULT_SERVER", DEFAULT_SERVER)
    return _answers(SOCKETS / f"jack_{name}_{os.getuid()}_0")


def pipewire_answers() -> bool:
    """Return whether a PipeWire takes connections."""
    folder = os.environ.get("PIPEWIRE_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR")
    return folder is not None and _answers(Path(folder) / os.environ.get("PIPEWIRE_REMOTE", "pipewire-0"))


def pipewire_is_loaded() -> bool:
    """Return whether it is PipeWire's libjack that this process has loaded."""
    with contextlib.suppress(OSError):
        return f"{PIPEWIRE_FOLDER}/libjack" in Path("/proc/self/maps").read_text(errors="replace")
    return False


def _answers(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ANSWER_SECONDS)
        client.connect(str(path))
        return True
    return False


def pipewire_library() -> Path | None:
    """Return the libjack that PipeWire brings along, None if it is not installed."""
    for folder in map(Path, FOLDERS):
        for found in (folder / PIPEWIRE_FOLDER / LIBRARY, *sorted(folder.glob(f"*/{PIPEWIRE_FOLDER}/{LIBRARY}"))):
            if found.exists():
                return found
    return None
