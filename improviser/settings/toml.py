"""Reads a TOML file that may be anything (too large, not text, not TOML), and writes values as TOML does."""

import errno
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from improviser.errors import ConfigError
from improviser.files import read_regular

MAX_FILE_BYTES = 1 << 20


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the file at `path` holds.

    :raises ConfigError: if it cannot be read; it names the file and the line.
    """
    return parse_toml(read_text(path), path)


def read_text(path: Path) -> str:
    """Return the text of the file at `path`, with its byte order mark and its line ends.

    :raises ConfigError: if it cannot be read, or is no text.
    """
    try:
        data = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            largest = MAX_FILE_BYTES // 1024
            raise ConfigError(f"{path} is larger than any settings ({largest} KiB); is it the right file?") from error
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} is not UTF-8 text at line {line}; save it as UTF-8") from error


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Return what a text says; a byte order mark before it says nothing.

    :param path: the file it is from, for the message.
    :raises ConfigError: if it is not TOML.
    """
    try:
        # With a line end after it, an error in the last line has a line number too.
        return tomllib.loads(text.removeprefix("\ufeff") + "\n")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except (RecursionError, ValueError) as error:  # thousands of brackets; a number of thousands of digits
        raise ConfigError(f"{path} is nested too deeply, or holds too long a number") from error


def as_toml(value: Any) -> str:
    """Write a setting as TOML does, in one line."""
    text: str = as_item(value).as_string()
    return text


def as_item(value: Any, *, inline: bool = True) -> Any:
    """Return what tomlkit writes for a setting: a list of one as the one, and tables, but for the outermost, in a line.

    :param inline: whether the outermost table is in one line, too.
    """
    import tomlkit  # here, since only few commands write any

    if isinstance(value, tuple):
        return as_item(value[0]) if len(value) == 1 else tomlkit.item(list(value))
    if not isinstance(value, Mapping):
        return tomlkit.item(value)
    table = tomlkit.inline_table() if inline else tomlkit.table()
    for name, its in value.items():
        table.append(name, as_item(its))
    return table
