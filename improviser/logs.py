"""The log of a session, on stderr: lines for people, or a JSON object per line for machines."""

import datetime as dt
import logging
from typing import Any

from improviser.console_output import json_text
from improviser.core.printable import printable, printable_lines


class Lines(logging.Formatter):
    """Writes each record as one line of printable characters, and what was raised below it."""

    def __init__(self) -> None:
        super().__init__("improviser: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the library's name
        """Return the record's own line."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the lines of what was raised."""
        return printable_lines(super().formatException(ei))


class JsonLines(logging.Formatter):
    """Writes each record as one JSON object: time (UTC), level, message, and what was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line."""
        when = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["raised"] = self.formatException(record.exc_info)
        return json_text(line)


def start_log(style: str, level: str) -> None:
    """Write the log to stderr.

    :param style: "text" or "json".
    :param level: "debug", "info", "warning" or "error": what is written, and all that is worse.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if style == "json" else Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
