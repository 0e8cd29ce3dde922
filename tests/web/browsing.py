"""A real browser for tests: headless Chromium of the distribution, driven by Playwright; without a network."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed: uv sync")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.playing import Player
from tests.servers import requires

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=user-gesture-required",
)
PATIENCE = 30_000.0
expect.set_options(timeout=PATIENCE)  # without it, five seconds: too few where two cores do everything
METER = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    window.meter = new AnalyserNode(this.context, { fftSize: 32768 });
    connect.call(this, window.meter);
  }
  return connect.call(this, to, ...rest);
};
window.level = () => {
  const samples = new Float32Array(window.meter.fftSize);
  window.meter.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length);
};
"""
"""Gives a page `level()`: how loud it is."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests."""
    executable = requires("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=[*FLAGS])
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A function that opens a browser's window of some size and colours."""
    contexts: list[BrowserContext] = []

    def open_context(width: int = 1400, height: int = 900, **settings: Any) -> BrowserContext:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **settings))
        contexts[-1].set_default_timeout(PATIENCE)
        return contexts[-1]

    yield open_context
    for each in contexts:
        each.close()


class Window:
    """A page, and all that went wrong in it."""

    def __init__(self, context: BrowserContext, url: str, ready: str = "#pages", says: str = "to play") -> None:
        self.faults: list[str] = []
        self.outside: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda asked: None if asked.url.startswith(url) else self.outside.append(asked.url))
        self.page.goto(url)
        expect(self.page.locator(ready)).to_contain_text(says)

    def key(self, pitch: int) -> Any:
        return self.page.locator(f"[data-pitch='{pitch}']")

    def wait_for_answer(self) -> None:
        """Wait until a key sounds that the improviser plays."""
        expect(self.page.locator("#answers li").first).to_contain_text("→")
        expect(self.page.locator(".key.improviser")).to_have_count(1)

    def wait_until(self, holds: str) -> None:
        """Wait until something holds in the page; the page's own policy forbids it to look for that by itself."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(holds):
            assert time.monotonic() < deadline, holds
            self.page.wait_for_timeout(20)

    def wait_for_silence(self) -> None:
        expect(self.page.locator(".key.player, .key.improviser")).to_have_count(0)


def started(folder: Path, port: int, *options: str, environment: Mapping[str, str] = MappingProxyType({})) -> Player:
    """Start a session with its page."""
    name, kept = f"page-{port}", str(folder / "kept")
    player = Player(
        environment, folder / "said", "--web", str(port), "--name", name, "--no-display", "--record", kept, *options
    )
    try:
        player.wait_for("playing on", timeout=60)
    except BaseException:
        player.process.kill()
        player.process.wait()
        raise
    return player


def renderers(browser: Browser) -> set[int]:
    """Return the process ids of the browser's tabs, and of one that it keeps for the next."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return {process["id"] for process in processes if process["type"] == "renderer"}
