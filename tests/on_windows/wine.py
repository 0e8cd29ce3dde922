"""Run tests on a Windows Python under Wine, for who has no Windows: slowly, and without sound and Ctrl-Break.

    apt install wine64 wine gcc-mingw-w64-x86-64-win32 && uv run python -m tests.on_windows.wine FOLDER [pytest …]

FOLDER holds an unpacked Windows Python for x86-64, python.exe at its top; the embeddable package of python.org will do.
Into it goes what the tests need, unless `--no-packages`. It runs the tests of this folder; further words are pytest's,
such as `-- tests/remote -x`. Seen to work with Wine 10 and Python 3.13.

Wine's C library lacks what numpy needs, and one thing that our locks need; `ucrtbase.c` adds these. `winmm.c` has the
devices: RtMidi and all behind it are the real ones, and plug and unplug cannot be shown.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
COMPILER, OBJDUMP = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-objdump"
BUILTIN = slice(0x40, 0x60)
"""Where a library of Wine's says that it is one; without that it is loaded from where it lies."""
DRIVERS = r"HKCU\Software\Wine\Drivers"
DRIVER_VALUES = {"Graphics": "null", "Audio": ""}
PATHS = (r"Lib\site-packages", "Z:" + str(CHECKOUT).replace("/", "\\"))


def main() -> int:
    """Prepare what is needed, run the tests, and return their exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", type=Path, help="the folder of a Windows Python")
    parser.add_argument("--no-packages", action="store_true", help="what the tests need is in it already")
    parser.add_argument("pytest", nargs="*", help="what pytest gets instead of the folder of these tests")
    options = parser.parse_args()
    for tool in ("wine", COMPILER, OBJDUMP):
        if shutil.which(tool) is None:
            parser.error(f"{tool} is not installed (on Debian: apt install wine64 wine gcc-mingw-w64-x86-64-win32)")
    python: Path = options.python.resolve() / "python.exe"
    if not python.is_file():
        parser.error(f"there is no {python}")
    if not options.no_packages:
        install(python.parent)
    with tempfile.TemporaryDirectory() as name:
        prefix = Path(name)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_", "XDG_"))},
            "WINEPREFIX": str(prefix),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;ucrtbase,winmm=n",
            "PYTHONPATH": PATHS[-1],
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": r"C:\hypothesis",
        }
        try:
            make_ready(prefix, {**environment, "WINEDLLOVERRIDES": "mscoree=;mshtml="})
            words = ["-p", "no:cacheprovider", "-o", "timeout=300", *(options.pytest or ["tests/on_windows"])]
            command = ["wine", str(python), "-m", "pytest", *words]
            return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode
        finally:
            subprocess.run(["wineserver", "--kill"], env=environment, check=False)


def install(python: Path) -> None:
    """Install what the project and its tests need, as wheels for Windows, and let an embeddable Python look for it."""
    (library,) = python.glob("python3[0-9]*.dll")
    minor = library.stem.removeprefix("python3")
    wheels = ["--python-version", f"3.{minor}", "--python-platform", "x86_64-pc-windows-msvc", "--only-binary", ":all:"]
    wanted = ["--extra", "corpus", "--extra", "web", "--extra", "cluster", "--group", "dev", "-r", "pyproject.toml"]
    target = ["--target", str(python / "Lib" / "site-packages")]
    uv = os.environ.get("UV", "uv")  # `uv run` says which
    subprocess.run([uv, "pip", "install", "--quiet", *wheels, *target, *wanted], cwd=CHECKOUT, check=True)
    for paths in python.glob("*._pth"):  # where there is one, nothing else is heeded
        paths.write_text("\n".join([f"{library.stem}.zip", ".", *PATHS, "import site", ""]), encoding="utf-8")


def make_ready(prefix: Path, environment: dict[str, str]) -> None:
    """Make Wine's folder, without a screen and sound cards, and with libraries of ours."""
    for command in (
        ["wineboot", "--init"],
        *(["wine", "reg", "add", DRIVERS, "/v", name, "/d", value, "/f"] for name, value in DRIVER_VALUES.items()),
    ):
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["wineserver", "--wait"], env=environment, check=True)
    system = prefix / "drive_c" / "windows" / "system32"
    put_before(system, "ucrtbase", c_library())
    put_before(system, "winmm", devices())


def put_before(system: Path, name: str, ours: dict[str, str]) -> None:
    """Put a library of ours before one of Wine's, which goes on under another name: all else is forwarded to it.

    :param ours: what is not Wine's, with its name in our source.
    """
    library, others = system / f"{name}.dll", f"wine{name}"
    wine = bytearray(library.read_bytes())
    wine[BUILTIN] = bytes(BUILTIN.stop - BUILTIN.start)
    listing = subprocess.run([OBJDUMP, "-p", str(library)], capture_output=True, text=True, check=True).stdout
    exported = listing.partition("[Ordinal/Name Pointer] Table")[2]
    names = re.findall(r"^\s+\[ *\d+\].* (\w+)$", exported, re.MULTILINE)
    exports = [f"{each} = {ours.get(each, f'{others}.{each}')}" for each in names]
    with tempfile.TemporaryDirectory() as folder:
        definitions = Path(folder) / f"{name}.def"
        definitions.write_text("\n".join([f"LIBRARY {name}", "EXPORTS", *exports, ""]), encoding="ascii")
        command = [COMPILER, "-O2", "-fno-builtin", "-shared", "-static-libgcc", "-o", str(library)]
        subprocess.run([*command, str(HERE / f"{name}.c"), str(definitions)], check=True)
    (system / f"{others}.dll").write_bytes(wine)


def c_library() -> dict[str, str]:
    """Return what of the C library is ours, by the names of Windows; its long doubles are doubles."""
    text = (HERE / "ucrtbase.c").read_text("utf-8")
    plain = set(re.findall(r"(?:OF_ONE|REAL)\((c\w+)\)", text)) | {"cpow"}
    ours = {"_locking": "our__locking"}
    for name in plain:
        ours |= {name: f"our_{name}", f"{name}f": f"our_{name}f", f"{name}l": f"our_{name}"}
    return ours


def devices() -> dict[str, str]:
    """Return what of the library for MIDI is ours."""
    text = (HERE / "winmm.c").read_text("utf-8")
    return {name: name for name in re.findall(r"WINAPI (midi\w+)\(", text)}


if __name__ == "__main__":
    sys.exit(main())
