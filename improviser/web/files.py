"""The files that make the page, all from this package, and what each answer says to the browser about its safety."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

KINDS: Mapping[str, str] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
INDEX = "index.html"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "worker-src 'self'; require-trusted-types-for 'script'; trusted-types socket"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "midi=(self), camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Server": "improviser",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""With every answer, whatever it is: nothing from elsewhere, nothing written into the markup, in nobody's frame; the
address, which may hold a token, goes to no other site."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the page."""

    kind: str
    data: bytes

    @property
    def tag(self) -> str:
        """What tells it from another version of it."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:20]}"'


def page_files() -> Mapping[str, File]:
    """Return the files of the page by their names."""
    folder = resources.files("improviser.web") / "assets"
    return {
        each.name: File(KINDS[suffix], each.read_bytes())
        for each in folder.iterdir()
        if (suffix := each.name[each.name.rfind(".") :]) in KINDS
    }
