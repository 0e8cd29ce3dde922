"""The house keeps its own rules: who imports whom, what each file says of itself, and what no file may hold."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import improviser
from improviser.version import __version__
from tests.conftest import EMULATED

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "improviser"
FOLDERS = ("improviser", "tests")
LONGEST_FUNCTION = 70  # lines, signature included; a long file is a hint, and no fault

# A folder is a layer, and so is each of the few modules on the top floor; each may import itself and those before it.
LAYERS = (
    "errors",
    "core",
    "kernels",
    "ground",
    "settings",
    "library",
    "ports",
    "engine",
    "recordings",
    "show",
    "remote",
    "web",
    "session",
    "training",
    "commands",
    "cli",
)
GROUND = {
    "executors",
    "extras",
    "files",
    "locks",
    "logs",
    "midifile",
    "pacing",
    "pipes",
    "console_output",
    "shell",
    "signals",
    "termination",
    "threads",
    "version",
    "waiting",
}
"""What every layer needs of the system: no module here has but one importer."""
LIVE = ("modes", "parameters", "output", "player", "answering", "replying", "guards")
"""The folders of `core.live`: each may import itself and those before it, but nothing that stands beside them."""
PURE = {
    *(
        "abc",
        "array",
        "bisect",
        "collections",
        "copy",
        "dataclasses",
        "enum",
        "fractions",
        "functools",
        "heapq",
        "itertools",
    ),
    *("math", "operator", "re", "statistics", "string", "struct", "types", "typing", "unicodedata", "numpy"),
}
# Libraries that only some layers or modules may know: everything else stays independent of them.
RESERVED = {
    "aiohttp": {"web"},
    "aiomqtt": {"remote.mqtt", "remote.mqtt_queues"},
    "dask": {"training.cluster_client"},
    "distributed": {"training.cluster_client", "training.cluster"},
    "jack": {"ports.jack_library"},
    "miniaudio": {"show.speaker"},
    "mido": {"midifile"},
    "llvmlite": {"kernels"},
    "music21": {"training.scores"},
    "numba": {"kernels"},
    "platformdirs": {
        "training.cache",
        "commands",
        "settings.config",
        "remote.instance",
        "library.catalogue",
        "recordings.midi_recording",
    },
    "rich": {
        "commands",
        "session.latency",
        "show.picture",
        "session.display",
        "show.terminal",
        "show.views",
        "training.view",
    },
    "rtmidi": {"ports"},
    "rtmidi2": {"ports.rtmidi_library"},
    "safetensors": {"library.model_file"},
    "tomlkit": {"settings.keeping", "settings.toml"},
    "typer": {"cli", "commands"},
}
# Put together here so that this file does not hold what it looks for.
REGISTRY_HOSTS = tuple(
    "".join(parts)
    for parts in [("pypi", ".org"), ("python", "hosted.org"), ("registry.", "npmjs"), ("deb.deb", "ian.org")]
)
LOCK_FILES = {"uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "pylock.toml"}


def module_name(path: Path) -> str:
    """Return what a file of the package is called within it: `core.note`; the package itself is `improviser`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "improviser"


MODULES = {module_name(path): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
PACKAGES = {module_name(path) for path in PACKAGE.rglob("__init__.py")}
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Find every module that is imported anywhere in a file; names from our package by what they are there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper.removeprefix("improviser.") in MODULES else str(node.module)


def own_imports(name: str) -> set[str]:
    """Return the modules of our package that one of them imports."""
    found = {module for module in imports_of(MODULES[name]) if module.partition(".")[0] == "improviser"}
    return {module.removeprefix("improviser.") for module in found} - {name}


def layer(name: str) -> str:
    """Return the layer that a module is part of: its folder, or what the few on the top floor are for."""
    first = name.partition(".")[0]
    if name == "__main__":
        return "cli"
    return "ground" if first in GROUND else first


def test_every_module_is_in_a_layer() -> None:
    unlisted = {name for name in MODULES.keys() - {"improviser"} if layer(name) not in LAYERS}
    assert not unlisted, f"{', '.join(sorted(unlisted))}: put it in the folder of a layer (CONTRIBUTING, The house)"


def test_modules_import_only_their_own_layer_and_those_before() -> None:
    """The public face, `improviser` itself, is left out: it shows what others hold."""
    for name in MODULES.keys() - {"improviser"}:
        place = LAYERS.index(layer(name))
        others = own_imports(name) - {"improviser"}
        wrong = {other for other in others if LAYERS.index(layer(other)) > place}
        assert not wrong, f"{name} ({layer(name)}) imports {', '.join(sorted(wrong))}; the layers are above"


def test_folders_of_live_playing_import_only_themselves_and_those_before() -> None:
    within = {name: parts[2] for name in MODULES if (parts := name.split("."))[:2] == ["core", "live"] and parts[2:]}
    folders = {folder for name, folder in within.items() if f"core.live.{folder}" in PACKAGES}
    assert folders == {*LIVE}
    for name, folder in within.items():
        if folder in LIVE:
            others = {within[other] for other in own_imports(name) & within.keys()}
            assert others <= {*LIVE[: LIVE.index(folder) + 1]}, f"{name} imports from {', '.join(sorted(others))}"


def test_the_top_floor_is_for_what_several_layers_need() -> None:
    for shared in GROUND:
        users = {layer(name) for name in MODULES if shared in own_imports(name)} - {"ground"}
        assert len(users) > 1 or any(shared in own_imports(other) for other in GROUND), f"{shared}: {users}"


def test_libraries_are_known_only_where_they_belong() -> None:
    for name, tree in MODULES.items():
        for library in {module.partition(".")[0] for module in imports_of(tree)} & RESERVED.keys():
            assert {name, name.partition(".")[0]} & RESERVED[library], f"{name} imports {library}"


def test_the_core_is_pure() -> None:
    for name, tree in MODULES.items():
        if layer(name) == "core":
            outside = {module.partition(".")[0] for module in imports_of(tree)} - PURE - {"improviser"}
            assert not outside, f"{name} imports {', '.join(sorted(outside))}"


def test_no_imports_go_round_in_circles() -> None:
    remaining = {name: own_imports(name) for name in MODULES if name != "improviser"}
    while free := [name for name, needed in remaining.items() if not needed & remaining.keys()]:
        for name in free:
            del remaining[name]
    assert not remaining


def test_every_file_says_what_it_is_and_fits() -> None:
    for path in SOURCES:
        text = path.read_text("utf-8")
        if not text:  # a folder of tests without anything to say
            continue
        tree = ast.parse(text)
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        assert first.endswith((".", ":")), f"the first line of {path} is a sentence that says what is in it"
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{path}: {node.name} does not fit a screen: {length} lines"


def kept_files() -> list[Path]:
    """Return the files under version control; without git, those that a source archive holds."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode == 0:
        return [path for name in listing.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not {"venv", ".venv", ".venv-bare", ".uv"} & set(path.parts)
    ]


def test_nothing_waits_by_what_loses_cancellations() -> None:
    """See `improviser.waiting`."""
    for name, tree in MODULES.items():
        used = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "wait_for"]
        assert not used, f"{name}, line {used[0]}: wait by improviser.waiting.within"


def test_no_file_names_a_registry() -> None:
    hosts = [host.encode() for host in REGISTRY_HOSTS]
    assert [path for path in kept_files() if any(host in path.read_bytes() for host in hosts)] == []


def test_no_lock_file_is_kept() -> None:
    assert not LOCK_FILES & {path.name for path in kept_files()}


def test_every_model_has_a_card() -> None:
    models = {path.stem for path in (ROOT / "models").glob("*.safetensors")}
    assert models == {path.stem for path in (ROOT / "models").glob("*.md")} - {"README"}


def test_quick_start_is_two_commands() -> None:
    quick_start = (ROOT / "README.md").read_text("utf-8").split("\n## Quick start\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", quick_start, re.MULTILINE | re.DOTALL)
    commands = [text.strip() for kind, text in blocks if kind == "sh"]
    assert len(commands) == 2
    assert commands[0].endswith("improviser demo")
    assert commands[1].endswith("pytest")


def test_the_public_names_are_all_listed() -> None:
    tree = MODULES["improviser"]
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("improviser")
        for alias in node.names
    }
    assert sorted(imported) == sorted(improviser.__all__)
    assert all(hasattr(improviser, name) for name in improviser.__all__)
    assert (PACKAGE / "py.typed").is_file()


HELP = """
import contextlib, io, json, sys
import typer
from improviser import cli
heavy = {"aiomqtt", "asyncio", "jack", "mido", "msgspec", "music21", "numba", "numpy", "rich.live", "rtmidi"}
heavy |= {"rtmidi2", "safetensors"}
helps = {}
def visit(command, path):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        cli.app([*path, "--help"])
    helps[" ".join(path)] = out.getvalue()
    for name, below in getattr(command, "commands", {}).items():
        visit(below, [*path, name])
loaded = sorted(heavy & set(sys.modules))
visit(typer.main.get_command(cli.app), [])
print(json.dumps({"loaded": loaded, "helps": helps}))
"""


@pytest.mark.skipif(EMULATED, reason="what shows another system has imported more")
def test_help_is_there_for_every_command_and_light() -> None:
    ran = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    answer = json.loads(ran.stdout.splitlines()[-1])
    assert answer["loaded"] == []
    assert {"", "play", "demo", "ports", "train", "render", "models", "inspect", "config init"} <= set(answer["helps"])
    for path, text in answer["helps"].items():
        assert "Usage: " in text, f"improviser {path} --help"
        assert len(text.splitlines()) > 5, f"improviser {path} --help"


def test_the_version_is_the_same_in_both_places() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == __version__
