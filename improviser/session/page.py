"""The page of a session, from its settings: opened before the session begins, and closed after its end."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from improviser.engine.bus import Bus
from improviser.engine.service import Service
from improviser.errors import ConfigError
from improviser.extras import how_to_add
from improviser.files import user_path
from improviser.recordings.midi_recording import default_folder
from improviser.recordings.recorder import Recorder
from improviser.session.recording import turn_recording
from improviser.settings.checking import check
from improviser.settings.page_address import PageAddress, parse_page
from improviser.settings.serving import ServingSettings
from improviser.waiting import within

if TYPE_CHECKING:
    from improviser.web.access import Access
    from improviser.web.server import PageServer

log = logging.getLogger("improviser")

Tell = Callable[[str], None]

PART = "the page"
VISIT_SECONDS = 20.0
ANY = ("0.0.0.0", "::")  # noqa: S104  compared with, not listened on
NOT_INSTALLED = f"--web takes aiohttp, which is not installed; {how_to_add('web')}"
ELSEWHERE = ("192.0.2.1", 9)
"""An address that documents use: what would be sent there shows which of our addresses others reach."""


@contextlib.contextmanager
def needs_aiohttp() -> Iterator[None]:
    """Import in the block what needs aiohttp.

    :raises ConfigError: if it is not installed.
    """
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "aiohttp":
            raise
        raise ConfigError(NOT_INSTALLED) from None


class SessionPage:
    """Serves the page while a block lasts, where the setting `web` says; does nothing if that is nowhere.

    It is open within `taking`; `run` is to go on beside the session.

    :param recorder: what a page may start and stop, if there is one.
    :param tell: gets the address, and the audience's.
    :param covered: whether a display covers what was told on a terminal, so that the log is to hold the address again.
    """

    def __init__(
        self, settings: ServingSettings, recorder: Recorder | None, tell: Tell, *, covered: bool = False
    ) -> None:
        self._settings = settings
        self._recorder = recorder
        self._tell = tell
        self._covered = covered and sys.stdout.isatty()
        self._server: PageServer | None = None
        self._lines: list[str] = []

    @contextlib.asynccontextmanager
    async def taking(self, bus: Bus) -> AsyncIterator[None]:
        """Keep the page open while the block lasts, and let it take the events of `bus`.

        :raises ConfigError: if it cannot be served.
        """
        try:
            await self._open(bus)
            yield
        finally:
            if self._server is not None:
                await self._server.close()

    async def _open(self, bus: Bus) -> None:
        settings = self._settings
        address = parse_page(settings.web)
        if address is None:
            return
        with needs_aiohttp():
            from improviser.web.access import access_of, read_tokens
            from improviser.web.page_requests import Recording
            from improviser.web.server import PageServer
        file = settings.web_token_file
        access = access_of(address, settings.web_hosts, None if file is None else read_tokens(user_path(file)))
        recording = Recording(folder=default_folder())
        if (recorder := self._recorder) is not None:
            turn = partial(_turn, recorder)
            recording = Recording(lambda: recorder.on, turn, recorder.folder)
        self._server = server = PageServer(address, access, recording)
        await server.open()
        bus.subscribe_slow(PART, server.take)
        self._lines = lines_of(address, access, server.port)
        for line in self._lines:
            self._tell(line)
        if address.opens:
            await open_browser(urls(address, access, server.port)[0], self._tell)

    async def run(self, service: Service) -> None:
        """Serve a session until cancelled."""
        if self._server is not None:
            await service.opened()
            if self._covered:
                log.info("%s", self._lines[0])
            await self._server.run(service)

    async def visited(self) -> None:
        """Wait until a first page has come, though not for long; not at all if none is served."""
        if self._server is not None:
            self._tell(f"it begins as soon as the page is open, or in {VISIT_SECONDS:g} s")
            with contextlib.suppress(TimeoutError):
                await within(VISIT_SECONDS, self._server.arrived.wait())


def _turn(recorder: Recorder, service: Service, on: bool) -> str:
    return turn_recording(service, recorder, on=on)


def page_alone(web: str | None, tell: Tell, *, covered: bool = False) -> SessionPage:
    """Return the page of a session that has no settings but `web`, as given on the command line.

    :raises ConfigError: if that is no address.
    """
    serving = ServingSettings() if web is None else ServingSettings(web=check("web", web, "--web"))
    return SessionPage(serving, None, tell, covered=covered)


def urls(address: PageAddress, access: "Access", port: int) -> tuple[str, str]:
    """Return where to look: the address for who plays, and that of the audience."""
    host = _reachable() if address.host in ANY else address.host
    site = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    return f"{site}{access.player}/" if access.player else site, f"{site}{access.audience}/"


def lines_of(address: PageAddress, access: "Access", port: int) -> list[str]:
    """Return what a user is told of the page."""
    own, audience = urls(address, access, port)
    lines = [f"the page: {own}", f"for an audience (watch and listen): {audience}"]
    if not address.is_loopback:
        lines.append("who has the first address can play and steer; nothing is encrypted (plain HTTP)")
    return lines


def _reachable() -> str:
    """Return the address of this machine that others reach; nothing is sent for that."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(ELSEWHERE)
        return str(probe.getsockname()[0])
    return socket.gethostname()


async def open_browser(url: str, tell: Tell) -> None:
    """Open a browser, if there is one with a screen."""
    has_screen = sys.platform in ("win32", "darwin") or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())
    if not has_screen or not await asyncio.to_thread(_opened, url):
        tell("no browser could be opened here: open the address in one yourself")


def _opened(url: str) -> bool:
    with contextlib.suppress(webbrowser.Error, OSError):
        return webbrowser.open(url)
    return False
