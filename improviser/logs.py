"""The log of a session, on stderr: lines for people, or a JSON object per line for machines."""

import datetime as dt
import json
import logging


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
        return json.dumps(line, ensure_ascii=False)


def start_log(style: str, level: str) -> None:
    """Write the log to stderr.

    :param style: "text" or "json".
    :param level: "debug", "info", "warning" or "error": what is written, and all that is worse.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if style == "json" else logging.Formatter("improviser: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
