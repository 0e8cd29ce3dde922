"""A real-time MIDI improviser: small neural networks, evolved by a genetic algorithm, that play along with you.

From notes to a model that plays::

    model = improviser.train("songs", task="harmony", output="mine.safetensors", minutes=5)
    model = improviser.load_model("mine.safetensors")   # or a bundled one: improviser.load_model("bach-bass")
    model.distribution(history, onset_seconds=1.0, player=heard)   # the probability of each pitch
    session = model.session()                                       # the same, note by note
    performer = improviser.Performer([model], mode="answer")        # live: raw MIDI in, raw MIDI out
    notes = improviser.render("tune.mid", model)                    # off line: notes or a MIDI file in, notes out

`parameters()` lists what can be changed while a `Performer` plays. Times are in seconds, pitches MIDI numbers 0–127.
Whatever is refused is refused with an error of `errors`, whose message is one line.
"""

import importlib
from typing import TYPE_CHECKING, Any

from improviser import errors
from improviser.core.music.note import Note
from improviser.version import __version__

if TYPE_CHECKING:
    from improviser.core.live.parameters.listed import Parameter, parameters
    from improviser.core.live.raw import Performer
    from improviser.core.networks.asking import Session
    from improviser.core.networks.responder import Model
    from improviser.library.catalogue import load_model
    from improviser.recordings.offline import render
    from improviser.training.from_python import train

__all__ = [
    "Model",
    "Note",
    "Parameter",
    "Performer",
    "Session",
    "__version__",
    "errors",
    "load_model",
    "parameters",
    "render",
    "train",
]


# All these need numpy; `improviser --help` must not wait for it.
_LATER = {
    "Model": "improviser.core.networks.responder",
    "Parameter": "improviser.core.live.parameters.listed",
    "Performer": "improviser.core.live.raw",
    "Session": "improviser.core.networks.asking",
    "load_model": "improviser.library.catalogue",
    "parameters": "improviser.core.live.parameters.listed",
    "render": "improviser.recordings.offline",
    "train": "improviser.training.from_python",
}


if not TYPE_CHECKING:  # which would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
