"""The software that a result depends on to the last bit: it must be the same wherever a part of one is computed."""

import hashlib
import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from improviser.version import __version__


@cache
def software() -> Mapping[str, str]:
    """Return the versions in use here, by name; of this package what its files hold as well, by a short digest.

    Python's belongs to them: the built-in `sum` of floats, for one, rounds less from 3.12 on.
    """
    return {
        "improviser": f"{__version__} ({_digest_of_package()})",
        "Python": ".".join(map(str, sys.version_info[:2])),
        "numpy": importlib.metadata.version("numpy"),
        "Numba": _version_or_none("numba"),
    }


def difference(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """Return how the software in one place differs from that in another: "numpy 2.3.0 instead of 2.4.6"; "" if not."""
    return ", ".join(
        f"{name} {found.get(name, 'none')} instead of {wanted[name]}"
        for name in wanted
        if found.get(name) != wanted[name]
    )


def this_machine() -> str:
    """Return the machine's name, as people know it."""
    return platform.node() or "?"


def _version_or_none(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _digest_of_package() -> str:
    """Return a digest of the package's modules: two clones have the same version at different commits."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:8]
