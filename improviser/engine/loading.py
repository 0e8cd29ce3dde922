"""Models for the engine: loaded and checked by the daemon, handed over as arrays, and used once before they play.

While somebody plays, the daemon loads: to parse a file may keep an interpreter from doing anything else for long. What
it hands over comes in small pieces, so that the engine needs no time worth mentioning for any of them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from improviser.core.networks.responder import Model
from improviser.engine.protocol import Array, Bring, Loaded, Part, Prepared, Swap
from improviser.errors import EngineError
from improviser.library import catalogue
from improviser.library.catalogue import LoadableModel
from improviser.library.model_file import ModelFile

PIECE_BYTES = 1 << 15


def load(names: Sequence[str]) -> tuple[list[Model], list[Loaded]]:
    """Load models where nobody plays yet.

    :raises ModelError: if one cannot be loaded.
    """
    found = [(name, *catalogue.load_with_digest(name)) for name in names]
    models = [catalogue.put_together(name, parts) for name, parts, _ in found]
    warm(models)
    return models, [Loaded(name, sha256) for name, _, sha256 in found]


def prepare(names: Sequence[str]) -> tuple[list[Prepared], list[Bring]]:
    """Load models to be handed over: what is said of them in the `Swap`, and what comes before it.

    :raises ModelError: if one cannot be loaded.
    """
    prepared: list[Prepared] = []
    numbers = bytearray()
    for name in names:
        parts, sha256 = catalogue.load_with_digest(name)
        prepared.append(Prepared(sha256, [_taken_apart(part, numbers) for part in parts]))
    pieces = (numbers[start : start + PIECE_BYTES] for start in range(0, len(numbers), PIECE_BYTES))
    return prepared, [Bring(bytes(piece)) for piece in pieces]


def _taken_apart(model: LoadableModel, numbers: bytearray) -> Part:
    settings, tensors = model.to_parts()
    arrays = []
    for name, array in tensors.items():
        arrays.append(Array(name, array.dtype.str, list(array.shape)))
        numbers += array.tobytes()
    return Part(model.name, model.task, dict(settings), arrays)


class Pieces:
    """What was brought, to be taken out again in other lengths."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def add(self, data: bytes) -> None:
        """Take in a piece."""
        self._pieces.append(data)

    def models(self, swap: Swap) -> tuple[list[Model], list[Loaded]]:
        """Put the models of a swap together, of all that was brought, and use each once.

        :raises ImproviserError: if that does not fit.
        """
        pieces, self._pieces = self._pieces, []
        if len(swap.models) != len(swap.prepared):
            raise EngineError("models were asked for that nobody has prepared")
        source = _Source(pieces)
        models = [
            catalogue.put_together(name, [_put_together(part, source) for part in prepared.parts])
            for name, prepared in zip(swap.models, swap.prepared, strict=True)
        ]
        warm(models)
        return models, [Loaded(name, each.sha256) for name, each in zip(swap.models, swap.prepared, strict=True)]


class _Source:
    """Pieces of bytes, read as one."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._number = self._at = 0

    def array(self, head: Array) -> NDArray[np.generic]:
        """Return the next array.

        :raises EngineError: if there are not so many bytes.
        """
        array = np.empty(head.shape, head.dtype)
        room = array.reshape(-1).view(np.uint8)
        filled = 0
        while filled < room.size:
            if self._number == len(self._pieces):
                raise EngineError("a model came without all of its numbers")
            piece = self._pieces[self._number]
            taken = min(len(piece) - self._at, room.size - filled)
            room[filled : filled + taken] = np.frombuffer(piece, np.uint8, taken, self._at)
            filled, self._at = filled + taken, self._at + taken
            if self._at == len(piece):
                self._number, self._at = self._number + 1, 0
        return array


def _put_together(part: Part, source: _Source) -> LoadableModel:
    tensors = {head.name: source.array(head) for head in part.arrays}
    return catalogue.build(part.name, ModelFile(part.task, part.settings, tensors))


def warm(models: Sequence[Model]) -> None:
    """Use each model once, so that the first note is not the one that warms the caches."""
    for model in models:
        responder = model.responder()
        for beat in range(3):
            responder.propose(60 + beat, float(beat))
            responder.learn(60 + beat, float(beat), 48)
