"""Adaptations as files: what a session has taught a model, in the format of models, known by its digest."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from improviser.core.melody.adaptation import Adaptation, adaptable
from improviser.core.melody.mixture import MixedModel
from improviser.core.melody.model import MelodyModel
from improviser.core.melody.online import OnlineEvolution
from improviser.core.melody.proving import Proof
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


class Pupil:
    """A model that plays, and the evolutions of all that it is made of; the same notes teach it the same.

    :param model: one of those that there are `adaptable_models` in.
    """

    def __init__(self, model: Model, seed: int = 0) -> None:
        self._models = {each.name: each for each in adaptable_models([model])}
        self._evolutions = [OnlineEvolution(each, base_of(each), seed) for each in self._models.values()]
        self._proof = Proof(model)

    @property
    def models(self) -> int:
        """How many models are evolved."""
        return len(self._evolutions)

    @property
    def bits(self) -> tuple[float, float]:
        """What a note has cost lately, without and with what was bred."""
        return self._proof.bits

    def hear(self, pitch: int, onset_seconds: float) -> None:
        """Take in the line's next note."""
        for evolution in self._evolutions:
            evolution.hear(pitch, onset_seconds)
        self._proof.hear(pitch, onset_seconds)

    def learn(self, share: float = 1.0) -> list[Adaptation] | None:
        """Breed some generations; return what is to be played from now on, None before there is any telling.

        :param share: how much of what is bred, 0–1.
        """
        rounds = [evolution.evolve() for evolution in self._evolutions]
        proved = self._proof.is_better
        told = [came.adaptation for came in rounds if came is not None]
        found = [each.part(share) for each in told if each is not None]
        # At first nothing has proved itself, and all of it is tried.
        tried = found if told else [evolution.adaptation.part(share) for evolution in self._evolutions]
        self._proof.adapt({each.model: each.applied_to(self._models[each.model]) for each in tried})
        if not told:
            return None
        return found if proved else []


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
