"""The brief: what a reply is to be. The same brief and the same dice make the same reply."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from improviser.core.music.note import PITCHES
from improviser.core.replies.line import LONGEST_LINE, Line
from improviser.core.replies.vocabulary import Known


@dataclass(frozen=True, slots=True)
class Ladder:
    """The pitches that a reply may have, ascending, at least one."""

    pitches: tuple[int, ...]
    _places: list[int] = field(init=False, default_factory=list, repr=False, compare=False)
    _all: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pitches, place = self.pitches, 0
        for pitch in range(PITCHES):
            while place + 1 < len(pitches) and abs(pitches[place + 1] - pitch) < abs(pitches[place] - pitch):
                place += 1
            self._places.append(place)
        object.__setattr__(self, "_all", frozenset(pitches))

    def place(self, pitch: int) -> int:
        """Return the place of the pitch, or of the one that is nearest."""
        return self._places[min(PITCHES - 1, max(0, pitch))]

    def at(self, place: int) -> int:
        """Return the pitch at a place; below the lowest it is the lowest, above the highest the highest."""
        return self.pitches[min(len(self.pitches) - 1, max(0, place))]

    def moved(self, pitch: int, steps: int) -> int:
        """Return a pitch moved along the ladder."""
        return self.at(self.place(pitch) + steps)

    def near(self, pitch: int) -> int:
        """Return the pitch, or the one that is nearest."""
        return self.at(self.place(pitch))

    def holds(self, pitch: int) -> bool:
        """Say whether a pitch is on it."""
        return pitch in self._all


@dataclass(frozen=True, slots=True)
class Surface:
    """What is heard of a tune together with what goes with it: the highest of the notes that begin together.

    :param of: returns the pitches that are heard of a tune's pitches.
    :param figures: rows of three intervals of what was heard of the player's phrases.
    """

    of: Callable[[tuple[int, ...]], Sequence[int]]
    figures: frozenset[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Brief:
    """What a reply is to be.

    :param phrase: what it replies to, at least one note.
    :param known: what was said in the session, that phrase included.
    :param ladder: the pitches that it may have.
    :param before: what was played last before it, the latest last; may be empty.
    :param weights: how much the player uses each pitch class, shape (12,), summing to 1.
    :param stable: how likely each pitch class is a stable one of the mode, shape (12,).
    :param favour: what the player's votes make of each pitch, in nats, shape (128,); empty without any.
    :param goal: the pitch that it is to end on.
    :param centre: about which pitch it is to move.
    :param span: how many semitones it is to span, about.
    :param kinship: how much of the player's it is to have, 0-1.
    :param temperature: how little it counts how well it was foreseen, 0-4.
    :param fewest, most: how many notes it is to have.
    :param seconds: about how long it is to be.
    :param goes_on: whether it goes on from what was played before it, and figures are heard across the rest between.
    :param keeps_rhythm: whether it is to have the phrase's rhythm, note by note: an accompaniment goes with it.
    :param surface: what is heard of it with that accompaniment.
    """

    phrase: Line
    known: Known
    ladder: Ladder
    before: tuple[int, ...]
    weights: Sequence[float]
    stable: Sequence[float]
    goal: int
    centre: float
    span: float
    kinship: float = 0.5
    temperature: float = 0.7
    favour: Sequence[float] = ()
    fewest: int = 1
    most: int = LONGEST_LINE
    seconds: float = 4.0
    goes_on: bool = False
    keeps_rhythm: bool = False
    surface: Surface | None = None
