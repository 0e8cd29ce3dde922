"""The README is run: every block as it stands there, in a sandbox with the parts that it needs, and what it promises.

`BLOCKS` is the table: the first line of each block; what must be there (methods of `Sandbox`); how the lines go that do
not end by themselves; what must be so afterwards. A block that is missing in it fails, as does one too many.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.playing import note_off, note_on
from tests.readme.blocks import Block, blocks
from tests.readme.sandbox import PARTS_ON_JACK, Sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="its servers, its shell and systemd are Linux's")

INTERRUPTED = 130
CI = Path(__file__).parents[2] / ".ci" / "run"

Promise = Callable[[Sandbox, str], object]


@dataclass(frozen=True)
class Way:
    """How a line goes that does not end by itself: what it says, and then a Ctrl-C, keys, or nothing: it goes on.

    :param port: the JACK port that it opens, if it says nothing.
    """

    says: str = ""
    keys: bytes = b""
    goes_on: bool = False
    port: str = ""


@dataclass(frozen=True)
class Run:
    """A row of the table; with `at_once` the block is one script, else each line is typed when the last has ended."""

    needs: tuple[str, ...] = ()
    ways: Mapping[str, Way] = field(default_factory=dict)
    then: Promise = lambda _, __: None
    at_once: bool = False


def on_jack(hears: str, plays_to: str) -> Way:
    """A session that is ended when it has said this."""
    return Way(f"playing on jack: hears {hears}, plays to {plays_to} ".replace("improviser", "virtual port improviser"))


def wrote(*names: str) -> Promise:
    """Files that are there."""
    return lambda sandbox, _: [(sandbox.folder / name).stat() for name in names]


def said(*phrases: str) -> Promise:
    """What is printed."""

    def check(_: Sandbox, printed: str) -> None:
        assert [phrase for phrase in phrases if phrase not in printed] == [], printed

    return check


def both(one: Promise, other: Promise) -> Promise:
    """Keep two promises."""
    return lambda sandbox, printed: (one(sandbox, printed), other(sandbox, printed))


def ardour_is_connected(sandbox: Sandbox, _: str) -> None:
    """Its tracks play to the session, and record it."""
    peer = sandbox.port("looker")
    assert peer.connections("ardour:Keyboard/midi_out 1") == ["improviser:in"]
    assert peer.connections("ardour:Answers/midi_in 1") == ["improviser:out"]


def becomes(**wanted: object) -> Promise:
    """What the session says of itself over MQTT."""

    def check(sandbox: Sandbox, _: str) -> None:
        topic = "improviser/improviser/state"
        sandbox.subscribed(topic).wait_for(topic, lambda heard: wanted.items() <= heard.json.items())

    return check


def knobs_turn(sandbox: Sandbox, _: str) -> None:
    """A session that begins now obeys them: the one on its channel, the other on any."""
    sandbox.playing()
    keyboard = sandbox.port("keyboard")
    keyboard.connect(keyboard.output, keyboard.wait_for_port("improviser", ":in"))
    keyboard.send((0xB0, 21, 127), (0xB4, 21, 0), (0xB4, 22, 127))
    wanted = {"temperature": 4.0, "mode": "mute"}
    sandbox.wait_until(
        lambda: wanted.items() <= json.loads(sandbox.run("improviser status --json")).items(), f"{wanted}"
    )


def right_answers_left(sandbox: Sandbox, _: str) -> None:
    """A note that is played to one is answered by it, and its answer by the other."""
    player, listener = sandbox.port("player"), sandbox.port("listener")
    player.connect(player.output, player.wait_for_port("left", ":in"))
    listener.connect(listener.wait_for_port("right", ":out"), listener.input)
    player.play([(0.0, note_on(72)), (0.3, note_off(72))])
    assert [message.message[0] for message in listener.wait_for(2)] == [0x90, 0x80]


SONG = "file song.mid"
TO_A_BROKER = "improviser play --name {} --mqtt mqtt://broker.local {}"

BLOCKS: Mapping[str, Run | str] = {
    # Quick start: these build an environment of their own, from the network. Continuous integration does.
    'python3 -m venv venv && . venv/bin/activate && pip install ".[web]" && improviser demo': "quick_start 1",
    "improviser demo --web open": Run(("web",), {"improviser demo": Way("the page: http://127.0.0.1:")}),
    "python3 -m venv .uv && .uv/bin/pip install uv && .uv/bin/uv run pytest": "quick_start 2",
    # In a browser
    "improviser demo --web": Run(
        ("web",), {"improviser demo": Way("the page: http://127.0.0.1:"), "improviser play": Way("playing on ")}
    ),
    "improviser play --web 0.0.0.0:6434": Run(("web",), {"improviser play": Way("audience [^:]*: http://[^/]*/")}),
    # Play
    "improviser play": Run(("jack",), {"improviser play": on_jack("improviser:in", "improviser:out")}),
    "improviser play --input nanoKEY --output FLUID": Run(
        ("port nanoKEY", "port FLUID"),
        {
            "improviser play --input nanoKEY --input": on_jack("nanoKEY-out:out, improviser:in_2", "FLUID-in:in"),
            "improviser play --input nanoKEY": on_jack("nanoKEY-out:out", "FLUID-in:in"),
            "improviser play --input virtual": on_jack("improviser:in", "improviser:out"),
        },
    ),
    "[controls]": Run(
        ("jack",), then=both(said("controls = {temperature = {control = 21, channel = 1}, mode = 22}"), knobs_turn)
    ),
    "improviser replay session.jsonl again.mid": Run(
        ("log session.jsonl",), then=both(said("the same: 16 messages heard", "inside the engine"), wrote("again.mid"))
    ),
    # A keyboard and a synthesiser
    "fluidsynth -i -s -a jack -m jack -o synth.gain=1 /usr/share/sounds/sf2/TimGM6mb.sf2 &": Run(
        ("fluidsynth",),
        {
            "fluidsynth": Way(goes_on=True, port="midi_00"),
            "improviser play": on_jack("improviser:in", "fluidsynth[^ ]*:midi_00"),
        },
    ),
    # In a DAW
    'jack_connect "ardour:Keyboard/midi_out 1" improviser:in': Run(
        ("ardour", "playing --input virtual --output virtual"), then=ardour_is_connected
    ),
    # Train
    "improviser train song.mid --task echo --output song.safetensors": Run(
        (SONG, "jack"),
        {"improviser play": on_jack("improviser:in", "improviser:out")},
        both(said("60 notes answered", "(shadow, song.safetensors)"), wrote("song.safetensors", "out.mid")),
    ),
    "improviser train bach-chorales --task harmony --output my-bass.safetensors --minutes 5": Run(
        ("chorales",), {"improviser train": Way("generation 1:")}, said("saved my-bass.safetensors", "viewpoints")
    ),
    "improviser train songs --task melody --minutes 2": Run(
        ("songs",),
        {"improviser train": Way("generation 1:")},
        said("held out", "hear it:  improviser demo --model songs"),
    ),
    "improviser evaluate bach-melody song.mid": Run((SONG,), then=said("bits per note")),
    "improviser import-bach-generator models.json imported.safetensors --index 0": Run(
        ("file models.json",), then=wrote("imported.safetensors")
    ),
    # Four parts
    "improviser play --model bach-chorale": Run(
        (SONG, "jack"), {"improviser play": on_jack("improviser:in", "improviser:out")}, wrote("four-parts.mid")
    ),
    # No keyboard, no synthesiser
    "improviser play --input computer --sound": Run(
        ("file tune.mid", "jack"),
        {
            "improviser play --input computer": Way("(?=.*sound: )(?=.*hears the computer's keyboard)", keys=b"q"),
            "improviser play --input tune.mid": on_jack("tune.mid", "improviser:out"),
        },
        said("sound: "),
    ),
    "improviser report demo/session.mid -o session.html": Run(
        ("file demo/session.mid",), then=wrote("session.html", "listens-to.svg")
    ),
    # MQTT
    "IMPROVISER_MQTT_PASSWORD=… improviser play --mqtt mqtts://user@broker.local": Run(
        ("jack", "locked_broker"), {"IMPROVISER_MQTT_PASSWORD=… improviser play": Way("connected to .*broker.local")}
    ),
    "mosquitto_sub -t 'improviser/improviser/#' -v &": Run(
        ("broker", "playing --model bach-tenor"),
        {"": Way('reply {"ok":true,"parameter":"cmd","value":"panic"', goes_on=True)},
        becomes(temperature=1.2, scale="D minor", model="bach-bass"),
        at_once=True,
    ),
    "actions:": Run(("broker", "playing"), then=becomes(mode="mute")),
    "import asyncio, aiomqtt": Run(("broker", "playing"), then=becomes(temperature=0.2)),
    TO_A_BROKER.format("left", "--mqtt-events"): Run(
        ("broker", "jack"), {"": Way("connected to .*broker.local", goes_on=True)}, right_answers_left
    ),
    # As a service
    "improviser config init                 # one file of settings, explained; profiles for instruments": Run(
        ("systemd", "port nanoKEY", "port FLUID"),
        then=said("improviser plays on jack", "hears nanoKEY-out:out, plays to FLUID-in:in"),
    ),
    # In Python
    "import improviser": Run(then=both(said("1.0 "), wrote("mine.safetensors"))),
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A new user's machine."""
    there = Sandbox(tmp_path)
    yield there
    there.close()


def test_the_table_has_every_block() -> None:
    assert [block.first for block in blocks() if block.kind] == list(BLOCKS)
    assert all(line in CI.read_text() for line in BLOCKS.values() if isinstance(line, str))


def cases() -> Iterator[object]:
    """The blocks that are run here; those on JACK in the process of all that are (see `conftest`)."""
    for block in blocks():
        row = BLOCKS.get(block.first)
        if isinstance(row, Run):
            on_it = {part.partition(" ")[0] for part in row.needs} & PARTS_ON_JACK
            yield pytest.param(block, id=block.first[:60], marks=[pytest.mark.xdist_group("jack")] if on_it else [])


@pytest.mark.parametrize("block", [*cases()])
def test_a_block(block: Block, sandbox: Sandbox) -> None:
    row = BLOCKS[block.first]
    assert isinstance(row, Run)
    for part in row.needs:
        sandbox.add(part)
    printed = {"python": run_python, "yaml": run_yaml, "toml": run_toml}.get(block.kind, run_shell)(block, row, sandbox)
    row.then(sandbox, printed)


def run_shell(block: Block, row: Run, sandbox: Sandbox) -> str:
    """Type the lines; return what all of them print."""
    printed = ""
    for line in [block.text] if row.at_once else block.lines:
        way = next((way for start, way in row.ways.items() if line.startswith(start)), None)
        if way is None:
            printed += sandbox.run(line)
        else:
            code = 0 if way.keys or way.goes_on else INTERRUPTED
            printed += sandbox.run(line, until=way.says, keys=way.keys, code=code)
            if way.port:
                sandbox.jack().wait_for_port(way.port)
    return printed


def run_python(block: Block, _: Run, sandbox: Sandbox) -> str:
    """Run the example as a file, with what the README says of its result."""
    shown = "\nprint(round(float(chances.sum()), 9), chances.argmax())" if "chances" in block.text else ""
    (sandbox.folder / "example.py").write_text(f"{block.text}{shown}\n")
    return sandbox.run("python example.py")


def run_toml(block: Block, _: Run, sandbox: Sandbox) -> str:
    """Write the settings into the user's file; return what its check says."""
    with Path(sandbox.run("improviser config init").strip()).open("a", encoding="utf-8") as file:
        file.write(block.text)
    return sandbox.run("improviser config check")


def run_yaml(block: Block, _: Run, sandbox: Sandbox) -> str:
    """Do what Home Assistant makes of the automation: publish."""
    yaml: Any = pytest.importorskip("yaml")  # it comes with amqtt
    (action,) = yaml.safe_load(block.text)["actions"]
    assert action["action"] == "mqtt.publish"
    data = action["data"]
    return sandbox.run(f"mosquitto_pub -t {data['topic']} -m {data['payload']}")
