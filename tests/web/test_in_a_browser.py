"""The page in a real browser, and a real `improviser play` behind it: keys are answered, and a lost tab is silent.

Headless Chromium of the distribution, driven by Playwright; no network, and nothing from elsewhere.
"""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.melodies import write_melody
from tests.playing import Player
from tests.servers import free_port, missing, requires

pytest.importorskip("aiohttp", reason="aiohttp is not installed: uv sync --extra web")
pytest.importorskip("playwright", reason="Playwright is not installed: uv sync")

from playwright.sync_api import Browser, BrowserContext, expect

from tests.web.browsing import METER, PATIENCE, Window, browser, context, renderers, started

__all__ = ["browser", "context"]  # fixtures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Player]]:
    """A session with its page, for all tests that leave it as it is; its address, and its process."""
    folder, port = tmp_path_factory.mktemp("session"), free_port()
    with started(folder, port) as player:
        yield f"http://127.0.0.1:{port}/", player


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
    one.page.locator("#good").click()
    expect(one.page.locator("#news")).to_contain_text("Play more like the last phrase")
    one.page.locator("#forget").click()
    expect(one.page.locator("#news")).to_contain_text("Forget all votes")
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
    assert not two.page.locator("#good").is_visible()
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
    page.add_init_script(METER)
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


MIDI = """
const input = { id: "keys", name: "Stub Keys", state: "connected", onmidimessage: null };
const access = { inputs: new Map([["keys", input]]), onstatechange: null };
navigator.requestMIDIAccess = async () => access;
window.midi = (...data) => input.onmidimessage({ data: Uint8Array.from(data) });
window.unplug = () => { input.state = "disconnected"; access.onstatechange(); };
"""


def test_a_midi_keyboard_at_the_browser_is_heard_and_let_go_when_it_is_unplugged(
    site: tuple[str, Player], context: Callable[..., BrowserContext]
) -> None:
    url, _ = site
    keys = context()
    keys.add_init_script(MIDI)
    one, two = Window(keys, url), Window(context(), url)
    expect(one.page.locator("#midi")).to_have_text("MIDI keyboard: Stub Keys")
    one.page.evaluate("midi(0xb0, 64, 127); midi(0x93, 60, 90); midi(0x90, 64, 90)")
    expect(two.page.locator(".key.player")).to_have_count(2)
    one.page.evaluate("midi(0x93, 60, 0); midi(0x80, 64, 20); midi(0xf8)")  # note-offs of both kinds; a clock is none
    two.wait_for_silence()
    one.page.evaluate("midi(0x90, 67, 90)")
    expect(two.key(67)).to_have_class(re.compile("player"))
    one.page.evaluate("unplug()")
    two.wait_for_silence()
    expect(one.page.locator("#midi")).to_have_text("")
    assert (one.faults, two.faults) == ([], [])


def test_a_recorded_session_is_opened_heard_and_replayed_and_after_a_restart_the_page_comes_back_by_itself(
    context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with started(tmp_path, port) as first:
        one = Window(context(), url)
        one.page.keyboard.down("a")
        one.wait_for_answer()
        one.page.keyboard.up("a")
        one.wait_for_silence()
        deadline = time.monotonic() + PATIENCE / 1000
        while not [*tmp_path.glob("kept/*.jsonl")]:
            assert time.monotonic() < deadline
            one.page.wait_for_timeout(50)
        other = Window(context(), url)
        _look_at_the_recording(other)
        assert first.leave(signal.SIGTERM) == 0
        expect(one.page.locator("#status")).to_contain_text("the session has ended")
    with started(tmp_path, port):
        expect(one.page.locator("#status")).to_contain_text("play:")
        one.page.keyboard.down("a")
        one.wait_for_answer()
        one.page.keyboard.up("a")
        one.wait_for_silence()
    assert (other.faults, one.outside, other.outside) == ([], [], [])


def _look_at_the_recording(window: Window) -> None:
    """Open the one recorded session from the page, hear it, keep its file, and have it replayed."""
    window.page.locator("#recordings").click()
    window.page.locator("#recordings a").click()
    window.wait_until("document.querySelector('audio')?.duration > 0.1")
    window.wait_until("document.querySelector('img').naturalWidth > 100")
    expect(window.page.locator("dl").first).to_contain_text("notes of the player")
    with window.page.expect_download() as loading:
        window.page.get_by_text("MIDI file").click()
    assert Path(loading.value.path()).read_bytes()[:4] == b"MThd"
    window.page.locator("#replay").click()
    expect(window.page.locator("#replayed")).to_contain_text("the same: ")


def test_a_training_is_watched_heard_and_stopped(context: Callable[..., BrowserContext], tmp_path: Path) -> None:
    port, tune = free_port(), tmp_path / "tune.mid"
    write_melody(tune)
    command = [sys.executable, "-m", "improviser", "train", str(tune), "--task", "echo", "--population", "20"]
    options = ["--minutes", "60", "--output", str(tmp_path / "mine.safetensors"), "--web", str(port)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        try:
            assert any(line.startswith("the page: http") for line in training.stdout)
            window = Window(context(800), f"http://127.0.0.1:{port}/", ready="#status", says="breeding")
            window.wait_until("Number(document.querySelector('#generation').textContent) > 2")
            expect(window.page.locator("#diversity")).to_contain_text("%")
            expect(window.page.locator("#notes")).to_contain_text(re.compile(r"[A-G].?\d"))
            blank = "document.createElement('canvas').toDataURL()"
            window.wait_until(f"document.querySelector('#curve').toDataURL() !== {blank}")
            window.page.locator("#listen").click()
            expect(window.page.locator("#listen")).to_have_text("Silence")
            window.page.locator("#stop").click()
            expect(window.page.locator("#status")).to_contain_text("saved as mine.safetensors")
            training.communicate(timeout=PATIENCE / 1000)
        finally:
            training.kill()
    assert training.returncode == 0
    assert [fault for fault in window.faults if "WebSocket" not in fault] == []  # it looks whether another run begins


def test_a_browser_is_there_to_test_in() -> None:
    if importlib.util.find_spec("playwright") is None:
        missing("Playwright is not installed: uv sync")
    requires("chromium")
