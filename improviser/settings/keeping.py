"""Keeps what a knob turns in the user's file of settings, and leaves everything else in it as it was, comments too."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from improviser.errors import ConfigError
from improviser.files import create_folder, read_regular, write_atomically
from improviser.settings.config import Config, default_file, find_file
from improviser.settings.explained import all_explained, as_toml
from improviser.settings.toml import MAX_FILE_BYTES

CONTROLS = "controls"
BYTE_ORDER_MARK = "\ufeff"


def check_keepable(config: Config) -> None:
    """Check that what is learned can be kept where the next session looks for it.

    :raises ConfigError: if the environment or an option has the last word.
    """
    origin = config.origins[CONTROLS]
    if origin != "default" and not origin.startswith(str(config.file)):
        raise ConfigError(f"{origin} says what knobs turn; unset it, so that what is learned can be kept in the file")


def keep(config: Config, controls: Mapping[str, Any], profile: str | None = None) -> Path:
    """Write `controls` to the file that `config` was read from, or to the user's own; return it.

    They go to the table of `profile` if that is where they came from.

    :raises ConfigError: if the file cannot be read, or is written in a way that cannot be added to.
    :raises OutputError: if it cannot be written.
    """
    path = config.file or find_file(None, os.environ) or default_file()
    if not path.is_file():
        create_folder(path.parent)
        text = all_explained()
    else:
        text = _read(path)
    of_profile = profile is not None and config.origins[CONTROLS] == f"{path}, profile {profile}"
    fresh = with_controls(text, controls, ("profile", str(profile)) if of_profile else ())
    if fresh is None:
        raise ConfigError(f"{path} cannot be added to as it is written; add this line: controls = {as_toml(controls)}")
    write_atomically(path.resolve(), fresh.encode())  # where it is a link, to what it links to
    return path


def _read(path: Path) -> str:
    try:
        return read_regular(path, MAX_FILE_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error


def with_controls(text: str, controls: Mapping[str, Any], above: tuple[str, ...] = ()) -> str | None:
    """Return the text of a TOML file with these `controls`, its other lines as they are.

    :param above: the names of the tables that the controls are in.
    :return: None if the text is of a form that cannot be changed line by line; nobody's file is risked.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(end)
    header = _header((*above, CONTROLS))
    starts = [number for number, line in enumerate(lines) if header.fullmatch(line)]
    inline = _inline(lines, above)
    if starts:
        _fill(lines, starts[0] + 1, controls)
    elif inline is not None:
        comment = re.search(r"\}(\s*#[^\"']*)$", lines[inline])
        lines[inline] = f"{CONTROLS} = {as_toml(controls)}{comment[1] if comment else ''}"
    else:
        while lines and not lines[-1].strip():
            lines.pop()
        title = ".".join((*above, CONTROLS))
        lines += ["", f"[{title}]", *(_line(*each) for each in controls.items()), ""]
    fresh = end.join(lines)
    return fresh if _says(fresh, text, controls, above) else None


def _header(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return what a table's header looks like."""
    inner = r"\s*\.\s*".join(rf"[\"']?{re.escape(name)}[\"']?" for name in names)
    return re.compile(rf"\s*\[\s*{inner}\s*\]\s*(#.*)?")


def _inline(lines: list[str], above: tuple[str, ...]) -> int | None:
    """Return the line that says `controls = { … }` in the table it belongs to, if one does."""
    here, header = not above, _header(above) if above else None
    for number, line in enumerate(lines):
        if re.match(r"\s*\[", line):
            here = header is not None and header.fullmatch(line) is not None
        elif here and re.match(rf"\s*{CONTROLS}\s*=", line):
            return number
    return None


def _fill(lines: list[str], first: int, controls: Mapping[str, Any]) -> None:
    """Make the table whose lines begin at `first` say `controls`; what comes after a value in its line stays."""
    end = next((at for at in range(first, len(lines)) if re.match(r"\s*\[", lines[at])), len(lines))
    missing = dict(controls)
    kept: list[str] = []
    for line in lines[first:end]:
        match = re.fullmatch(r"""(\s*)["']?([A-Za-z_]+)["']?\s*=\s*(?:\{[^}]*\}|\d+)(\s*(?:#.*)?)""", line)
        if match is None:
            kept.append(line)
        elif match[2] in missing:
            kept.append(f"{match[1]}{_line(match[2], missing.pop(match[2]))}{match[3]}")
    place = len(kept)
    while place and not kept[place - 1].strip():
        place -= 1
    kept[place:place] = [_line(*each) for each in missing.items()]
    lines[first:end] = kept


def _line(parameter: str, binding: Any) -> str:
    return f"{parameter} = {as_toml(binding)}"


def _says(fresh: str, text: str, controls: Mapping[str, Any], above: tuple[str, ...]) -> bool:
    """Say whether the fresh text is the old one with these controls, and nothing else."""
    try:
        wanted, found = (tomllib.loads(each.removeprefix(BYTE_ORDER_MARK)) for each in (text, fresh))
        table = wanted
        for name in above:
            table = table[name]
    except (tomllib.TOMLDecodeError, KeyError):
        return False
    table[CONTROLS] = dict(controls)
    return found == wanted
