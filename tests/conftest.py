"""Fixtures: an environment of the tests' own, and real JACK, mosquitto and FluidSynth for the tests that need them."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.jack_peer import JackPeer
from tests.servers import FAULT_NAMES, SHARED_NAMES, Broker, FluidSynth, JackServer, claimed, missing, requires

hypothesis.settings.register_profile("house", deadline=None, max_examples=50)  # tests never assert on wall time
hypothesis.settings.load_profile("house")

EMULATED = hasattr(sys.modules.get("sitecustomize"), "ProactorLike")
"""Whether our package is shown another system: see `tests/portable`."""
LONGEST_ID = 200
KEPT_VARIABLES = ("IMPROVISER_REQUIRE_SERVERS",)
FOLDERS = (
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"),
    *("WIN_PD_OVERRIDE_LOCAL_APPDATA", "WIN_PD_OVERRIDE_APPDATA"),  # what platformdirs heeds on Windows
)
ON_JACK = {"jack_server", "restartable_jack", "synchronous_jack"}
"""Fixtures that may start a JACK server."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the fuzzers run longer, and with other seeds."""
    fuzzers = parser.getgroup("fuzzers")
    fuzzers.addoption("--fuzz-cases", type=int, default=300, metavar="N", help="cases of each kind (300)")
    fuzzers.addoption("--fuzz-seed", type=int, default=0, metavar="S", help="what the cases are made from (0)")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Keep the names of tests short: they are put into an environment variable, and Windows has room for 32767."""
    return f"{val[:16]!r}, and so on: {len(val)}" if isinstance(val, str | bytes) and len(val) > LONGEST_ID else None


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what needs JACK in one process, however many share the tests: a container has memory for one server.

    PipeWire takes none of it: its tests have a process of their own beside that.
    """
    elsewhere = EMULATED or sys.platform == "win32"
    for item in items:
        is_unix = any(item.iter_markers(name="unix")) or any(item.iter_markers(name="jack"))
        if elsewhere and (is_unix or ON_JACK & set(getattr(item, "fixturenames", ()))):
            item.add_marker(pytest.mark.skip(reason="what it tests is Unix's alone"))
        if ON_JACK & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("jack"))
        elif item.path.parent.name == "on_jack":
            item.add_marker(pytest.mark.xdist_group("pipewire" if item.path.stem == "test_pipewire" else "jack"))


@pytest.fixture(scope="session", autouse=True)
def isolated_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the user's own settings, models, sessions and JACK server from the tests, and the tests from them."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for variable in os.environ:
            if variable.startswith("IMPROVISER_") and variable not in KEPT_VARIABLES:
                patch.delenv(variable)
        for variable in FOLDERS:
            patch.setenv(variable, str(home / variable.lower()))
        patch.setenv("TERM", "xterm-256color")  # on a dumb one there is no screen to take and give back
        patch.setenv("JACK_DEFAULT_SERVER", "improviser-no-such-server")
        patch.setenv("JACK_NO_START_SERVER", "1")
        yield


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Leave to no other test the log that a command run in this process has started."""
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def run_jack(names: tuple[str, ...], folder: Path, *, synchronous: bool) -> Iterator[JackServer]:
    """Run a JACK server for one test and make it the one that clients find."""
    if sys.platform != "linux":
        missing("the JACK servers of the tests need Linux")
    requires("jackd")
    with claimed(names) as name, pytest.MonkeyPatch.context() as patch:
        server = JackServer(name, folder, synchronous=synchronous)
        for variable, value in server.client_environment.items():
            patch.setenv(variable, value)
        server.start()
        try:
            yield server
        finally:
            server.close()


@pytest.fixture
def jack_server(tmp_path: Path) -> Iterator[JackServer]:
    """A running JACK server: synchronous, so no event is ever lost. Do not kill its clients.

    It starts in a fifth of a second. One at a time fits into the 64 MB of shared memory that containers have.
    """
    yield from run_jack(SHARED_NAMES, tmp_path, synchronous=True)


@pytest.fixture
def restartable_jack(tmp_path: Path) -> Iterator[JackServer]:
    """A running JACK server that the test may `kill`, `freeze`, `start` or `restart`, and whose clients it may kill.

    It is asynchronous, so that a killed client does not hold up the others; see `JackServer` for what that costs.
    """
    yield from run_jack(FAULT_NAMES, tmp_path, synchronous=False)


@pytest.fixture
def synchronous_jack(tmp_path: Path) -> Iterator[JackServer]:
    """A server for one test, which may kill it and its clients; it loses nothing, but a killed client holds it up."""
    requires("jackd")
    with claimed(FAULT_NAMES) as name:
        server = JackServer(name, tmp_path)
        server.start()
        yield server
        server.close()


@pytest.fixture
def jack_peer(jack_server: JackServer) -> Iterator[Callable[[str], JackPeer]]:
    """A function that opens another client of `jack_server`, by name; all are closed at the end."""
    peers: list[JackPeer] = []

    def open_peer(name: str = "peer") -> JackPeer:
        peers.append(JackPeer(jack_server.client_environment, name))
        return peers[-1]

    yield open_peer
    for peer in peers:
        peer.close()


@pytest.fixture
def fluidsynth_on_jack(jack_server: JackServer, tmp_path: Path) -> Iterator[FluidSynth]:
    """A FluidSynth on `jack_server`: MIDI in at `.midi`, sound out at `.left` and `.right`."""
    synth = FluidSynth(jack_server, tmp_path)
    synth.start()
    yield synth
    synth.stop()


@pytest.fixture(scope="session")
def mosquitto_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A mosquitto for all tests, at `.host` and `.port`; do not stop it."""
    broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def restartable_broker(tmp_path: Path) -> Iterator[Broker]:
    """A running mosquitto for one test, which may `kill`, `freeze`, `start` or `restart` it."""
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.kill()
