"""The page of a training run, where the command line says: open while the run lasts."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from improviser.session.page import lines_of, needs_aiohttp, open_browser, urls
from improviser.settings.checking import check
from improviser.settings.page_address import parse_page
from improviser.training.page_view import Tell


@contextmanager
def run_page(web: str | None, say: Callable[[str], None], stop: Callable[[], None]) -> Iterator[Tell | None]:
    """Serve the page while the block lasts, if it is to be anywhere; give what tells it of the run, or None.

    :param web: where, as given on the command line.
    :param say: gets the addresses.
    :param stop: is called, in another thread, when somebody asks on the page to stop the run.
    :raises ConfigError: if that is no address, or it cannot be served there.
    """
    address = None if web is None else parse_page(str(check("web", web, "--web")))
    if address is None:
        yield None
        return
    with needs_aiohttp():
        from improviser.web.access import access_of
        from improviser.web.training_site import TrainingSite
    access = access_of(address, (), None)
    site = TrainingSite(address, access, stop)
    site.open()
    try:
        for line in lines_of(address, access, site.port):
            say(line)
        if address.opens:
            asyncio.run(open_browser(urls(address, access, site.port)[0], say))
        yield site.tell
    finally:
        site.close()
