"""Keeps what a knob turns in the user's file of settings, and leaves everything else in it as it was, comments too."""

import os
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from improviser.errors import ConfigError
from improviser.files import create_folder, write_atomically
from improviser.settings.config import Config, default_file, find_file
from improviser.settings.explained import all_explained
from improviser.settings.toml import as_item, as_toml, parse_toml, read_text

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
        text = read_text(path)
        parse_toml(text, path)  # whoever broke it since it was read is told where
    of_profile = profile is not None and config.origins[CONTROLS] == f"{path}, profile {profile}"
    fresh = with_controls(text, controls, ("profile", str(profile)) if of_profile else ())
    if fresh is None:
        raise ConfigError(f"{path} cannot be added to as it is written; add this line: controls = {as_toml(controls)}")
    write_atomically(path.resolve(), fresh.encode())  # where it is a link, to what it links to
    return path


def with_controls(text: str, controls: Mapping[str, Any], above: tuple[str, ...] = ()) -> str | None:
    """Return the text of a TOML file with these `controls`, and all else in it as it is.

    :param above: the names of the tables that the controls are in.
    :return: None if the text is of a form that cannot be changed so; nobody's file is risked.
    """
    from tomlkit.exceptions import TOMLKitError  # here and below, since a session that learns nothing needs none of it

    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    plain = text.removeprefix(mark)
    windows = "\r\n" in plain and plain.count("\r\n") == plain.count("\n")
    if windows:
        plain = plain.replace("\r\n", "\n")
    try:
        wanted = tomllib.loads(plain)
        _table(wanted, above)[CONTROLS] = dict(controls)
        # tomlkit (0.15) has known faults with dotted keys, and may raise LookupError: what it makes is read again.
        fresh = next((each for each in _candidates(plain, controls, above) if _says(each, wanted)), None)
    except (tomllib.TOMLDecodeError, TOMLKitError, LookupError, TypeError, RecursionError):
        return None
    return None if fresh is None else mark + (fresh.replace("\n", "\r\n") if windows else fresh)


def _candidates(text: str, controls: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[str]:
    """Yield the text with the controls changed where they are, or added: at the end, if that can be, or in place."""
    import tomlkit

    document = tomlkit.parse(text)
    table = _table(document, above)
    if CONTROLS not in table:
        nested: Mapping[str, Any] = {CONTROLS: as_item(controls, inline=False)}
        for name in reversed(above):
            nested = {name: nested}
        kept = text.rstrip()
        yield f"{kept}\n\n{tomlkit.dumps(nested)}" if kept else tomlkit.dumps(nested)
        table[CONTROLS] = as_item(controls)
    elif isinstance(table[CONTROLS], tomlkit.items.InlineTable):
        table[CONTROLS] = as_item(controls)
    else:
        _fill(table[CONTROLS], controls)
    yield tomlkit.dumps(document)


def _fill(table: MutableMapping[str, Any], controls: Mapping[str, Any]) -> None:
    """Make a table say `controls`; comments, order and spacing of what stays in it are kept."""
    from tomlkit.items import Table

    for name in [name for name in table if name not in controls]:
        del table[name]
    for name, binding in controls.items():
        there = table.get(name)
        if isinstance(there, Table) and isinstance(binding, Mapping):
            _fill(there, binding)
        elif there != binding:
            table[name] = as_item(binding)


def _table(document: MutableMapping[str, Any], above: tuple[str, ...]) -> MutableMapping[str, Any]:
    for name in above:
        document = document[name]
    return document


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    """Say whether a text is TOML, and says what is wanted and nothing else."""
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False
