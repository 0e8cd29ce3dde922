"""The page and JACK together: what is pressed in a browser sounds on JACK and in the page, and the other way round."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jack_peer import JackPeer, held
from tests.playing import note_off, note_on
from tests.servers import JackServer, free_port

pytest.importorskip("aiohttp", reason="aiohttp is not installed: uv sync --extra web")
pytest.importorskip("playwright", reason="Playwright is not installed: uv sync")

from playwright.sync_api import Browser, BrowserContext, expect

from tests.web.browsing import METER, Window, browser, context, renderers, started

__all__ = ["browser", "context"]  # fixtures
pytestmark = [pytest.mark.jack, pytest.mark.slow, pytest.mark.timeout(300)]

PATIENCE_SECONDS = 60.0


def wait_until_silent(peer: JackPeer) -> None:
    """Wait until nothing sounds of what the peer has heard."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while held([received.message for received in peer.received()]):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_both_hear_each_other_and_a_lost_tab_is_silent(
    jack_server: JackServer,
    jack_peer: Callable[[str], JackPeer],
    browser: Browser,
    context: Callable[..., BrowserContext],
    tmp_path: Path,
) -> None:
    port = free_port()
    ports = ("--input", "virtual", "--output", "virtual", "--follow", "every")
    with started(tmp_path, port, *ports, environment=jack_server.client_environment):
        peer, url = jack_peer("peer"), f"http://127.0.0.1:{port}/"
        peer.connect_to(f"page-{port}")
        sounding = context()
        sounding.add_init_script(METER)
        witness = Window(sounding, url)
        expect(witness.page.locator("#plays-to")).to_contain_text("(jack)")
        witness.page.locator("#sound").click()
        expect(witness.page.locator("#sound")).to_have_text("Sound")
        peer.send(note_on(67))
        expect(witness.page.locator("[data-pitch='67'].player")).to_have_count(1)
        witness.wait_for_answer()
        witness.wait_until("window.level() > 0.005")
        peer.send(note_off(67))
        witness.wait_for_silence()
        wait_until_silent(peer)
        peer.clear()
        before = renderers(browser)
        killed = Window(context(), url)
        killed.page.keyboard.down("d")
        assert peer.wait_for(1, PATIENCE_SECONDS)[0].message[0] == 0x90
        killed.page.keyboard.up("d")
        wait_until_silent(peer)
        peer.clear()
        killed.page.keyboard.down("g")
        assert held([received.message for received in peer.wait_for(1, PATIENCE_SECONDS)])
        for process in renderers(browser) - before:
            os.kill(process, signal.SIGKILL)
        wait_until_silent(peer)
        witness.wait_for_silence()
        assert witness.faults == []
