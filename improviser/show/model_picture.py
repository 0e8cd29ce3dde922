"""What a network listens to, as a picture: how strongly each of its viewpoints moves it."""

import numpy as np
from numpy.typing import NDArray

from improviser.core.echo.model import EchoModel
from improviser.core.harmony import session as harmony_session
from improviser.core.harmony.model import HarmonyModel
from improviser.core.melody import session as melody_session
from improviser.core.melody.model import MelodyModel
from improviser.core.networks.viewpoints import Choice, Numbers
from improviser.library.catalogue import LoadableModel
from improviser.show.picture import bar_chart

SAID = {
    "beat": "where in the beat it is",
    "certainties": "what its memory expects",
    "contour 3": "rise or fall over three notes",
    "contour 4": "rise or fall over four notes",
    "count": "which note of the phrase it is",
    "degree 1": "the last note, in the key",
    "degree 2": "the note before, in the key",
    "first": "whether it begins",
    "gap": "how long ago the last note was",
    "gap 1": "how long the note before was",
    "heights": "how high all lies",
    "held vertical": "your note over its last",
    "histogram": "all notes so far, in the key",
    "interval 1": "the last step",
    "interval 2": "the step before",
    "minor": "major or minor",
    "own degree 1": "its last note, in the key",
    "own interval 1": "its last step",
    "phrase degree": "where the phrase began",
    "player degree": "your note, in the key",
    "player degree 1": "your note before, in the key",
    "player interval": "your last step",
    "rested": "whether you paused",
    "vertical 1": "your note before, over its last",
}
"""The viewpoints in a player's words; one that is new is shown by its name."""


def model_picture(model: LoadableModel) -> str:
    """Return, as SVG, how strongly each viewpoint moves the hidden units of a model, or each note of an echo's window.

    :raises TypeError: for a kind of model that is not known here.
    """
    what = "note of the window" if isinstance(model, EchoModel) else "viewpoint"
    rows = [(SAID.get(name, name), strength) for name, strength in strengths_of(model)]
    return bar_chart(rows, f"What {model.name} listens to", f"how strongly each {what} moves it, in its weights")


def strengths_of(model: LoadableModel) -> list[tuple[str, float]]:
    """Return what a model hears and how much that moves it, the strongest first; an echo's window in its order."""
    if isinstance(model, EchoModel):
        return _window(model)
    if isinstance(model, HarmonyModel):
        sizes = {name: harmony_session.VIEWPOINTS[name] for name in model.settings.viewpoints}
        return _strengths(model.genomes, model.shape.hidden, model.shape.inputs, sizes)
    if isinstance(model, MelodyModel):
        return _strengths(
            model.genomes,
            model.shape.hidden,
            model.shape.inputs,
            {name: melody_session.VIEWPOINTS[name] for name in model.settings.viewpoints},
        )
    raise TypeError(f"{type(model).__name__} has no picture")


def _strengths(
    genomes: NDArray[np.float32],
    hidden: int,
    inputs: int,
    viewpoints: "dict[str, Choice[harmony_session.Situation] | Numbers[harmony_session.Situation]]"
    " | dict[str, Choice[melody_session.Situation] | Numbers[melody_session.Situation]]",
) -> list[tuple[str, float]]:
    """Return the standard deviation that each viewpoint gives a hidden unit's input: choices alike, numbers of order 1.

    What all choices of a viewpoint have in common is a bias, and moves nothing.
    """
    weights = genomes[:, : hidden * inputs].reshape(len(genomes), hidden, inputs).astype(np.float64)
    rows, place = [], 0
    for name, viewpoint in viewpoints.items():
        block = weights[:, :, place : place + viewpoint.size]
        if viewpoint.size == 1:  # a flag: it is there, or nothing is
            block = np.concatenate([block, np.zeros_like(block)], axis=2)
        variance = block.var(axis=2) if isinstance(viewpoint, Choice) else (block**2).sum(axis=2)
        rows.append((name, float(np.sqrt(variance.mean()))))
        place += viewpoint.size
    return sorted(rows, key=lambda row: -row[1])


def _window(model: EchoModel) -> list[tuple[str, float]]:
    collapsed = np.abs(model.network.shape.collapse(model.network.genome))[::-1]  # the current note is the last
    names = ["the current note", "1 note before", *(f"{back} notes before" for back in range(2, len(collapsed)))]
    return [(name, float(weight)) for name, weight in zip(names, collapsed, strict=False)]
