"""Which server of JACK's clients there is here, jackd or PipeWire, and which libjack speaks to it.

Both bring one that is called `libjack.so.0`. PipeWire's lies in a folder of its own, which is why its users start
JACK's programs through `pw-jack`; here that is not needed. A jackd that runs was started by somebody who wants it, so
it goes before PipeWire, which runs on most desktops.
"""

import contextlib
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

JACKD, PIPEWIRE = "jackd", "PipeWire"
LIBRARY = "libjack.so.0"
FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
PIPEWIRE_FOLDER = "pipewire-0.3/jack"
SOCKETS = Path("/dev/shm")  # noqa: S108  it is JACK's, and only looked at
SYSTEM_FOLDER = "/run/pipewire"
"""Where PipeWire's socket is if it runs for the whole machine."""
DEFAULT_SERVER = "default"
ANSWER_SECONDS = 0.5
ELF_KIND, ELF_MACHINE = slice(4, 6), slice(18, 20)
"""Where an ELF file says how wide and which way round its words are, and which processor it is for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which server to speak to, and how.

    :param server: "jackd" or "PipeWire"; empty if none answers, or there is no telling (other systems than Linux).
    :param library: the libjack to load; None for the one that the system finds by itself.
    :param reason: why this server and this library, and not the other, for people to read.
    :param remedy: what to install if a server answers that nothing here can speak to, else empty.
    """

    server: str = ""
    library: Path | None = None
    reason: str = ""
    remedy: str = ""


def choose(server: str = "") -> Choice:
    """Return which server to speak to: `server` if one is named, else jackd if it answers, else PipeWire if it does.

    Who has chosen a library already (by `pw-jack`, or LD_LIBRARY_PATH) keeps what was chosen.
    """
    if sys.platform != "linux":
        return Choice()
    if "pipewire" in os.environ.get("LD_LIBRARY_PATH", ""):
        return Choice(PIPEWIRE, None, "LD_LIBRARY_PATH (pw-jack) chooses its libjack")
    jackd, socket_path = jackd_answers(), pipewire_socket()
    if server != PIPEWIRE and (jackd or server == JACKD):
        also = "; PipeWire answers as well, and is used where no jackd does" if socket_path is not None else ""
        return Choice(JACKD, None, f"jackd's server {server_name()!r} answers, through the system's libjack{also}")
    if socket_path is None and server != PIPEWIRE:
        return Choice("", None, f"neither a jackd named {server_name()!r} nor a PipeWire answers")
    library = pipewire_library()
    if library is None:
        return Choice(
            "",
            None,
            f"PipeWire answers at {socket_path}, but its libjack is not installed",
            "install PipeWire's JACK library (on Debian and Fedora: the package pipewire-jack or "
            "pipewire-jack-audio-connection-kit)",
        )
    other = f"jackd's server {server_name()!r} answers as well" if jackd else f"no jackd named {server_name()!r} does"
    return Choice(PIPEWIRE, library, f"PipeWire answers at {socket_path}, {other}; its libjack is {library}")


def shown(server: str) -> str:
    """Return what to say, behind the name of the API, of the server that is played on; nothing of a jackd alone."""
    if server == PIPEWIRE:
        return f" ({PIPEWIRE})"
    return f" ({JACKD}, though {PIPEWIRE} runs as well)" if server == JACKD and pipewire_socket() is not None else ""


def server_name() -> str:
    """Return the name of jackd's server that clients look for."""
    return os.environ.get("JACK_DEFAULT_SERVER", DEFAULT_SERVER)


def jackd_answers() -> bool:
    """Return whether a server of jackd's takes connections, of the name that clients look for."""
    return answers(SOCKETS / f"jack_{server_name()}_{os.getuid()}_0")


def pipewire_socket() -> Path | None:
    """Return where a PipeWire takes connections, None if it does nowhere."""
    folder = os.environ.get("PIPEWIRE_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR")
    name = os.environ.get("PIPEWIRE_REMOTE") or "pipewire-0"
    for path in (Path(place) / name for place in (folder, SYSTEM_FOLDER) if place):
        if answers(path):
            return path
    return None


def answers(path: Path) -> bool:
    """Return whether somebody takes connections at a Unix socket."""
    with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ANSWER_SECONDS)
        client.connect(str(path))
        return True
    return False


def pipewire_library() -> Path | None:
    """Return the libjack that PipeWire brings along, None if it is not installed."""
    return _find(f"{PIPEWIRE_FOLDER}/{LIBRARY}")


def jackd_library() -> Path | None:
    """Return the libjack that jackd brings along, None if it is not where distributions put it."""
    return _find(LIBRARY)


def _find(name: str) -> Path | None:
    """Return the library `name` below the system's folders, if it is made for the processor that Python runs on.

    Machines that can run 32-bit programs have one for these, too, in a folder beside ours.
    """
    for folder in map(Path, FOLDERS):
        for found in (folder / name, *sorted(folder.glob(f"*/{name}"))):
            if _machine_of(found) == _machine_of(Path(sys.executable)) is not None:
                return found
    return None


def _machine_of(path: Path) -> tuple[bytes, bytes] | None:
    """Return what an ELF file is made for, None if it is not there or is none."""
    try:
        with path.open("rb") as file:
            head = file.read(ELF_MACHINE.stop)
    except OSError:
        return None
    return (head[ELF_KIND], head[ELF_MACHINE]) if head.startswith(b"\x7fELF") else None
