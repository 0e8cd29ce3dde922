"""Texts in MIDI files, which do not say in what alphabet they are written: UTF-8, Shift-JIS or a Western one."""

import re

LONGEST_NAME = 200
LONGEST_READ = 4 * LONGEST_NAME
"""Bytes that are looked at for a name."""
# What Western text hardly becomes when it is taken for Shift-JIS: kana, or two Chinese characters side by side.
JAPANESE = re.compile("[\u3041-\u3096\u30a1-\u30fc]|[\u4e00-\u9fff]{2}")


def text_of(data: bytes) -> str:
    """Return a name without control characters, at most `LONGEST_NAME` long."""
    text = _decoded(data[:LONGEST_READ])
    return "".join(character for character in text if character.isprintable()).strip()[:LONGEST_NAME]


def _decoded(data: bytes) -> str:
    """Return the text by the first encoding that it fits; every text fits the last."""
    for encoding in ("utf-8", "cp932", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "cp932" or JAPANESE.search(text):
            return text
    return data.decode("latin-1")
