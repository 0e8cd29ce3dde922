"""Adaptations as files: what a session has taught a model, in the format of models, known by its digest."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from improviser.core.melody.adaptation import Adaptation, adaptable
from improviser.core.melody.mixture import MixedModel
from improviser.core.melody.model import MelodyModel
from improviser.core.networks.responder import Model
from improviser.errors import ModelError
from improviser.library.model_file import ModelFile, decode, encode

TASK = "adaptation"
"""What such a file says in place of a task."""
LARGEST = 1 << 16
"""Bytes; one takes about a thousand."""


def to_bytes(adaptation: Adaptation) -> bytes:
    """Return the bytes of an adaptation's file; the same adaptation has the same."""
    settings, tensors = adaptation.to_parts()
    return encode(ModelFile(TASK, settings, tensors), LARGEST)


def from_bytes(data: bytes) -> Adaptation:
    """Return the adaptation in the bytes of a file.

    :raises ModelError: if they are none.
    """
    file = decode(data, LARGEST)
    if file.task != TASK:
        raise ModelError("it is no adaptation")
    return Adaptation.from_parts(file.settings, file.tensors)


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def base_of(model: MelodyModel) -> str:
    """Return what an adaptation knows its model by: the SHA-256 of its genomes, in hexadecimal."""
    return digest_of(model.genomes.tobytes())


def adaptable_models(models: Sequence[Model]) -> Iterator[MelodyModel]:
    """Yield those that can be adapted, also those that are mixed in one."""
    for model in models:
        if isinstance(model, MixedModel):
            yield from adaptable_models(model.models)
        elif isinstance(model, MelodyModel) and adaptable(model):
            yield model


def adapted(files: Sequence[bytes], models: Sequence[Model]) -> Mapping[str, MelodyModel]:
    """Return the models, of all these, that there are adaptations of, adapted, by name.

    :raises ModelError: if a file is no adaptation, or one of none of these models.
    """
    known = {model.name: model for model in adaptable_models(models)}
    found: dict[str, MelodyModel] = {}
    for data in files:
        adaptation = from_bytes(data)
        model = known.get(adaptation.model)
        if model is None or base_of(model) != adaptation.base:
            raise ModelError(f"it is an adaptation of another model than those that play: {adaptation.model[:80]!r}")
        found[model.name] = adaptation.applied_to(model)
    return found
