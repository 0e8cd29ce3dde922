"""Shows our package a system without what only Unix has; with this folder on PYTHONPATH it holds for every Python.

As on Windows with Python 3.11: no fcntl, termios, JACK, Unix sockets, pseudo-terminals, nameless memory, or pipes that
do not wait; an event loop that watches no sockets and handles no signals; and memory with tags, a console, locks of
msvcrt's, a MIDI system with a keyboard and a synthesiser. Only what `improviser` imports is changed: the standard
library, and all others, go on as they are, but that no file is deleted or replaced that this process has open.
"""

import asyncio
import builtins
import mmap
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

PLAYED = "STUB_RTMIDI_PLAYED"
"""An environment variable: the file that gets what is sent to the synthesiser, a line of hexadecimal a message."""
KEYBOARD, SYNTHESISER = "Keystation 49 0", "Microsoft GS Wavetable Synth 0"
TUNE = (60, 64, 67, 72)
HOLD_SECONDS = 0.05

HIDDEN_MODULES = {"fcntl", "grp", "jack", "pty", "pwd", "resource", "rtmidi2", "termios", "tty"}
HIDDEN_NAMES = {
    "asyncio": {"open_unix_connection", "start_unix_server"},
    "os": {
        "getpgrp",
        "getuid",
        "memfd_create",
        "mkfifo",
        "openpty",
        "sched_getscheduler",
        "sched_setscheduler",
        "set_blocking",
        "setpriority",
        "tcgetpgrp",
    },
    "socket": {"AF_UNIX"},
    "signal": {"SIGHUP", "pthread_sigmask"},
}
CHANGED: dict[str, dict[str, Any]] = {"os": {"name": "nt"}, "sys": {"platform": "win32"}}
import_as_ever = builtins.__import__


class Reduced(ModuleType):
    """A module without some of its names; everything else is the module's own, whatever becomes of it."""

    def __init__(self, module: ModuleType, hidden: set[str], others: dict[str, Any]) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(_module=module, _hidden=hidden, _others=others)

    def __getattr__(self, name: str) -> Any:
        """Return what the module has of this name, if it is not hidden."""
        if name in self._others:
            return self._others[name]
        if name in self._hidden:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._module, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set it in the module itself."""
        setattr(self._module, name, value)

    def __delattr__(self, name: str) -> None:
        """Delete it from the module itself."""
        delattr(self._module, name)


class ProactorLike(asyncio.SelectorEventLoop):
    """A loop that starts processes, and watches no sockets or signals for others."""

    def _no(self, *_: object, **__: object) -> NoReturn:
        raise NotImplementedError

    def remove_writer(self, fd: Any) -> bool:
        """Refuse all but asyncio itself, which calls this one where it connects a socket."""
        if sys._getframe(1).f_globals.get("__name__") != "asyncio.selector_events":
            raise NotImplementedError
        return super().remove_writer(fd)

    add_reader = remove_reader = add_writer = _no
    add_signal_handler = remove_signal_handler = create_unix_server = create_unix_connection = _no


really_unlink = os.unlink


class TaggedMap(mmap.mmap):
    """Memory that processes share by a tag."""

    def __new__(cls, fileno: int, length: int, tagname: str | None = None, **options: Any) -> "TaggedMap":
        """Return the memory of a tag, from a file that stands in for it."""
        if tagname is None:
            return super().__new__(cls, fileno, length, **options)
        path = Path(tempfile.gettempdir()) / f"stand-in-for-{tagname}"
        is_there = path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.truncate(descriptor, length)
            shared = super().__new__(cls, descriptor, length)
        finally:
            os.close(descriptor)
        if is_there:  # both sides have it now
            really_unlink(path)
        return shared


def refusing(act: Callable[..., None], *, files: int) -> Callable[..., None]:
    """Return what does as `act` does, but refuses if one of its first `files` arguments is a file that is open here."""

    def do(*arguments: Any, **options: Any) -> None:
        wanted = {os.path.realpath(each) for each in arguments[:files] if isinstance(each, str | os.PathLike)}
        for descriptor in Path("/proc/self/fd").iterdir():
            try:
                is_open = str(descriptor.readlink()) in wanted
            except OSError:  # it was that of the listing
                continue
            if is_open:
                raise PermissionError(13, "The process cannot access the file because it is being used", arguments[0])
        act(*arguments, **options)

    return do


ACTS = {"unlink": 1, "remove": 1, "rename": 2, "replace": 2}
"""What Windows does to no file that is open, and how many files each takes."""
CHANGED["mmap"] = {"mmap": TaggedMap}


def lock(descriptor: int, mode: int, count: int) -> None:
    """Lock as `msvcrt.locking` does."""
    import fcntl  # which is not there where the names of this file are wanted on Windows

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PermissionError(13, "Permission denied") from None


def stand_in(name: str, **members: Any) -> ModuleType:
    """Return a module with these members."""
    module = ModuleType(name)
    module.__dict__.update(members)
    return module


class MidiPort:
    """A port of the stand-in for RtMidi: a keyboard that plays a tune, or a synthesiser that keeps what it gets."""

    def __init__(self, api: int, name: str) -> None:
        self.name = name
        self.ended = threading.Event()

    def close_port(self) -> None:
        """Close it."""

    def delete(self) -> None:
        """Let go of it."""

    def open_port(self, number: int, name: str) -> None:
        """Open it."""

    def open_virtual_port(self, name: str) -> NoReturn:
        """Fail, as on Windows."""
        raise NotImplementedError(name)


class MidiIn(MidiPort):
    """The keyboard."""

    def get_ports(self, encoding: None) -> list[bytes]:
        """Return its name."""
        return [KEYBOARD.encode()]

    def set_callback(self, hear: Callable[[tuple[list[int], float], object], None]) -> None:
        """Play the tune again and again."""
        threading.Thread(target=self._play, args=(hear,), daemon=True).start()

    def _play(self, hear: Callable[[tuple[list[int], float], object], None]) -> None:
        while not self.ended.is_set():
            for pitch in TUNE:
                for status, velocity in ((0x90, 80), (0x80, 64)):
                    hear(([status, pitch, velocity], 0.0), None)
                    time.sleep(HOLD_SECONDS)

    def cancel_callback(self) -> None:
        """Play no more."""
        self.ended.set()

    def ignore_types(self, *, sysex: bool, timing: bool, active_sense: bool) -> None:
        """Play none of these anyway."""


class MidiOut(MidiPort):
    """The synthesiser."""

    def get_ports(self, encoding: None) -> list[bytes]:
        """Return its name."""
        return [SYNTHESISER.encode()]

    def send_message(self, message: bytes) -> None:
        """Write the message down."""
        if PLAYED in os.environ:
            with Path(os.environ[PLAYED]).open("a", encoding="ascii") as file:
                file.write(f"{bytes(message).hex()}\n")


API_WINDOWS_MM = 4
STAND_INS = {
    "msvcrt": stand_in("msvcrt", LK_NBLCK=2, locking=lock, kbhit=lambda: False, getwch=str),
    "rtmidi": stand_in(
        "rtmidi",
        API_LINUX_ALSA=2,
        API_MACOSX_CORE=1,
        API_UNIX_JACK=3,
        API_WINDOWS_MM=API_WINDOWS_MM,
        MidiIn=MidiIn,
        MidiOut=MidiOut,
        RtMidiError=OSError,
        get_compiled_api=lambda: [API_WINDOWS_MM],
    ),
}
REDUCED = {
    module.__name__: Reduced(module, HIDDEN_NAMES.get(module.__name__, set()), CHANGED.get(module.__name__, {}))
    for module in (asyncio, mmap, os, signal, socket, sys)
}


def import_without(
    name: str,
    globals: Any = None,  # noqa: A002  so they are called
    locals: Any = None,  # noqa: A002
    fromlist: Any = (),
    level: int = 0,
) -> ModuleType:
    """Import as ever, but for our package what it would find elsewhere."""
    importer = globals or {}
    if "improviser" in {str(importer.get(each)).partition(".")[0] for each in ("__name__", "__package__")}:
        if name.partition(".")[0] in STAND_INS:
            return STAND_INS[name]
        if name.partition(".")[0] in HIDDEN_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        found = import_as_ever(name, globals, locals, fromlist, level)
        return REDUCED.get(found.__name__, found) if found.__name__ == name.partition(".")[0] else found
    return import_as_ever(name, globals, locals, fromlist, level)


if __name__ == "sitecustomize":  # and not where a test only wants its names
    builtins.__import__ = import_without
    for act, count in ACTS.items():
        setattr(os, act, refusing(getattr(os, act), files=count))
    policy: Any = type(asyncio.get_event_loop_policy())
    policy._loop_factory = ProactorLike
