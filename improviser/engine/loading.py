"""Models as the engine takes them: loaded, known by their digests, and warm."""

from collections.abc import Sequence

from improviser.core.networks.responder import Model
from improviser.engine.protocol import Loaded
from improviser.library import catalogue


def load(names: Sequence[str]) -> tuple[list[Model], list[Loaded]]:
    """Load models and use each once, so that the first note is not the one that warms the caches.

    :raises ModelError: if one cannot be loaded.
    """
    models = [catalogue.load_model(name) for name in names]
    loaded = [Loaded(name, catalogue.digest(name)) for name in names]
    for model in models:
        responder = model.responder()
        for beat in range(3):
            responder.propose(60 + beat, float(beat))
            responder.learn(60 + beat, float(beat), 48)
    return models, loaded
