"""Ends and freezes processes as somebody from outside does, on every system: nothing of theirs runs any more."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

MAY_SUSPEND, MAY_ASK = 0x0800, 0x1000
STILL_ACTIVE = 259


def kill(process: int) -> None:
    """End a process at once."""
    os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows ends it without a word, too


def freeze(process: int) -> None:
    """Let a process stand still, alive."""
    if sys.platform == "win32":
        _on_windows("NtSuspendProcess", process)
    else:
        os.kill(process, signal.SIGSTOP)


def thaw(process: int) -> None:
    """Let a process go on that stands still."""
    if sys.platform == "win32":
        _on_windows("NtResumeProcess", process)
    else:
        os.kill(process, signal.SIGCONT)


def is_there(process: int) -> bool:
    """Return whether a process is there, running or not; on Windows, `os.kill` would not only ask."""
    if sys.platform == "win32":
        code = ctypes.c_ulong()
        with contextlib.suppress(ProcessLookupError), _opened(process, MAY_ASK) as handle:
            _windows().kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
        return code.value == STILL_ACTIVE
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _on_windows(what: str, process: int) -> None:
    with _opened(process, MAY_SUSPEND) as handle:
        getattr(_windows().ntdll, what)(handle)


@contextlib.contextmanager
def _opened(process: int, access: int) -> Iterator[Any]:
    kernel = _windows().kernel32
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(kernel.OpenProcess(access, False, process))
    if not handle:
        raise ProcessLookupError(process)
    try:
        yield handle
    finally:
        kernel.CloseHandle(handle)


def _windows() -> Any:
    return ctypes.windll  # type: ignore[attr-defined, unused-ignore]
