"""Echo models: the original's recipe, for whole pieces and, made causal, for live playing."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from improviser.core.echo.causal import CausalDecoder, Tables
from improviser.core.echo.decoding import decode_whole, rate_population
from improviser.core.echo.encoding import EncodedNotes
from improviser.core.echo.network import EchoNetwork, EchoShape
from improviser.core.music.note import PITCHES, Note
from improviser.core.networks.asking import Asked, check_notes, goes_on
from improviser.core.networks.candidates import check_onset, over_candidates
from improviser.core.networks.responder import LogProbabilities
from improviser.errors import ModelError

if TYPE_CHECKING:
    from improviser.core.arrays import Float64Array

LAYER = "layer_{}"


@dataclass(frozen=True, slots=True, eq=False)
class EchoModel(Asked):
    """An evolved or imported network, with the tables a session starts from.

    Asked for a distribution, it follows the player and not itself; where there is no player, the voice's own notes.
    Nearly all is on the causal decoder's choice.

    :param name: what it is called.
    :param network: its weights, float64.
    :param tables: what it heard in training; empty for an imported network.
    """

    name: str
    network: EchoNetwork
    tables: Tables = field(default_factory=Tables)
    task: Literal["echo"] = "echo"

    @classmethod
    def from_parts(cls, name: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Put a model together from its settings (JSON values) and arrays.

        :raises ModelError: if they do not fit each other.
        """
        nodes, layer_type = settings.get("nodes"), settings.get("layer_type")
        if not (isinstance(nodes, list) and all(type(count) is int for count in nodes)):
            raise ModelError("it does not say how many nodes its layers have; it is damaged")
        if not isinstance(layer_type, str):
            raise ModelError("it does not say what type its layers are; it is damaged")
        shape = EchoShape(tuple(nodes), layer_type)  # type: ignore[arg-type]  # checked by the shape itself
        names = [LAYER.format(number) for number in range(len(shape.matrices))]
        if sorted(tensors) != sorted(names):
            raise ModelError(f"it should hold the arrays {', '.join(names)}, and no others; it is damaged")
        weights = tuple(tensors[layer].astype(np.float64) for layer in names)
        return cls(name, EchoNetwork(shape, weights), Tables.of_settings(settings))

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Take the model apart; weights that float32 can hold exactly are held so."""
        settings = {
            "nodes": list(self.network.shape.nodes),
            "layer_type": self.network.shape.layer_type,
            "lookback": self.network.shape.lookback,
            **self.tables.settings(),
        }
        tensors: dict[str, NDArray[Any]] = {}
        for number, weights in enumerate(self.network.weights):
            short = weights.astype(np.float32)
            tensors[LAYER.format(number)] = short if (short == weights).all() else weights
        return settings, tensors

    def layers(self) -> list[int]:
        """Return how many nodes each layer of the network has, the inputs first."""
        return list(self.network.shape.nodes)

    def strengths(self) -> list[tuple[str, float]]:
        """Return each note of the window and how strongly it moves the network, the current one first."""
        weights = np.abs(self.network.shape.collapse(self.network.genome))[::-1]  # the current note is the last
        names = ["the current note", "1 note before", *(f"{back} notes before" for back in range(2, len(weights)))]
        return [(name, float(weight)) for name, weight in zip(names, weights, strict=False)]

    def play_whole(self, pitches: Sequence[int]) -> list[int]:
        """Return the answers to a whole piece, one for each pitch, exactly as the original decodes them."""
        notes = EncodedNotes.of(pitches)
        raw = self.network.outputs(notes.windows(self.network.shape.lookback))
        return notes.decode(decode_whole(raw, notes.ranked))

    def rating(self, notes: EncodedNotes) -> float:
        """Return how well the answers to `notes` follow them: Pearson's correlation of the numbers, or NaN."""
        raw = self.network.outputs(notes.windows(self.network.shape.lookback))
        return float(rate_population(raw[None], notes.numbers, notes.ranked)[0])

    def session(self) -> "EchoSession":
        """Return a session that answers as `distribution` does, note by note."""
        return EchoSession(self)

    def responder(self) -> "EchoResponder":
        """Return a fresh session with this model."""
        return EchoResponder(self)


class EchoSession:
    """An echo model asked note by note; what it has taken in is taken in again only where the past has changed."""

    def __init__(self, model: EchoModel) -> None:
        self._responder = model.responder()
        self._own: list[Note] = []
        self._known: list[Note] = []
        """The notes that the responder knows."""

    def learn(self, note: Note) -> None:
        """Take in the voice's next note.

        :raises NoteError: if it is no note.
        """
        check_notes((note,))
        self._own.append(note)

    def distribution(
        self, onset_seconds: float, *, player: Sequence[Note] = (), candidates: Sequence[int] | None = None
    ) -> NDArray[np.float64]:
        """Return what the model's `distribution` does with the notes learned so far."""
        check_onset(onset_seconds)
        heard = list(player) or self._own.copy()
        if not heard:
            return over_candidates(np.zeros(PITCHES), candidates)
        now = heard.pop()
        if not goes_on(heard, self._known):
            self._responder.reset()
            self._known = []
        fresh = heard[len(self._known) :]
        check_notes((*fresh, now))
        for note in fresh:
            self._responder.learn(note.pitch, note.onset_seconds, None)
        self._known = heard
        return over_candidates(self._responder.propose(now.pitch, onset_seconds), candidates)


class EchoResponder:
    """One session with an echo model: the window, and the causal decoder's memory."""

    def __init__(self, model: EchoModel) -> None:
        shape = model.network.shape
        self._tables = model.tables
        self._places: Float64Array = shape.collapse(model.network.genome)
        self._window: deque[int] = deque(maxlen=shape.lookback)
        self._decoder = CausalDecoder(self._tables)

    def propose(self, pitch: int, onset_seconds: float) -> LogProbabilities:  # noqa: ARG002
        """Return log-probabilities, shape (128,), of the answer to the player's `pitch`; changes nothing."""
        return self._decoder.log_preferences(pitch, self._output(self._decoder.number_of(pitch)))

    def moment(self, onset_seconds: float) -> None:
        """Return nothing: this recipe does not look at onsets."""

    def learn(self, pitch: int, onset_seconds: float, played: int | None) -> None:  # noqa: ARG002
        """Take in the player's note; what was played to it does not matter to this recipe."""
        number = self._decoder.number_of(pitch)
        self._decoder.hear(pitch, self._output(number))
        self._window.append(number)

    def reset(self) -> None:
        """Forget the session."""
        self._window.clear()
        self._decoder = CausalDecoder(self._tables)

    def _output(self, number: int) -> float:
        """Return the network's output when `number` enters the window, which fills from its beginning."""
        notes = [*self._window, number][-len(self._places) :]
        return float(self._places[: len(notes)] @ np.array(notes, np.float64))
