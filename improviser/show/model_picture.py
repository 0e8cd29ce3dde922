"""What a network listens to, as a picture: how strongly each of its viewpoints moves it."""

from improviser.core.tasks.registry import describe
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
    """Return, as SVG, how strongly what a model hears moves it."""
    rows = [(SAID.get(name, name), strength) for name, strength in model.strengths()]
    what = f"how strongly each {describe(model.task).hears} moves it, in its weights"
    return bar_chart(rows, f"What {model.name} listens to", what)
