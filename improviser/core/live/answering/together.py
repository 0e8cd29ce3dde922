"""Parts that are chosen together: what a chorale thinks of the notes that may come, ready to be drawn from."""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import add
from typing import Final, NamedTuple

import numpy as np

from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.ornaments import STEPS
from improviser.core.chorale.session import ChoraleSession, Combinations, Opinions, combine
from improviser.core.chorale.terms import SOPRANO
from improviser.core.chorale.voices import PARTS, ChoraleVoices
from improviser.core.harmony.holding import probability
from improviser.core.live.answering.chords import draw_chord
from improviser.core.live.answering.decoding import Mask, Wheel, placed, wheel
from improviser.core.live.answering.register import within
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.which_part import WhichPart
from improviser.core.music.parts import NAMES, Sung
from improviser.core.music.pitch import AUTO
from improviser.core.networks.responder import Responder

Chance = Callable[[], float]

REMEMBERED = 8
"""Chords that are known at once to what answers another part, when the player's part changes."""


class Drawn(NamedTuple):
    """What the parts play.

    :param own: their pitches, highest part first, as the model has them.
    :param sung: the same as they are to sound.
    :param given: which part the player's note was taken for.
    """

    own: tuple[int, ...]
    sung: tuple[Sung, ...]
    given: int


class Expectation(NamedTuple):
    """What the parts think of a note.

    :param voices: who thinks so.
    :param opinions: of each part by itself.
    :param combinations: what there is to choose among.
    :param shifts: how far each part sounds from where the model has it, in semitones.
    :param sums: running sums of the chances of the combinations, see `wheel`.
    :param temperature: at which they are drawn.
    """

    voices: ChoraleVoices
    opinions: Opinions
    combinations: Combinations
    shifts: tuple[int, ...]
    sums: Wheel
    temperature: float

    def draw(self, chance: float) -> Drawn:
        """Return what a number ≥ 0 and < 1 falls on."""
        own = draw_chord(self.combinations, self.opinions, self.sums, self.temperature, chance)
        voices = self.voices
        sung = [Sung(*each) for each in zip(map(add, own, self.shifts), voices.others, strict=True)]
        return Drawn(own, tuple(sung), voices.given)


@dataclass(frozen=True, slots=True)
class Ornament:
    """A step that a part takes after a chord.

    :param part: which part, 0 (the soprano) to 3 (the bass).
    :param number: which of `ornaments.STEPS`.
    """

    part: int
    number: int

    @property
    def step(self) -> int:
        """How far it moves, in semitones."""
        return STEPS[self.number]


Chord = tuple[int | None, ...]
"""What sounded, the soprano first; None: the part rested."""


class Together:
    """The parts of a chorale in one session.

    :param session: what plays the model to a soprano.
    """

    def __init__(self, model: ChoraleModel, session: Responder) -> None:
        self.model: Final = model
        first = session if isinstance(session, ChoraleSession) else model.responder()
        self._sessions: dict[int, ChoraleSession] = {SOPRANO: first}
        """What answers each part that the player may be playing."""
        self._which = WhichPart([*model.answered])
        self._past: deque[tuple[Chord, float]] = deque(maxlen=REMEMBERED)
        self._expectations: dict[tuple[int, Hashable], Expectation] = {}
        self._considered: tuple[tuple[int, Hashable], Opinions] | None = None
        """A note that is half thought of: what the parts think of it, each by itself."""
        self._parameters = Parameters()
        self._allowed: Mask | None = None
        self._latest: Expectation | None = None
        self._drawn: Drawn | None = None

    def __len__(self) -> int:
        return PARTS

    def adopt(self, parameters: Parameters, allowed: Mask | None) -> None:
        """Play with these parameters from now on, and among these pitches."""
        if parameters.part != self._parameters.part:
            self._take_parts(parameters.part)
        self._parameters, self._allowed = parameters, allowed
        self.forget()

    def _take_parts(self, part: str) -> None:
        """Take the player's notes for a part, or for any ("auto"): what answers it gets to know the last chords."""
        parts = self.model.answered if part == AUTO else (self._known(NAMES.index(part)),)
        self._sessions = {given: self._sessions.get(given) or self._acquainted(given) for given in parts}

    def _known(self, given: int) -> int:
        return given if given in self.model.answered else SOPRANO

    def _acquainted(self, given: int) -> ChoraleSession:
        session = ChoraleSession(self.model.answering(given))
        for chord, onset in self._past:
            _teach(session, chord, onset)
        return session

    def forget(self) -> dict[tuple[int, Hashable], Expectation]:
        """Forget what was expected: things stand differently now. Return that, which takes time to be freed."""
        stale, self._expectations, self._considered = self._expectations, {}, None
        return stale

    def _part_of(self, pitch: int) -> int:
        """Return which part a note of the player's is taken for."""
        return next(iter(self._sessions)) if len(self._sessions) == 1 else self._which.look(pitch)

    def moment(self, onset_seconds: float) -> Hashable:
        """Return all that matters of an onset."""
        return next(iter(self._sessions.values())).moment(onset_seconds)

    def expect(self, pitch: int, now: float) -> tuple[Expectation, bool]:
        """Return what the parts think of a note of the player's, and whether that was thought only now."""
        key = pitch, self.moment(now)
        known = self._expectations.get(key)
        if known is not None:
            return known, False
        considered, self._considered = self._considered, None
        opinions = considered[1] if considered is not None and considered[0] == key else None
        found = self._expectations[key] = self._thought(pitch, now, opinions)
        return found, True

    def consider(self, pitch: int, now: float) -> bool:
        """Begin to think of a note: `expect` thinks the other half; return whether it was not thought of."""
        key = pitch, self.moment(now)
        if key in self._expectations:
            return False
        self._considered = key, self._sessions[self._part_of(pitch)].look(pitch, now)
        return True

    def expects(self, pitch: int, now: float) -> bool:
        """Say whether what `expect` returns was thought before."""
        return (pitch, self.moment(now)) in self._expectations

    def answer(self, pitch: int, now: float, chance: Chance) -> tuple[Drawn, bool]:
        """Draw what the parts play to a note of the player's; return it, and whether it was thought of only now."""
        self._latest, fresh = self.expect(pitch, now)
        self._drawn = self.draw(self._latest, pitch, now, chance)
        return self._drawn, fresh

    @property
    def draws(self) -> int:
        """How many numbers an answer takes."""
        return 1 + PARTS * self._parameters.hold

    def draw(self, expectation: Expectation, pitch: int, now: float, chance: Chance) -> Drawn:
        """Draw what the parts play, and what of it they hold over if it sounds, by `draws` numbers ≥ 0 and < 1."""
        drawn = expectation.draw(chance())
        if not self._parameters.hold:
            return drawn
        session = self._sessions[drawn.given]
        before = () if session.before is None else [session.before[part] for part in expectation.voices.others]
        chances = [chance() for _ in drawn.own]
        holds = [
            own == earlier and number < self._may_hold(session, part, pitch, now)
            for part, (own, earlier, number) in enumerate(zip(drawn.own, before, chances, strict=False))
        ]
        sung = [each._replace(holds=hold) for each, hold in zip(drawn.sung, holds, strict=False)] or drawn.sung
        return drawn._replace(sung=tuple(sung))

    def _may_hold(self, session: ChoraleSession, part: int, pitch: int, now: float) -> float:
        return probability(session.hold_odds(part, pitch, now), self._parameters.temperature)

    def ornament(self, chance: float) -> Ornament | None:
        """Draw whether a part moves after the chord that was drawn last, and how."""
        latest, drawn = self._latest, self._drawn
        if latest is None or drawn is None or latest.voices.ornaments is None:
            return None
        given = latest.voices.given
        chord = (*drawn.own[:given], latest.opinions.given, *drawn.own[given:])
        weights = latest.voices.ornaments.weights(chord, latest.opinions.place, given)
        found = latest.voices.ornaments.draw(weights, self._parameters.ornament, chance)
        return None if found is None else Ornament(*found)

    def move(self, ornament: Ornament, *, back: bool = False) -> None:
        """Take in that a part has moved so, or has moved back."""
        for session in self._sessions.values():
            session.ornament(ornament.part, None if back else ornament.number)
        self.forget()

    def has_answered(self) -> bool:
        """Say whether a note has been answered."""
        return self._latest is not None

    def answer_again(self, chance: float) -> tuple[Sung, ...]:
        """Draw from what was thought last: for notes that leave no time to think."""
        return () if self._latest is None else self._latest.draw(chance).sung

    def learn(self, pitch: int, now: float, played: Sequence[int] | None) -> None:
        """Take in a note of the player's, and what the parts played to it, if they did, as the model has it."""
        given = self._part_of(pitch)
        self._which.hear(pitch)
        rest: tuple[int | None, ...] = (None,) * PARTS if played is None else tuple(played)
        chord = (*rest[:given], pitch, *rest[given:])
        self._past.append((chord, now))
        for session in self._sessions.values():
            _teach(session, chord, now)

    def _thought(self, pitch: int, now: float, opinions: Opinions | None) -> Expectation:
        given = self._part_of(pitch)
        voices, parameters = self.model.answering(given), self._parameters
        if opinions is None:
            opinions = self._sessions[given].look(pitch, now)
        shifts = (0,) * PARTS
        if self._allowed is not None or parameters.transpose or parameters.registers != DEFAULT.registers:
            opinions, shifts = self._restricted(voices, opinions)
        found, temperature = combine(voices, opinions), parameters.temperature
        return Expectation(voices, opinions, found, shifts, wheel(found.scores, temperature), temperature)

    def _restricted(self, voices: ChoraleVoices, opinions: Opinions) -> tuple[Opinions, tuple[int, ...]]:
        """Return the opinions without what may not sound, and how far each part is to be moved."""
        parameters = self._parameters
        logs = opinions.logs.copy()
        shifts = []
        for part, row in zip(voices.others, logs, strict=True):
            low, high = parameters.register_of_part(part)
            allowed = self._allowed
            if (low, high) != (parameters.low, parameters.high):
                allowed = within(low, high, allowed)
            _, shift = placed(row, parameters.transpose, low, high)
            pitches = np.arange(len(row)) + shift
            possible = (pitches >= 0) & (pitches < len(row))
            if allowed is not None and (allowed[pitches[possible]]).any():
                possible[possible] = allowed[pitches[possible]]
            row[~possible] = -np.inf
            shifts.append(shift)
        return opinions._replace(logs=logs), tuple(shifts)


DEFAULT: Final = Parameters()


def _teach(session: ChoraleSession, chord: Chord, onset: float) -> None:
    """Let a session learn a chord, if the part that it answers had a note in it."""
    given = session.given
    if (pitch := chord[given]) is not None:
        others = (*chord[:given], *chord[given + 1 :])
        session.learn(pitch, onset, None if all(other is None for other in others) else others)
