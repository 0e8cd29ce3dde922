"""Parts that are chosen together: what a chorale thinks of the notes that may come, ready to be drawn from."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.session import ChoraleSession, Combinations, Opinions, combine, likeliest
from improviser.core.live.decoding import Mask, Wheel, placed, spin, wheel
from improviser.core.live.parameters import Parameters
from improviser.core.networks.responder import Responder

Chance = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the parts play.

    :param own: their pitches, highest part first, as the model has them.
    :param sounding: the same as they are to sound.
    """

    own: tuple[int, ...]
    sounding: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What the parts think of a note.

    :param combinations: what there is to choose among.
    :param shifts: how far each part sounds from where the model has it, in semitones.
    :param sums: the wheel of the combinations.
    """

    combinations: Combinations
    shifts: tuple[int, ...]
    sums: Wheel

    def draw(self, chance: float) -> Drawn:
        """Return what a number ≥ 0 and < 1 falls on."""
        own = self.combinations.pitches_of(spin(self.sums, chance))
        return Drawn(own, tuple(pitch + shift for pitch, shift in zip(own, self.shifts, strict=True)))


class Together:
    """The parts of a chorale in one session.

    :param session: what plays the model.
    """

    def __init__(self, model: ChoraleModel, session: Responder) -> None:
        self.model: Final = model
        self._session = session if isinstance(session, ChoraleSession) else model.responder()
        self._expectations: dict[tuple[int, Hashable], Expectation] = {}
        self._parameters = Parameters()
        self._allowed: Mask | None = None
        self._latest: Expectation | None = None

    def __len__(self) -> int:
        return len(self.model.parts)

    def adopt(self, parameters: Parameters, allowed: Mask | None) -> None:
        """Play with these parameters from now on, and among these pitches."""
        self._parameters, self._allowed = parameters, allowed
        self.forget()

    def forget(self) -> None:
        """Forget what was expected: things stand differently now."""
        self._expectations = {}

    def moment(self, onset_seconds: float) -> Hashable:
        """Return all that matters of an onset."""
        return self._session.moment(onset_seconds)

    def expect(self, pitch: int, now: float) -> tuple[Expectation, bool]:
        """Return what the parts think of a note of the player's, and whether that was thought only now."""
        key = pitch, self._session.moment(now)
        known = self._expectations.get(key)
        if known is not None:
            return known, False
        found = self._expectations[key] = self._thought(pitch, now)
        return found, True

    def expected(self, pitch: int, now: float) -> Expectation | None:
        """Return what `expect` returns, if that was thought before."""
        return self._expectations.get((pitch, self._session.moment(now)))

    def answer(self, pitch: int, now: float, chance: float) -> tuple[Drawn, bool]:
        """Draw what the parts play to a note of the player's; return it, and whether it was thought of only now."""
        self._latest, fresh = self.expect(pitch, now)
        return self._latest.draw(chance), fresh

    def has_answered(self) -> bool:
        """Say whether a note has been answered."""
        return self._latest is not None

    def answer_again(self, chance: float) -> tuple[int, ...]:
        """Draw from what was thought last: for notes that leave no time to think."""
        return () if self._latest is None else self._latest.draw(chance).sounding

    def learn(self, pitch: int, now: float, played: Sequence[int] | None) -> None:
        """Take in a note of the player's, and what the parts played to it, if they did, as the model has it."""
        self._session.learn(pitch, now, played)

    def _thought(self, pitch: int, now: float) -> Expectation:
        model, parameters = self.model, self._parameters
        opinions = self._session.look(pitch, now)
        shifts = (0,) * len(self)
        if self._allowed is not None or parameters.transpose:
            opinions, shifts = self._restricted(opinions)
        found = combine(model, opinions, likeliest(model, opinions.logs, model.candidates))
        return Expectation(found, shifts, wheel(found.scores, parameters.temperature))

    def _restricted(self, opinions: Opinions) -> tuple[Opinions, tuple[int, ...]]:
        """Return the opinions without what may not sound, and how far each part is to be moved."""
        parameters = self._parameters
        logs = opinions.logs.copy()
        shifts = []
        for row in logs:
            _, shift = placed(row, parameters.transpose, parameters.low, parameters.high)
            pitches = np.arange(len(row)) + shift
            possible = (pitches >= 0) & (pitches < len(row))
            if self._allowed is not None and (self._allowed[pitches[possible]]).any():
                possible[possible] = self._allowed[pitches[possible]]
            row[~possible] = -np.inf
            shifts.append(shift)
        return replace(opinions, logs=logs), tuple(shifts)
