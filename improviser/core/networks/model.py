"""What the models of `harmony` and `melody` have in common: a choir of genomes, and what it sees."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.networks.asking import Asked
from improviser.core.networks.choir import ChoirSettings, check_genomes, read_settings
from improviser.core.networks.network import Network, Shape
from improviser.core.networks.strengths import viewpoint_strengths
from improviser.core.networks.viewpoints import Choice, Inputs, Numbers, Situation
from improviser.errors import ModelError


class ChoirModel(Asked, Generic[Situation]):
    """A choir of genomes, ready to be heard; each task says what it sees, what its memory knows, and how it plays.

    :raises ModelError: if settings and genomes do not fit each other.
    """

    task: ClassVar[str]
    vertical: ClassVar[bool]
    experts: ClassVar[tuple[str, ...]]
    viewpoints: ClassVar[Mapping[str, Choice[Any] | Numbers[Any]]]

    def __init__(self, name: str, settings: ChoirSettings, genomes: NDArray[np.float32]) -> None:
        if settings.experts not in ((), self.experts):
            raise ModelError("its experts are unknown; this model needs another version of improviser")
        self.name = name
        self.settings = settings
        self.inputs: Inputs[Situation] = Inputs(settings.viewpoints, self.viewpoints)
        self.shape: Shape = settings.shape(self.inputs.size, vertical=self.vertical)
        self.genomes = check_genomes(genomes, self.shape)
        self.network = Network(self.shape, self.genomes)

    @classmethod
    def from_parts(cls, name: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Put a model together.

        :raises ModelError: if the parts do not fit each other.
        """
        if "genomes" not in tensors:
            raise ModelError("it holds no genomes; it is damaged")
        return cls(name, read_settings(settings), np.asarray(tensors["genomes"], dtype=np.float32))

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Take the model apart: settings (JSON values) and arrays."""
        return self.settings.to_json(), {"genomes": self.genomes}

    def layers(self) -> list[int]:
        """Return how many nodes each layer of one network has, the inputs first."""
        return [self.shape.inputs, self.shape.hidden, self.shape.pitches + self.shape.rest]

    def strengths(self) -> list[tuple[str, float]]:
        """Return each viewpoint and how strongly it moves the networks, the strongest first."""
        seen = {name: self.viewpoints[name] for name in self.settings.viewpoints}
        return viewpoint_strengths(self.genomes, self.shape, seen)
