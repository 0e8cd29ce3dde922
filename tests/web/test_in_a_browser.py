"""The page in a real browser, and a real `improviser play` behind it: keys are answered, and a lost tab is silent.

Headless Chromium of the distribution, driven by Playwright; no network, and nothing from elsewhere.
"""

import importlib.util
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playing import Player
from tests.servers import free_port, missing, requires

pytest.importorskip("aiohttp", reason="aiohttp is not installed: uv sync --extra web")
pytest.importorskip("playwright", reason="Playwright is not installed: uv sync")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=user-gesture-required",
)
PATIENCE = 20_000.0
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests."""
    executable = requires("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=[*FLAGS])
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Player]]:
    """A session with its page, for all tests that leave it as it is; its address, and its process."""
    folder, port = tmp_path_factory.mktemp("session"), free_port()
    with started(folder, port) as player:
        yield f"http://127.0.0.1:{port}/", player


def started(folder: Path, port: int, *options: str) -> Player:
    name, kept = f"page-{port}", str(folder / "kept")
    player = Player({}, folder / "said", "--web", str(port), "--name", name, "--no-display", "--record", kept, *options)
    player.wait_for("playing on")
    return player


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

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.faults: list[str] = []
        self.outside: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda asked: None if asked.url.startswith(url) else self.outside.append(asked.url))
        self.page.goto(url)
        expect(self.page.locator("#pages")).to_contain_text("to play")

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


def test_keys_typed_and_touched_are_heard_answered_and_let_go(
    site: tuple[str, Player], context: Callable[..., BrowserContext]
) -> None:
    url, _ = site
    one, two = Window(context(), url), Window(context(), url)
    one.page.keyboard.down("a")
    one.wait_for_answer()
    two.wait_for_answer()  # what one page plays is seen on the other
    expect(two.key(60)).to_have_class(re.compile("player"))
    expect(two.key(60)).to_have_attribute("aria-label", re.compile("C4, you"))
    expect(one.page.locator("#own-latency")).to_contain_text("median of 1")
    one.page.keyboard.up("a")
    two.wait_for_silence()
    one.key(64).hover(position={"x": 8, "y": 120})
    one.page.mouse.down()
    two.wait_for_answer()
    box = one.key(67).bounding_box()
    assert box is not None
    one.page.mouse.move(box["x"] + 8, box["y"] + box["height"] - 10)  # along the keys, still pressed
    expect(two.key(67)).to_have_class(re.compile("player"))
    expect(two.key(64)).not_to_have_class(re.compile("player"))
    one.page.mouse.up()
    two.wait_for_silence()
    one.key(62).focus()
    one.page.keyboard.press("ArrowRight")
    one.page.keyboard.down("Enter")
    expect(two.key(63)).to_have_class(re.compile("player"))
    one.page.keyboard.press("Tab")  # the key that was pressed is not there any more to come up
    two.wait_for_silence()
    one.page.keyboard.up("Enter")
    assert (one.faults, two.faults, one.outside) == ([], [], [])


def test_fingers_play_several_keys_at_a_time(site: tuple[str, Player], context: Callable[..., BrowserContext]) -> None:
    url, _ = site
    phone = context(360, 780, has_touch=True, is_mobile=True)
    window = Window(phone, url)
    touches = [window.key(pitch).bounding_box() for pitch in (60, 64, 67)]
    points = [
        {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] - 12, "id": number}
        for number, box in enumerate(touches)
        if box is not None
    ]
    fingers = phone.new_cdp_session(window.page)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    expect(window.page.locator(".key.player")).to_have_count(3)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": points[:1]})
    expect(window.page.locator(".key.player")).to_have_count(2)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    window.wait_for_silence()
    assert window.faults == []


def test_a_tab_that_is_killed_with_keys_held_leaves_silence(
    site: tuple[str, Player], browser: Browser, context: Callable[..., BrowserContext]
) -> None:
    url, _ = site
    witness = Window(context(), url)
    before = renderers(browser)
    killed = Window(context(), url)
    killed.page.keyboard.down("d")
    killed.page.keyboard.down("g")
    expect(witness.page.locator(".key.player")).to_have_count(2)
    for process in renderers(browser) - before:
        os.kill(process, signal.SIGKILL)
    witness.wait_for_silence()
    assert witness.faults == []


def renderers(browser: Browser) -> set[int]:
    """Return the process ids of the browser's tabs, and of one that it keeps for the next."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return {process["id"] for process in processes if process["type"] == "renderer"}


def test_what_is_turned_on_one_page_moves_on_the_other_and_what_is_refused_says_why(
    site: tuple[str, Player], context: Callable[..., BrowserContext]
) -> None:
    url, _ = site
    one, two = Window(context(), url), Window(context(), f"{url}audience/")
    one.page.locator("#parameter-temperature").fill("1.5")
    expect(two.page.locator("#parameter-temperature")).to_have_value("1.5")
    one.page.locator("#parameter-mode").select_option("mute")
    expect(two.page.locator("#parameter-mode")).to_have_value("mute")
    one.page.locator("#parameter-mode").select_option("shadow")
    expect(two.page.locator("#parameter-mode")).to_have_value("shadow")
    one.page.locator("#parameter-thru").check()
    expect(two.page.locator("#parameter-thru")).to_be_checked()
    one.page.locator("#parameter-thru").uncheck()
    one.page.locator("#parameter-high").fill("50")
    one.page.locator("#parameter-low").fill("60")
    expect(one.page.locator("#parameter-low-refusal")).to_contain_text("low must not be above high")
    expect(one.page.locator("#parameter-low")).to_have_value("0")
    one.page.locator("#parameter-high").fill("127")
    one.page.get_by_label("bach-tenor").check()
    expect(two.page.get_by_label("bach-tenor")).to_be_checked()
    one.page.get_by_label("bach-tenor").uncheck()
    expect(two.page.get_by_label("bach-tenor")).not_to_be_checked()
    assert two.page.locator("#parameter-temperature").is_disabled()
    assert not two.page.locator("#panic").is_visible()
    expect(one.page.locator("#record")).to_have_attribute("aria-pressed", "true")
    one.page.locator("#record").click()
    expect(one.page.locator("#news")).to_contain_text("recording ended")
    expect(one.page.locator("#record")).to_have_attribute("aria-pressed", "false")
    one.page.locator("#record").click()
    expect(one.page.locator("#record")).to_have_attribute("aria-pressed", "true")
    assert (one.faults, two.faults, two.outside) == ([], [], [])


def test_the_sound_begins_at_the_first_press_and_has_a_level(
    site: tuple[str, Player], context: Callable[..., BrowserContext]
) -> None:
    url, _ = site
    page = context()
    page.add_init_script(
        """
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
    )
    window = Window(page, url)
    expect(window.page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    window.page.locator("#volume-player").focus()
    window.page.keyboard.press("ArrowRight")
    expect(window.page.locator("#sound")).to_have_attribute("aria-pressed", "true")
    expect(window.page.locator("#sound")).to_have_text("Sound")
    expect(window.page.locator("#delay")).to_contain_text("ms in the browser")
    window.page.keyboard.down("a")
    window.wait_until("window.level() > 0.005")
    window.page.keyboard.up("a")
    window.wait_until("window.level() < 0.0005")
    window.page.locator("#sound").click()
    expect(window.page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    assert window.faults == []


def test_it_fits_every_width_in_light_and_dark_and_is_named_for_who_cannot_see_it(
    site: tuple[str, Player], context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    url, _ = site
    grounds = set()
    window = Window(context(), url)
    for scheme in ("light", "dark"):
        window.page.emulate_media(color_scheme=scheme)
        for width in (320, 360, 800, 1400):
            window.page.set_viewport_size({"width": width, "height": 800})
            window.wait_until(f"document.documentElement.scrollWidth <= innerWidth && innerWidth === {width}")
            assert window.page.locator(".key").count() >= 14
            grounds.add(window.page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert window.page.evaluate("document.querySelectorAll('.key[tabindex=\"0\"]').length") == 1
            window.page.screenshot(path=tmp_path / f"{scheme}-{width}.png")
    nameless = window.page.evaluate(
        """[...document.querySelectorAll("button, input, select, summary, canvas, output")].filter(each =>
          !(each.getAttribute("aria-label") || each.labels?.length || each.textContent.trim())
        ).map(each => each.outerHTML)"""
    )
    assert nameless == []
    assert window.faults == []
    assert len(grounds) == 2


def test_after_a_restart_the_page_comes_back_by_itself(context: Callable[..., BrowserContext], tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with started(tmp_path, port) as first:
        window = Window(context(), url)
        assert first.leave(signal.SIGTERM) == 0
        expect(window.page.locator("#status")).to_contain_text("the session has ended")
    with started(tmp_path, port):
        expect(window.page.locator("#status")).to_contain_text("play:")
        window.page.keyboard.down("a")
        window.wait_for_answer()
        window.page.keyboard.up("a")
        window.wait_for_silence()


def test_a_browser_is_there_to_test_in() -> None:
    if importlib.util.find_spec("playwright") is None:
        missing("Playwright is not installed: uv sync")
    requires("chromium")
