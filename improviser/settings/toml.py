"""Reads a TOML file that may be anything: too large, not text, not TOML."""

import errno
import tomllib
from pathlib import Path
from typing import Any

from improviser.errors import ConfigError
from improviser.files import read_regular

MAX_FILE_BYTES = 1 << 20


def read_toml(path: Path) -> dict[str, Any]:
    """Return what the file at `path` holds.

    :raises ConfigError: if it cannot be read; it names the file and the line.
    """
    try:
        data = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            largest = MAX_FILE_BYTES // 1024
            raise ConfigError(f"{path} is larger than any settings ({largest} KiB); is it the right file?") from error
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        # With a line end after it, an error in the last line has a line number too.
        return tomllib.loads(data.decode("utf-8-sig") + "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} is not UTF-8 text at line {line}; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except (RecursionError, ValueError) as error:  # thousands of brackets; a number of thousands of digits
        raise ConfigError(f"{path} is nested too deeply, or holds too long a number") from error
