"""One session per name: a lock that no crash leaves behind, and a local socket on which the session says how it is.

Both are in the user's runtime folder. The lock is the system's own, on a file that holds the process id: it ends with
its process, however that ends. The socket answers whoever connects with one JSON object; nobody else but the user can.
Where there are no such sockets (Windows), it is a port of the loopback interface, to which anybody could connect; a
file that only the user can read tells which port, and a token that whoever asks has to send first.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import re
import secrets
import socket
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs

from improviser.errors import ConfigError, SessionError
from improviser.locks import try_lock
from improviser.waiting import within

log = logging.getLogger("improviser")

ANSWER_SECONDS = 3.0
LARGEST_ANSWER = 1 << 20
LOOPBACK = "127.0.0.1"
TOKEN_BYTES = 32
HAS_UNIX_SOCKETS = hasattr(socket, "AF_UNIX") and hasattr(asyncio, "start_unix_server")


def runtime_folder() -> Path:
    """Return where locks and sockets are; it is there then.

    :raises OSError: if it can be nowhere.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where there is no such folder, a temporary one that is ours does as well
        return Path(platformdirs.user_runtime_path("improviser", appauthor=False, ensure_exists=True))


def _stem(name: str) -> str:
    """Return a file's name for a session's name: short, since the path of a socket is, and the same for no other.

    Windows and macOS take capitals for small letters; Windows opens a device where a file is called "nul.lock".
    """
    return (
        name
        if re.fullmatch(r"[a-z0-9_-]{1,24}", name) and not re.fullmatch(r"con|prn|aux|nul|(com|lpt)\d", name)
        else f".{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:16]}"
    )


class Instance:
    """The only session of its name on this machine, for this user, until `close`.

    :raises ConfigError: if there is one already.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock: int | None = None
        self._server: asyncio.Server | None = None
        self._socket: Path | None = None
        try:
            folder = runtime_folder()
            _make_private(folder)
            self._lock = _lock(folder / f"{_stem(name)}.lock", name)
            self._socket = _address_of(name)
        except OSError as error:  # a read-only system, say: no reason not to play
            log.warning("cannot keep others from playing as %s: %s", name, error)

    async def answer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Tell everybody who asks, and may, how the session is, from now on."""
        token = b"" if HAS_UNIX_SOCKETS else secrets.token_bytes(TOKEN_BYTES)

        async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                said = await within(ANSWER_SECONDS, reader.readexactly(len(token)))
                if secrets.compare_digest(said, token):
                    writer.write(json.dumps(state(), ensure_ascii=False).encode())
                    await writer.drain()
            writer.close()

        if self._socket is None:
            return
        try:
            self._socket.unlink(missing_ok=True)  # we hold the lock: it is a dead one's
            if HAS_UNIX_SOCKETS:
                self._server = await asyncio.start_unix_server(tell, self._socket)
                self._socket.chmod(0o600)
            else:
                self._server = await asyncio.start_server(tell, LOOPBACK, 0)
                port = self._server.sockets[0].getsockname()[1]
                _write_private(self._socket, {"port": port, "token": token.hex()})
        except OSError as error:
            log.warning("`improviser status` will not find this session: %s", error)

    def close(self) -> None:
        """Make room for another."""
        if self._server is not None and self._socket is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                self._socket.unlink()
        if self._lock is not None:
            # The file stays: whoever waits for its lock would otherwise hold that of a file without a name.
            os.truncate(self._lock, 0)
            os.close(self._lock)
        self._server = self._lock = None


def _address_of(name: str) -> Path:
    """Return the socket on which a session answers, or the file that tells which port it is."""
    return runtime_folder() / f"{_stem(name)}.{'sock' if HAS_UNIX_SOCKETS else 'port'}"


def _write_private(path: Path, said: dict[str, Any]) -> None:
    """Write a file that nobody else can read at any time.

    :raises OSError: if it cannot be written, or is there already.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor has no path
        json.dump(said, file)


def _connect(name: str) -> socket.socket:
    """Return a connection to a session that has been told that we may ask.

    :raises OSError: if there is none.
    :raises ValueError: if the file that tells of it is damaged.
    """
    path = _address_of(name)
    if HAS_UNIX_SOCKETS:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(str(path))
        except BaseException:
            connection.close()
            raise
        return connection
    said = json.loads(path.read_bytes())
    if not isinstance(said, dict):
        raise ValueError(f"{path} is damaged")  # noqa: TRY004  as if it were no JSON
    token, port = bytes.fromhex(str(said.get("token"))), int(said.get("port", 0))
    connection = socket.create_connection((LOOPBACK, port), ANSWER_SECONDS)
    connection.sendall(token)
    return connection


def _make_private(folder: Path) -> None:
    """Make sure that nobody else can look into a folder.

    :raises OSError: if that cannot be.
    """
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o700)


def _lock(path: Path, name: str) -> int:
    """Lock a file and write into it who did; return its descriptor.

    :raises ConfigError: if it is locked.
    :raises OSError: if it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if not try_lock(descriptor):
        pid = _holder(path).get("pid")
        os.close(descriptor)
        who = f"process {pid}" if pid else "another process"
        raise ConfigError(f"{name} plays already ({who}); end that, or play under another --name")
    os.truncate(descriptor, 0)
    os.write(descriptor, json.dumps({"pid": os.getpid(), "name": name, "since": round(time.time())}).encode())
    return descriptor


def _holder(path: Path) -> dict[str, Any]:
    """Return what a lock's file says of who holds it."""
    try:
        said = json.loads(path.read_bytes()[:1000])
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def running() -> list[str]:
    """Return the names of all sessions that play now."""
    names = []
    for path in runtime_folder().glob("*.lock"):
        name = _holder(path).get("name")
        if isinstance(name, str) and _is_locked(path):
            names.append(name)
    return sorted(names)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def ask(name: str) -> dict[str, Any]:
    """Return the state of the session that plays under `name`.

    :raises SessionError: if there is none, or it does not answer.
    """
    answer = b""
    try:
        with _connect(name) as connection:
            while len(answer) < LARGEST_ANSWER and (part := connection.recv(1 << 16)):
                answer += part
        state = json.loads(answer)
    except (FileNotFoundError, ConnectionError) as error:
        others = ", ".join(running())
        hint = f"there are: {others}" if others else "none is running; start one with: improviser play"
        raise SessionError(f"no session plays under the name {name}; {hint}") from error
    except (OSError, ValueError) as error:
        raise SessionError(f"the session {name} does not answer ({error}); is it stopped?") from error
    if not isinstance(state, dict):
        raise SessionError(f"what answers for {name} is no session")
    return state
