"""The recorded sessions, for a page: the list of them, and each as a page with its sound, its files and its replay.

A session is opened in a process of its own, which writes all that its page needs into a folder for the time being: to
read, draw and render it takes seconds, and the daemon has notes to pass on. Only who may play may look at recordings.
"""

import asyncio
import contextlib
import tempfile
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from improviser.engine.priority import command_behind
from improviser.recordings.files import MIDI_SUFFIX
from improviser.recordings.log import SUFFIX
from improviser.show.session_page import FOLDER_FILES, LONGEST_FOLDER_SOUND_SECONDS
from improviser.waiting import within
from improviser.web.access import Role
from improviser.web.files import KINDS
from improviser.web.messages import clean, encode

LIST = "list.json"
REPLAY = "replay"
MOST_LISTED = 200
MOST_OPEN = 3
"""Sessions that are kept open; each may take a hundred megabytes of sound."""
PATIENCE_SECONDS = 60 + LONGEST_FOLDER_SOUND_SECONDS / 10
LONGEST_LINE = 300
NICE = 10
OPEN = "improviser.show.session_folder"
OTHER_KINDS = {MIDI_SUFFIX: "audio/midi", ".wav": "audio/wav"}


class Recordings:
    """What is in a folder of recordings; `close` it at the end.

    :param folder: None if nothing is shown.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._opened: OrderedDict[str, tuple[float, tempfile.TemporaryDirectory[str]]] = OrderedDict()
        self._working = asyncio.Lock()
        """One session is opened or replayed at a time."""

    async def answer(self, request: web.Request, role: Role, path: str) -> web.StreamResponse:
        """Answer what a browser asks for below `recordings/`."""
        if role != "player":
            raise web.HTTPForbidden(text="Recordings are for who may play.\n")
        name, slash, file = path.partition("/")
        if name == LIST and not slash:
            listed = await asyncio.to_thread(self.listing)
            return web.Response(body=encode(listed), content_type="application/json", headers=UNKEPT)
        log = await asyncio.to_thread(self._find, name)
        if log is None:
            raise web.HTTPNotFound(text="There is no such recording (any more).\n")
        if not slash:
            raise web.HTTPPermanentRedirect(f"{request.path}/")
        if file == REPLAY and request.method == "POST":
            return web.Response(body=encode(await self._replay(log)), content_type="application/json", headers=UNKEPT)
        if request.method == "POST" or (file and file not in FOLDER_FILES):
            raise web.HTTPNotFound(text="There is nothing here.\n")
        return await self._serve(log, file)

    def listing(self) -> list[dict[str, Any]]:
        """Return the recordings, the newest first: name, when it began, and how many seconds were recorded, about."""
        found = []
        for name, log in sorted(self._logs().items(), reverse=True)[:MOST_LISTED]:
            with contextlib.suppress(OSError, ValueError):
                stamp = datetime.strptime(name[:25], "session-%Y-%m-%d-%H%M%S").astimezone()
                seconds = max(0.0, log.stat().st_mtime - stamp.timestamp())
                found.append({"name": clean(name), "began": stamp.isoformat(), "seconds": round(seconds)})
        return found

    def _logs(self) -> dict[str, Path]:
        if self._folder is None or not self._folder.is_dir():
            return {}
        return {log.name.removesuffix(SUFFIX): log for log in self._folder.glob(f"session-*{SUFFIX}") if log.is_file()}

    def _find(self, name: str) -> Path | None:
        return self._logs().get(name)

    async def _serve(self, log: Path, file: str) -> web.StreamResponse:
        folder = await self._open(log, anew=file in ("", FOLDER_FILES[0]))
        path = folder / (file or FOLDER_FILES[0])
        if not path.is_file():
            raise web.HTTPNotFound(text="This session has no such file.\n")
        kind = KINDS.get(path.suffix) or OTHER_KINDS[path.suffix]
        headers = dict(UNKEPT)
        if path.suffix in OTHER_KINDS:
            headers["Content-Disposition"] = f'inline; filename="{log.name.removesuffix(SUFFIX)}{path.suffix}"'
        response = web.FileResponse(path, headers=headers)
        response.content_type = kind
        return response

    async def _open(self, log: Path, *, anew: bool) -> Path:
        """Return the folder with the files of a session; what was opened before is kept for a while.

        :param anew: whether it is to be as it is now, if it was played on since; else all files are of one moment.
        """
        async with self._working:
            changed = (await asyncio.to_thread(log.stat)).st_mtime
            if log.name in self._opened:
                self._opened.move_to_end(log.name)
                written, folder = self._opened[log.name]
                if written == changed or not anew:
                    return Path(folder.name)
            folder = tempfile.TemporaryDirectory(prefix="improviser-", ignore_cleanup_errors=True)
            code, said = await run_beside(OPEN, str(log), folder.name)
            if code:
                await asyncio.to_thread(folder.cleanup)
                raise web.HTTPUnprocessableEntity(text=f"{said or 'it cannot be read'}\n")
            self._keep(log.name, changed, folder)
            return Path(folder.name)

    def _keep(self, name: str, changed: float, folder: "tempfile.TemporaryDirectory[str]") -> None:
        former = self._opened.pop(name, None)
        self._opened[name] = changed, folder
        gone = [former] if former is not None else []
        while len(self._opened) > MOST_OPEN:
            gone.append(self._opened.popitem(last=False)[1])
        for _, each in gone:
            each.cleanup()

    async def _replay(self, log: Path) -> dict[str, Any]:
        """Play a session again, from its log; return whether it is the same, note for note, and what is said of it."""
        async with self._working:
            code, said = await run_beside("improviser", "replay", str(log))
        return {"same": code == 0, "line": clean(said)}

    async def close(self) -> None:
        """Forget what is open."""
        for _, folder in self._opened.values():
            await asyncio.to_thread(folder.cleanup)
        self._opened.clear()


UNKEPT = {"Cache-Control": "no-store"}


async def run_beside(module: str, *arguments: str) -> tuple[int, str]:
    """Run a module of ours in a process of its own that makes nobody wait; return its exit code and its last line."""
    process = await asyncio.create_subprocess_exec(
        *command_behind(NICE, module, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await within(PATIENCE_SECONDS, process.communicate())
    except (TimeoutError, asyncio.CancelledError) as error:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if isinstance(error, asyncio.CancelledError):
            raise
        return 1, "it takes too long"
    lines = said.decode(errors="replace").strip().splitlines()
    return process.returncode or 0, clean(lines[-1][:LONGEST_LINE]) if lines else ""
