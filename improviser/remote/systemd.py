"""The service under systemd: its unit file, and the messages that report its state to systemd (sd_notify).

The protocol is that of sd_notify(3): datagrams of `KEY=value` lines to the socket that NOTIFY_SOCKET names.
"""

import asyncio
import os
import re
import socket
import time
from collections import deque
from collections.abc import Mapping, Sequence

WATCHDOG_SECONDS = 20
RETRY_SECONDS = 0.1
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


class Notifier:
    """Tells systemd; tells nobody where there is none. It never waits."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._waiting: deque[bytes] = deque()
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.get("WATCHDOG_USEC", "")
        seconds = int(microseconds) / 1e6 if watched and microseconds.isdecimal() else 0.0
        self.interval_seconds = seconds / 3 or None
        """How often to `live`, None if nobody watches."""

    def ready(self, status: str) -> None:
        """Say that it plays, and what."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Say that settings are read again; `ready` ends it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that it ends."""
        self._tell("STOPPING=1")

    async def live(self) -> None:
        """Say again and again that the daemon lives; it does as long as this is called in time."""
        while self.interval_seconds is not None:
            if not self._waiting:
                self._tell("WATCHDOG=1")
            await asyncio.sleep(self.interval_seconds)

    def _tell(self, *lines: str) -> None:
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        self._waiting.append("\n".join(line.replace("\n", " ") for line in lines).encode())
        if len(self._waiting) == 1:
            self._send()

    def _send(self) -> None:
        """Send what waits, in order; if systemd is too busy to take it, go on a little later."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            while self._waiting:
                try:
                    sender.sendto(self._waiting[0], self._address)
                except BlockingIOError:
                    asyncio.get_running_loop().call_later(RETRY_SECONDS, self._send)
                    return
                except OSError:  # nobody listens
                    pass
                self._waiting.popleft()


def unit(command: Sequence[str], description: str) -> str:
    """Return the text of a user's unit that runs `command`."""
    return f"""\
# Written by `improviser service install`; `systemctl --user edit` changes it without losing the changes.
[Unit]
Description={description.replace("%", "%%")}
After=pipewire.service sound.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={" ".join(map(_quoted, command))}
ExecReload=/bin/kill -HUP $MAINPID
EnvironmentFile=-%E/improviser/environment
TimeoutStartSec=infinity
TimeoutStopSec=20
WatchdogSec={WATCHDOG_SECONDS}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
NoNewPrivileges=yes
UMask=0077

[Install]
WantedBy=default.target
"""


def _quoted(argument: str) -> str:
    """Write one word of a command as a unit has it: nothing in it is expanded."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if PLAIN.fullmatch(argument) else f'"{escaped}"'
