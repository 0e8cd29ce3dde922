"""What a network listens to, as a picture: how strongly each of its viewpoints moves it."""

import numpy as np
from numpy.typing import NDArray

from improviser.core.echo.model import EchoModel
from improviser.core.harmony import session as harmony_session
from improviser.core.harmony.model import HarmonyModel
from improviser.core.melody import session as melody_session
from improviser.core.melody.model import MelodyModel
from improviser.core.networks.viewpoints import Choice, Numbers
from improviser.library import LoadableModel
from improviser.show.picture import bar_chart


def model_picture(model: LoadableModel) -> str:
    """Return, as SVG, how strongly each viewpoint moves the hidden units of a model, or each note of an echo's window.

    :raises TypeError: for a kind of model that is not known here.
    """
    rows = strengths_of(model)
    what = "note of the window" if isinstance(model, EchoModel) else "viewpoint"
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
