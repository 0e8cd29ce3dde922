"""A real-time MIDI improviser: small neural networks, evolved by a genetic algorithm, that play along with you."""

from typing import TYPE_CHECKING, Any

from improviser import errors
from improviser.core.music.note import Note

if TYPE_CHECKING:
    from improviser.library.catalogue import load_model

__all__ = ["Note", "errors", "load_model"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Loading models needs numpy; `improviser --help` must not wait for it.
    if name == "load_model":
        from improviser.library.catalogue import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
