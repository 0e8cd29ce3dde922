"""Evolved replies in a session: a reply is evolved while nothing else is to be done, and ready when it is due.

The reply depends only on what was heard and on when it is due; if anything happens before that, it is discarded. So it
makes no difference how early it was evolved, or whether it was begun before it was due at all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from improviser.core.live.answering.accompanying import Accompanying
from improviser.core.live.answering.band import Band
from improviser.core.live.answering.left_hand import hands_of
from improviser.core.live.answering.register import shift_to
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.replying.reply import Beat, reply_to
from improviser.core.live.replying.said_chords import basses_of, left_chords_of
from improviser.core.live.replying.stability import BASS_PHRASES, PHRASES, Floats, Said, stability
from improviser.core.live.replying.surface import surface_of
from improviser.core.music.note import PITCHES
from improviser.core.music.phrase import Heard, Phrase, PhraseTracker
from improviser.core.replies.brief import Brief, Ladder
from improviser.core.replies.dice import Dice
from improviser.core.replies.evolve import Evolution
from improviser.core.replies.foresight import Imagine
from improviser.core.replies.form import Form, Turn
from improviser.core.replies.line import LONGEST_LINE, Line, line_of
from improviser.core.replies.vocabulary import Known, Vocabulary, weights_of

USED = 0.02
"""A pitch class is the player's if it has at least this share of what was played lately."""
FEW = 5
"""With fewer pitch classes than this, those of the key count as the player's, too."""
BEYOND, BEYOND_IN_SOLOS = 5, 12
"""Semitones beyond the player's register that a reply may go."""
SHORTER, LONGER = 0.75, 1.3
"""How many times as many notes as the phrase a reply has, at least and at most."""
FEWEST = 2, 3
"""Notes of a reply to one note, at least and at most."""
BEFORE = 8
"""Of the notes before it a reply knows so many."""
NEAR_GOAL, STABLE_GOAL = 3.0, 0.85
"""Semitones by which a goal is half as likely, and how stable it is at least, against the most stable."""
AROUND, DRIFTING, FARTHEST = 6, 0.12, 24
"""Votes on pitches so near its middle move a reply, against so many nats a semitone, and no farther."""
LONGEST_SECONDS, LEAST_SPAN = 16.0, 7


@dataclass(frozen=True, slots=True)
class Composed:
    """A reply: its beats, the phrase that it goes by, and how many pulses of rest follow."""

    beats: list[Beat]
    phrase: Phrase
    rest: int


@dataclass(slots=True)
class _Thought:
    """A reply that is being thought about, and what there will be in mind once it is played."""

    turn: float
    phrase: Phrase
    border: float | None
    vocabulary: Vocabulary
    homes: tuple[Floats, ...]
    form: Form
    rest: int
    evolution: Evolution


class Evolving:
    """Makes the replies of one session.

    :param entropy: what the chance of all replies comes of.
    """

    def __init__(self, band: Band, tracker: PhraseTracker, accompanying: Accompanying, entropy: int) -> None:
        self._band = band
        self._tracker = tracker
        self._accompanying = accompanying
        self._entropy = entropy
        self._vocabulary = Vocabulary()
        self._homes: tuple[Floats, ...] = ()
        """How likely each key was after each of the last phrases."""
        self._form = Form()
        self._replies = self._phrases = 0
        """How many replies were made, and how many of the tracker's phrases are in the vocabulary."""
        self._thought: _Thought | None = None

    def forget(self) -> None:
        """Throw away what was thought about the next reply."""
        self._thought = None

    def think(self, turn: float, parameters: Parameters) -> bool:
        """Think about the reply that will be due at `turn`, one piece; return whether there is more to think.

        Nothing that is played depends on whether this was called.
        """
        if self._thought is None or self._thought.turn != turn:
            self._thought = self._begin(turn, parameters)
            return True
        return self._thought.evolution.think()

    def pieces(self, turn: float) -> int | None:
        """Return how many pieces of the reply of that moment are thought; None if it is finished."""
        if self._thought is None or self._thought.turn != turn:
            return 0
        evolution = self._thought.evolution
        return None if evolution.done else evolution.pieces

    def compose(self, now: float, parameters: Parameters, pieces: int | None) -> Composed:
        """Return the reply that is due now; where `pieces` is given, as it is after so many pieces of thinking."""
        thought, self._thought = self._thought, None
        if thought is None or thought.turn != now:
            thought = self._begin(now, parameters)
        line = thought.evolution.finish(pieces)
        self._phrases = self._tracker.closed + self._tracker.is_open
        self._vocabulary, self._homes, self._form = thought.vocabulary.played(line), thought.homes, thought.form
        self._replies += 1
        return Composed(_beats(line, thought.phrase, thought.border), thought.phrase, thought.rest)

    def _begin(self, turn: float, parameters: Parameters) -> _Thought:
        """Begin to think about a reply to the phrase that will be over at `turn`, or to one that is remembered."""
        tracker, dice = self._tracker, Dice(np.random.default_rng((self._entropy, self._replies)))
        border = None if parameters.follow == "every" else self._accompanying.border
        vocabulary = self._vocabulary
        fresh = min(len(tracker.phrases), tracker.closed - self._phrases)
        for phrase in list(tracker.phrases)[len(tracker.phrases) - fresh :]:
            vocabulary = vocabulary.heard(_tune(phrase, border)[0])
        asked, form, turn_of_solo = tracker.phrase(turn), Form(), None
        if asked is None:
            turn_of_solo, form = self._form.turn(dice, len(tracker.phrases))
            asked = tracker.phrases[-1 - turn_of_solo.back]
        tune = _tune(asked, border)
        phrases = list(tracker.phrases)
        home = self._band.tonality.with_notes([(pitch, onset) for pitch, onset, _ in self._accompanying.pending])
        homes = (*self._homes, home.chances(turn))[-PHRASES:]
        if turn_of_solo is None:
            vocabulary = vocabulary.heard(tune[0])
            phrases.append(asked)
        said = Said(homes, [each.pitches for each in vocabulary.phrases])
        if border is not None and tune[1]:
            lately = phrases[-BASS_PHRASES:]
            chords = [left_chords_of(phrase, border) for phrase in lately]
            said = replace(said, basses=[*map(basses_of, lately)], chords=chords)
        scale = home.home(turn).scale
        brief = self._brief(tune, Known(vocabulary), scale, said, turn_of_solo, parameters, dice)
        if border is not None and tune[1]:
            brief = replace(brief, surface=surface_of(reply_to(asked, border=border), phrases, scale))
        evolution = Evolution(brief, self._imagine(), dice)
        rest = 0 if turn_of_solo is None else turn_of_solo.rest
        homes = homes if turn_of_solo is None else self._homes
        return _Thought(turn, asked, border, vocabulary, homes, form, rest, evolution)

    def _imagine(self) -> Imagine | None:
        singer = self._band.lineup.imaginative
        if singer is None:
            return None
        pending = [pitch for pitch, _, is_tune in self._accompanying.pending if is_tune]
        return lambda pitches: singer.imagine([*pending, *pitches])

    def _brief(
        self,
        tune: tuple[Line, bool],
        known: Known,
        scale: frozenset[int],
        said: Said,
        solo: Turn | None,
        parameters: Parameters,
        dice: Dice,
    ) -> Brief:
        line, has_left = tune
        pitches = [pitch for each in said.tunes for pitch in each]
        weights, stable = weights_of(pitches[-256:], scale), stability(said)
        middle = sum(line.pitches) / len(line)
        if solo is None:
            replies = known.vocabulary.phrases
            centre = 0.6 * middle + 0.4 * known.middle + dice.within(-3, 3)
            span = float(max(known.usual_span, max(line.pitches) - min(line.pitches)))
            fewest, most = max(1, round(SHORTER * len(line))), min(LONGEST_LINE, round(LONGER * len(line)) + 1)
            seconds, beyond = line.seconds, BEYOND
            if len(line) == 1 and not has_left:  # one note alone says nothing; it is answered by a few
                fewest, most = FEWEST
                seconds = line.touches[0].gap_seconds * (sum(FEWEST) / 2 - 1) + line.touches[0].duration_seconds
        else:
            replies = known.vocabulary.replies or known.vocabulary.phrases
            centre = known.middle + solo.rise
            span = max(LEAST_SPAN, known.usual_span) * solo.opening
            fewest, most = solo.fewest, solo.most
            seconds, beyond = line.seconds / len(line) * (fewest + most) / 2, BEYOND_IN_SOLOS
        favour = self._band.favour
        drift = _drift(favour, centre)
        centre += drift
        register = known.lowest - beyond + min(0, drift), known.highest + beyond + max(0, drift)
        ladder = self._ladder(weights, scale, register, parameters)
        return Brief(
            phrase=line,
            known=known,
            ladder=ladder,
            before=replies[-1].pitches[-BEFORE:] if replies else (),
            weights=weights,
            stable=stable,
            goal=_goal(ladder, stable, line.pitches[-1] + drift if solo is None else round(centre), dice),
            centre=centre,
            span=span,
            kinship=parameters.kinship,
            temperature=parameters.temperature,
            favour=favour,
            fewest=fewest,
            most=most,
            seconds=min(LONGEST_SECONDS, max(0.1, seconds)),
            goes_on=solo is not None,
            keeps_rhythm=has_left,
        )

    def _ladder(
        self, weights: Sequence[float], scale: frozenset[int], register: tuple[int, int], parameters: Parameters
    ) -> Ladder:
        """Return the pitches that a reply may have: the player's, as allowed, in the player's register."""
        classes = {pitch_class for pitch_class, weight in enumerate(weights) if weight >= USED}
        if len(classes) < FEW:
            classes |= scale
        allowed, shift = self._band.drawing.allowed, shift_to(parameters, sum(register) / 2)
        free = [pitch for pitch in range(PITCHES) if 0 <= pitch + shift < PITCHES]
        if allowed is not None:
            free = [pitch for pitch in free if allowed[pitch + shift]] or free
        near = [pitch for pitch in free if register[0] <= pitch <= register[1]] or free
        theirs = [pitch for pitch in near if pitch % 12 in classes]
        # Where another key is asked for than the player's, the two may share too little to play with.
        enough = len({pitch % 12 for pitch in theirs}) >= min(FEW - 1, len({pitch % 12 for pitch in near}))
        return Ladder(tuple(theirs if enough else near))


def _tune(phrase: Phrase, border: float | None) -> tuple[Line, bool]:
    """Return the tune of a phrase, and whether there is a left hand beside it."""
    left: list[Heard] = []
    if border is not None:
        right, left = hands_of(phrase, border)
        phrase = replace(phrase, notes=tuple(right))
    return line_of(phrase.melody(), phrase), bool(left)


def _beats(line: Line, phrase: Phrase, border: float | None) -> list[Beat]:
    """Return the beats of a line: with the left hand's figures where the phrase is for two hands."""
    if border is not None and hands_of(phrase, border)[1]:
        pitches = iter(line.pitches)
        beats = reply_to(phrase, border=border)
        return [beat if beat.figure else replace(beat, pitch=next(pitches), composed=True) for beat in beats]
    return [
        Beat(onset, touch.duration_seconds, touch.velocity, touch.channel, pitch, composed=True)
        for onset, touch, pitch in zip(line.onsets, line.touches, line.pitches, strict=True)
    ]


def _drift(favour: Sequence[float], centre: float) -> int:
    """Return by how many semitones the player's votes, if there are any, move where a reply lies."""
    if not favour:
        return 0

    def worth(drift: int) -> float:
        middle = round(centre) + drift
        around = favour[max(0, middle - AROUND) : max(0, middle + AROUND + 1)]
        return sum(around) / len(around) - DRIFTING * abs(drift) if around else -math.inf

    return max(range(-FARTHEST, FARTHEST + 1), key=lambda drift: (worth(drift), -abs(drift)))


def _goal(ladder: Ladder, stable: Sequence[float], near: int, dice: Dice) -> int:
    """Return a pitch to end on: a stable one, rather near another."""
    most = max(stable[pitch % 12] for pitch in ladder.pitches)
    goals = [pitch for pitch in ladder.pitches if stable[pitch % 12] >= STABLE_GOAL * most]
    chances = [stable[pitch % 12] * 2.0 ** (-abs(pitch - near) / NEAR_GOAL) for pitch in goals]
    point = dice.random() * sum(chances)
    for goal, chance in zip(goals, chances, strict=True):
        point -= chance
        if point < 0:
            return goal
    return goals[-1]
