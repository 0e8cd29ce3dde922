"""A session's page in a real browser, without a network: its sound can be played, its roll is seen, and it fits."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from improviser.recordings.reading import read_session
from improviser.show.session_page import LONGEST_SOUND_SECONDS, session_report
from tests.servers import requires
from tests.show.test_session_page import log_of

PROBE = """<script>
const sound = document.querySelector("audio");
const tell = () => {
  const roll = document.querySelector("svg").getBoundingClientRect(), page = document.documentElement;
  document.title = "probed " + JSON.stringify({
    seconds: sound.duration, failed: sound.error !== null, roll: [roll.width, roll.height],
    page: [page.scrollWidth, page.clientWidth],
    outside: performance.getEntriesByType("resource").map(each => each.name).filter(name => !name.startsWith("data:")),
  });
};
sound.addEventListener("loadedmetadata", tell);
sound.addEventListener("error", tell);
if (sound.readyState > 0) tell();
</script>"""


def probed(page: Path, width: int) -> dict[str, object]:
    """Return what the browser says of the page, in a window of that width."""
    page.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", f"--window-size={width},800")
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [requires("chromium"), *flags, profile, "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True).stdout
    found = re.search(r"<title>probed (\{.*?\})</title>", dom)
    assert found is not None, dom[:500]
    said: dict[str, object] = json.loads(found[1].replace("&quot;", '"'))
    return said


@pytest.mark.slow
@pytest.mark.parametrize("width", [500, 1200])
def test_the_page_sounds_and_fits(width: int, tmp_path: Path) -> None:
    page = tmp_path / "session.html"
    page.write_text(session_report(read_session(log_of(tmp_path / "session.jsonl"))))
    said = probed(page, width)
    assert not said["failed"]
    seconds, roll, fits = said["seconds"], said["roll"], said["page"]
    assert isinstance(seconds, float)
    assert 2.0 < seconds < LONGEST_SOUND_SECONDS
    assert isinstance(roll, list)
    assert roll[0] > 0.8 * min(width, 832)
    assert roll[1] > 100
    assert isinstance(fits, list)
    assert fits[0] <= fits[1]
    assert said["outside"] == []
