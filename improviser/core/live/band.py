"""The band: the models that play, one part each, and how their opinions become pitches.

While the player plays, each part answers each note. When the player has stopped, one part leads and the others answer
the leader: a melody model goes on from what was played; without one, an echo model answers the player's phrase note by
note; with harmony models alone the leader is not heard at all: they play to the phrase, varied, as it is remembered.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import NamedTuple

import numpy as np

from improviser.core.chorale.model import ChoraleModel
from improviser.core.harmony.context import Experts
from improviser.core.harmony.holding import probability
from improviser.core.live.burst import Burst
from improviser.core.live.chance import Chance
from improviser.core.live.decoding import Mask, Wheel, placed, spin, spin_towards, wheel
from improviser.core.live.foresight import likely_notes, likely_onsets
from improviser.core.live.homeward import Lengths, homeward
from improviser.core.live.joining import REMEMBERED, Heard, Joining, listen
from improviser.core.live.left_hand import moved
from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.originality import Originality
from improviser.core.live.parameters import ADAPTATIONS, Parameters
from improviser.core.live.register import allowed_pitches, nearest, within
from improviser.core.live.together import Together
from improviser.core.live.votes import Votes
from improviser.core.melody.mixture import MixedResponder, members
from improviser.core.melody.model import MelodyModel
from improviser.core.music.home import Home, HomeTracker
from improviser.core.music.note import PITCHES
from improviser.core.music.phrase import CHORD_SECONDS
from improviser.core.music.pitch import AUTO, in_midi
from improviser.core.music.scales import pitches_in
from improviser.core.networks.responder import (
    Accompanist,
    Holder,
    Imaginative,
    LogProbabilities,
    Model,
    Responder,
    Singer,
)
from improviser.core.tasks.registry import TASKS

SURE_OF_KEY = 4
"""Notes after which "auto" trusts its ears."""

REPEATS = 3
"""A line does not sing one pitch more often than this in a row."""

CLOSING = 4.5
"""How much more likely the stable notes of the mode are at the end of a reply (added to log-probabilities)."""

LINE, FIGURE, TIRED = 32, 3, 2.0
"""Of the last notes of a line: what came after the last few twice before is less likely, by so much each time."""


class Prediction(NamedTuple):
    """What a part thinks of a note, ready to be drawn from.

    :param logs: its opinion, log-probabilities of its own pitches, shape (128,).
    :param scores: the same of the pitches that sound, `shift` semitones away.
    :param sums: the `wheel` of those that are allowed.
    """

    logs: LogProbabilities
    scores: LogProbabilities
    shift: int
    sums: Wheel


Factors = Mapping[int, float]
"""How many times likelier some pitches are."""
NO_FACTORS: Factors = {}
Favour = Callable[[int, Prediction], Factors]
"""What makes which pitches likelier of a part, given its number and what it thinks."""


class Band:
    """The models' responders in one session.

    :param chance: the only source of chance.
    """

    def __init__(self, models: Sequence[Model], parameters: Parameters, chance: Chance) -> None:
        self._chance = chance
        self._home = HomeTracker()
        self._at_home: Home | None = None
        self._tonic: int | None = None
        self._lengths = Lengths()
        self._heard: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._heard_count = 0
        self._notes = 0
        self._lessons: list[Callable[[], None]] = []
        self._chord: list[tuple[float, int, int]] = []
        self._line: deque[int] = deque(maxlen=LINE)
        self._originality = Originality()
        self._votes = Votes()
        self._burst = Burst()
        self._opinions: list[LogProbabilities] = []
        """What each part predicted for the note that it heard last, if it has heard one."""
        self._wheels: list[Wheel] = []
        """The same, to be drawn from in a burst; made when the first of it comes."""
        self._predictions: list[dict[tuple[int, Hashable], Prediction]] = []
        """What each part thinks, as things stand, of notes (pitch and moment) that may come, or one that has."""
        self._likely: Iterator[tuple[int, float]] = iter(())
        self.foreseen = False
        """Whether all parts had predicted the note that was answered last before it came."""
        self.models: tuple[Model, ...] = ()
        """The models that play, without what was adapted to the player."""
        self._adapted: Mapping[str, MelodyModel] = {}
        self._parts: tuple[Responder, ...] = ()
        self._choirs: tuple[Together, ...] = ()
        """Parts that are chosen together; they answer after the others."""
        self._former: list[Responder] = []
        """Responders that played before, freed one at a time: all at once would delay a note."""
        self._experts: tuple[Experts | None, ...] = ()
        self._basses: tuple[bool, ...] = ()
        self._singer: Singer | None = None
        self.imaginative: Imaginative | None = None
        """The part that sings, if it can imagine notes, so that replies are composed."""
        self._leader: Responder | None = None
        self._parameters, self._allowed = parameters, allowed_pitches(parameters)
        self.join(Joining(models))
        self.adopt(parameters)

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def plays(self) -> bool:
        """Whether there is anybody to play."""
        return bool(self._parts or self._choirs)

    @property
    def is_choral(self) -> bool:
        """Whether parts are chosen together: then the player's line is answered, chord by chord."""
        return bool(self._choirs)

    @property
    def imagines_its_leader(self) -> bool:
        """Whether no part can lead."""
        return self._leader is None

    @property
    def accompanies(self) -> bool:
        """Whether a part weighs all that the player sounds: then chords are answered, and else each note."""
        return not self._choirs and any(experts is not None for experts in self._experts)

    @property
    def allowed(self) -> Mask | None:
        """Which pitches may sound, shape (128,); None if all."""
        return self._allowed

    def home_with(self, notes: Iterable[tuple[int, float]]) -> HomeTracker:
        """Return where home is once these notes, pitches and onsets, are heard as well; changes nothing."""
        home = self._home.copy()
        for pitch, onset in notes:
            home.hear(pitch, onset)
        return home

    @property
    def home(self) -> int | None:
        """The pitch class of the home note, if enough has been heard to tell."""
        if self._notes < SURE_OF_KEY:
            return None
        if self._tonic is None:
            self._tonic = self._home.tonic
        return self._tonic

    def _mode(self) -> Home:
        """Return the tonic and the mode as the last note left them."""
        if self._at_home is None:
            self._at_home = self._home.home()
        return self._at_home

    def tonality(self, now: float) -> Home:
        """Return the tonic and the mode of what the player plays, and how certain they are; `now` may end a phrase."""
        return self._home.home(now)

    @property
    def heard(self) -> Heard:
        """What models get to know of the player's notes before they join."""
        return Heard(self._heard_count, tuple(self._heard))

    def join(self, joining: Joining) -> None:
        """Let other models play; what they need to know and have not learned yet, they learn now."""
        self.settle()
        self.models, self._adapted = joining.models, {}
        self._former += [member for part in self._parts for member in members(part)]
        joined = [*zip(joining.models, joining.finish(self.heard), strict=True)]
        self._choirs = tuple(Together(model, part) for model, part in joined if isinstance(model, ChoraleModel))
        joined = [(model, part) for model, part in joined if not isinstance(model, ChoraleModel)]
        models, self._parts = [model for model, _ in joined], tuple(part for _, part in joined)
        self._opinions = []
        contexts = [model if isinstance(model, Accompanist) else None for model in models]
        self._experts = tuple(None if context is None else Experts(context.context) for context in contexts)
        self._basses = tuple(context is not None and context.is_bass for context in contexts)
        singers = [part for part in self._parts if isinstance(part, Singer)]
        echoes = [part for part, model in zip(self._parts, models, strict=True) if _can_lead(model)]
        self._singer = singers[0] if singers else None
        self.imaginative = self._singer if isinstance(self._singer, Imaginative) else None
        self._leader = next(iter([*singers, *echoes]), None)
        self._restrict_choirs()
        self._forget_predictions()

    def _restrict_choirs(self) -> None:
        for choir in self._choirs:
            choir.adopt(self._parameters, self._allowed)

    def let_go(self) -> bool:
        """Free one of the responders that played before; return whether there was one."""
        return bool(self._former) and self._former.pop() is not None

    def adopt(self, parameters: Parameters) -> None:
        """Play with these parameters from now on.

        :raises ConfigError: if they cannot be.
        """
        self._allowed = allowed_pitches(parameters)
        self._parameters = parameters
        self._play_adapted()
        self._wheels = []
        self._tune()
        self._restrict_choirs()
        self._forget_predictions()

    def adapt(self, adapted: Mapping[str, MelodyModel]) -> None:
        """Let models that play be as these of their names are, the others as they were; what they remember stays."""
        self.settle()
        self._adapted = adapted
        self._play_adapted()
        self._forget_predictions()

    @property
    def weights(self) -> Mapping[str, float]:
        """How much each of the models of the line has to say just now; nothing before the player has said anything."""
        return self._singer.weights if isinstance(self._singer, MixedResponder) and self._singer.weighed else {}

    def _play_adapted(self) -> None:
        for part in self._parts:
            if isinstance(part, MixedResponder):
                part.adapt({} if self._parameters.adapt == ADAPTATIONS[0] else self._adapted)

    def _tune(self) -> None:
        """Keep to the key that is heard, if that is asked for."""
        parameters = self._parameters
        if parameters.scale == AUTO:
            scale = pitches_in(self._mode().scale) if self._notes >= SURE_OF_KEY else None
            self._allowed = within(parameters.low, parameters.high, scale)

    def settle(self) -> None:
        """Learn from the notes heard and played since the last call."""
        if not self._lessons:
            return
        for lesson in self._lessons:
            lesson()
        self._lessons.clear()
        self._at_home = self._tonic = None
        if any(self._basses):
            self._tonic = self._home.tonic
        if self._parameters.scale == AUTO:
            self._tune()
            self._restrict_choirs()
        self._forget_predictions()

    def _forget_predictions(self) -> None:
        """Forget what was predicted: things stand differently now."""
        self._predictions = [{} for _ in self._parts]
        for choir in self._choirs:
            choir.forget()
        self._likely = _expected([*self._parts, *self._choirs], self._heard)

    def foresee(self) -> bool:
        """Think about one more of the notes that are likely to come next; return whether there may be more of them.

        This changes nothing that is played: an answer comes the sooner.
        """
        if self._lessons:
            return False
        for pitch, onset in self._likely:
            fresh = [self._predicted(number, pitch, onset)[1] for number in range(len(self._parts))]
            fresh += [choir.expect(pitch, onset)[1] for choir in self._choirs]
            if any(fresh):
                return True
        return False

    def _predicted(self, number: int, pitch: int, now: float) -> tuple[Prediction, bool]:
        """Return the prediction of a part for a note of the player's, and whether it was made only now."""
        responder, predictions = self._parts[number], self._predictions[number]
        key = pitch, responder.moment(now)
        prediction = predictions.get(key)
        if prediction is not None:
            return prediction, False
        logs = responder.propose(pitch, now)
        if responder is self._singer:
            logs = self._shaped(logs, now)
        elif self._basses[number] and pitch % 12 == self.home:
            logs = homeward(logs, pitch, self._mode(), self._lengths.likely_long(pitch))
        predictions[key] = self._weighed(self._votes.weigh(number, logs))
        return predictions[key], True

    def _weighed(self, logs: LogProbabilities) -> Prediction:
        """Return an opinion ready to be drawn from."""
        parameters = self._parameters
        scores, shift = placed(logs, parameters.transpose, parameters.low, parameters.high)
        return Prediction(logs, scores, shift, wheel(scores, parameters.temperature, self._allowed))

    def hear(self, pitch: int, now: float) -> None:
        """Take in a note of the player that is not answered."""
        if self._burst.drops(now):
            return
        self._remember(pitch, now)
        self._lessons += [partial(part.learn, pitch, now, None) for part in self._parts]
        self._lessons += [partial(choir.learn, pitch, now, None) for choir in self._choirs]

    def listen(self, pitch: int, now: float) -> None:
        """Take in a note of a phrase that is to be replied to."""
        if self._burst.drops(now):
            return
        self._remember(pitch, now)
        self._originality.hear(pitch)
        # An echo that leads will hear the phrase again, note by note, as it replies.
        echo = self._leader if self._singer is None else None
        self._lessons += [partial(listen, responder, pitch, now) for responder in self._parts if responder is not echo]
        self._lessons += [partial(choir.learn, pitch, now, None) for choir in self._choirs]

    def answer(self, pitch: int, channel: int, now: float) -> list[int]:
        """Return each part's answer to a note of the player, to be played on `channel`."""
        self.foreseen = False
        if (
            self._burst.drops(now)
            and (self._opinions or not self._parts)
            and all(map(Together.has_answered, self._choirs))
        ):
            return self._draw()
        self._remember(pitch, now)
        self._opinions, self._wheels = [], []
        self.foreseen = self.plays
        played = []
        for number, responder in enumerate(self._parts):
            prediction, fresh = self._predicted(number, pitch, now)
            self.foreseen = self.foreseen and not fresh
            sounding, own = self._play(number, prediction, pitch, channel, now)
            if responder is self._singer:
                self._line.append(own)
            self._opinions.append(prediction.logs)
            played.append(sounding)
        for choir in self._choirs:
            chord, fresh = choir.answer(pitch, now, self._chance.random())
            self.foreseen = self.foreseen and not fresh
            self._lessons.append(partial(choir.learn, pitch, now, chord.own))
            played += chord.sounding
        return played

    def opinions(self, pitch: int, now: float) -> list[Prediction]:
        """Return what each part thinks of a note of the player's, the tune, that starts now."""
        predictions = [self._predicted(number, pitch, now) for number in range(len(self._parts))]
        self.foreseen = bool(predictions) and not any(fresh for _, fresh in predictions)
        self._opinions, self._wheels = [prediction.logs for prediction, _ in predictions], []
        return [prediction for prediction, _ in predictions]

    def is_bass(self, number: int) -> bool:
        """Say whether a part plays the lowest voice."""
        return self._basses[number]

    def experts(self, number: int) -> Experts | None:
        """Return the experts on all that sounds of a part, if it has any."""
        return self._experts[number]

    def holds_over(self, number: int, tune: int, now: float) -> bool:
        """Draw whether a part that stays on its pitch under a note of the tune holds it over, or strikes it again."""
        part = self._parts[number]
        if not isinstance(part, Holder):
            return False
        return self._chance.random() < probability(part.hold_odds(tune, now), self._parameters.temperature)

    def overhear(self, pitch: int, now: float) -> None:
        """Take in a note of the player's for what home is."""
        self._notes += 1
        self._lessons.append(partial(self._home.hear, pitch, now))
        self._lessons.append(partial(self._lengths.hear, pitch, now))

    def remember(self, tune: int, now: float) -> None:
        """Take in a note of the tune for what may come next."""
        self._heard.append((tune, now))
        self._heard_count += 1

    def later(self, lesson: Callable[[], None]) -> None:
        """Let something be learned once the answer has been sent."""
        self._lessons.append(lesson)

    def teach(self, number: int, tune: int, now: float, played: int | None, shift: int) -> None:
        """Let a part learn what it has sounding (None: it rests) with a note of the tune."""
        own = None if played is None else in_midi(played - shift)
        if own is not None:
            self._lessons.append(partial(self._votes.play, number, own, now))
            if self._parts[number] is self._singer:
                self._line.append(own)
        self._lessons.append(partial(self._parts[number].learn, tune, now, own))

    def pick_from(self, scores: LogProbabilities, channel: int, now: float, held: frozenset[int]) -> int:
        """Draw a pitch by log-probabilities, shape (128,): allowed, and none that the player holds."""
        free = np.ones(PITCHES, np.bool_) if self._allowed is None else self._allowed.copy()
        free[[*held]] = False
        free &= np.isfinite(scores)
        free = free if free.any() else np.isfinite(scores)
        pitch = spin(wheel(scores, self._parameters.temperature, free), self._chance.random())
        self.take(channel, pitch, now)
        return pitch

    def vote(self, *, good: bool) -> bool:
        """Count a vote on the last phrase that was played; return whether there is one."""
        self.settle()
        self._forget_predictions()
        return self._votes.vote(good=good)

    def forget(self) -> None:
        """Take all votes back, and play as without adaptation."""
        self._votes.forget()
        self.adapt({})

    def give(self, channel: int, pitch: int) -> None:
        """Leave a pitch that a part has struck."""
        self._chord = [taken for taken in self._chord if taken[1:] != (channel, pitch)]

    def foretell(
        self, pitch: int, channel: int, now: float, first: int, *, think: bool, favour: Favour | None = None
    ) -> tuple[list[int], bool] | None:
        """Return what `answer` would return, and whether it was predicted before; changes nothing that is played.

        :param first: how many random numbers are drawn before.
        :param think: whether to predict it now, if it was not predicted before. Else nothing is returned.
        :param favour: what makes which pitches of a part likelier.
        """
        if self._chance.left < first + 2 * len(self._parts) + len(self._choirs):
            return None
        numbers = count(first)
        taken = [sounds for onset, on, sounds in self._chord if on == channel and 0 <= now - onset < CHORD_SECONDS]
        played: list[int] = []
        foreseen = self.plays
        for number, responder in enumerate(self._parts):
            prediction = self._predictions[number].get((pitch, responder.moment(now)))
            if prediction is None and not think:
                return None
            if prediction is None:
                prediction, foreseen = self._predicted(number, pitch, now)[0], False
            factors = NO_FACTORS if favour is None else favour(number, prediction)
            sounding = self._pick(prediction, taken, lambda: self._chance.peek(next(numbers)), factors)
            taken.append(sounding)
            played.append(sounding)
        for choir in self._choirs:
            expected = choir.expected(pitch, now)
            if expected is None and not think:
                return None
            if expected is None:
                expected, foreseen = choir.expect(pitch, now)[0], False
            played += expected.draw(self._chance.peek(next(numbers))).sounding
        return played, foreseen

    @property
    def burst_ends(self) -> float:
        """Until when a note is one of a burst."""
        return self._burst.until

    def _draw(self) -> list[int]:
        """Return an answer of each part from its last opinion."""
        if not self._wheels:
            self._wheels = [self._weighed(logs).sums for logs in self._opinions]
        drawn = [spin(sums, self._chance.random()) for sums in self._wheels]
        return drawn + [pitch for choir in self._choirs for pitch in choir.answer_again(self._chance.random())]

    def lead(self, pitch: int, channel: int, now: float, *, closing: bool) -> list[int]:
        """Return what each part plays to a beat of a reply that goes by `pitch`; `closing` for its last."""
        played = []
        leader, singer = self._leader, self._singer
        leads = next((number for number, part in enumerate(self._parts) if part is leader), None)
        if singer is not None and leads is not None:
            logs = self._shaped(singer.proceed(now), now, closing=closing)
            if MODES_BY_NAME[self._parameters.mode].endless:
                self._originality.weigh(logs)
            prediction = self._weighed(self._votes.weigh(leads, logs))
            sounding = self.pick(prediction, channel, now)
            pitch = in_midi(sounding - prediction.shift)
            self._lessons.append(partial(singer.follow, pitch, now, own=True))
            self._lessons.append(partial(self._votes.play, leads, pitch, now))
        elif leader is not None and leads is not None:
            logs = self._shaped(leader.propose(pitch, now), now, closing=closing)
            prediction = self._weighed(self._votes.weigh(leads, logs))
            sounding, pitch = self._play(leads, prediction, pitch, channel, now)
        if leader is not None:
            self._line.append(pitch)
            self._originality.play(pitch)
            played.append(sounding)
        return played + self._join(pitch, channel, now, closing=closing)

    @property
    def favour(self) -> list[float]:
        """What the player's votes make of each pitch of the leader's, in nats, shape (128,); empty without any."""
        leads = next((number for number, part in enumerate(self._parts) if part is self._leader), 0)
        return self._votes.weigh(leads, np.zeros(PITCHES)).tolist() if self._votes.count else []

    def sing(self, pitch: int, shift: int, channel: int, now: float, *, closing: bool) -> list[int]:
        """Return what each part plays to a note of a reply that was composed before, sounding `shift` semitones away.

        The singer sings it; if there is none any more, it is only what the others go by.
        """
        singer = self._singer
        if singer is None:  # others have joined since
            return self.lead(pitch, channel, now, closing=closing)
        sounding = nearest(pitch + shift, self._allowed)
        self.take(channel, sounding, now)
        own = in_midi(sounding - shift)
        leads = next(number for number, part in enumerate(self._parts) if part is singer)
        self._lessons.append(partial(singer.follow, own, now, own=True))
        self._lessons.append(partial(self._votes.play, leads, own, now))
        self._line.append(own)
        self._originality.play(own)
        return [sounding, *self._join(own, channel, now, closing=closing)]

    def _join(self, pitch: int, channel: int, now: float, *, closing: bool) -> list[int]:
        """Return what all parts play that do not lead."""
        played, leader = [], self._leader
        for number, responder in enumerate(self._parts):
            if responder is not leader:
                logs = responder.propose(pitch, now)
                shaped = self._shaped(logs, now, closing=True) if closing and leader is None else logs
                prediction = self._weighed(self._votes.weigh(number, shaped))
                played.append(self._play(number, prediction, pitch, channel, now)[0])
        for choir in self._choirs:
            chord, _ = choir.answer(pitch, now, self._chance.random())
            self._lessons.append(partial(choir.learn, pitch, now, chord.own))
            played += chord.sounding
        return played

    def lead_left(self, figure: Sequence[int], harmony: Sequence[int], tune: int) -> list[int]:
        """Return what the left hand plays under a note of a reply's tune: nothing, if a part plays the bass."""
        if any(self._basses) or self._choirs:
            return []
        return moved(figure, harmony, tune, self._home.home().scale)

    def take(self, channel: int, pitch: int, now: float) -> None:
        """Leave a pitch to the player, who sounds it on `channel` now."""
        self._taken(now)
        self._chord.append((now, channel, pitch))

    def _taken(self, now: float) -> list[tuple[float, int, int]]:
        """Return what began to sound with the chord that sounds now: time, channel and pitch."""
        chord = self._chord[-REMEMBERED:]
        self._chord = [taken for taken in chord if 0 <= now - taken[0] < CHORD_SECONDS]
        return self._chord

    def _remember(self, pitch: int, now: float) -> None:
        self.remember(pitch, now)
        self.overhear(pitch, now)

    def _play(self, number: int, prediction: Prediction, pitch: int, channel: int, now: float) -> tuple[int, int]:
        """Choose a part's answer to `pitch`; return what it sounds, and what that is to the model."""
        played = self.pick(prediction, channel, now)
        # A model lives in its own register: what it learns is what it would have played there.
        own = in_midi(played - prediction.shift)
        self._lessons.append(partial(self._parts[number].learn, pitch, now, own))
        self._lessons.append(partial(self._votes.play, number, own, now))
        return played, own

    def pick(self, prediction: Prediction, channel: int, now: float, factors: Factors = NO_FACTORS) -> int:
        """Draw a pitch to sound: allowed, and not one that sounds for another note of the same chord.

        :param factors: how many times likelier some pitches are.
        """
        taken = [sounds for _, on, sounds in self._taken(now) if on == channel]
        pitch = self._pick(prediction, taken, self._chance.random, factors)
        self._chord.append((now, channel, pitch))
        return pitch

    def _pick(self, prediction: Prediction, taken: Sequence[int], chance: Callable[[], float], factors: Factors) -> int:
        """Draw a pitch by numbers ≥ 0 and < 1, another one than those `taken` if there is any."""
        pitch = spin_towards(prediction.sums, factors, chance()) if factors else spin(prediction.sums, chance())
        if pitch in taken:  # draw again among the others, which is as if they alone had been drawn from
            free = np.ones(PITCHES, np.bool_) if self._allowed is None else self._allowed.copy()
            free[taken] = False
            if free.any():
                others = wheel(prediction.scores, self._parameters.temperature, free)
                pitch = spin(others, chance())
        return pitch

    def _shaped(self, logs: LogProbabilities, now: float, *, closing: bool = False) -> LogProbabilities:
        """Return the opinion on a line's next pitch kept from going round in circles, and drawn home at the end."""
        shaped = logs.copy()
        line = list(self._line)
        figure = line[-FIGURE:]
        if len(line) >= REPEATS and len({*line[-REPEATS:]}) == 1:
            shaped[line[-1]] = -np.inf
        followers = [line[end] for end in range(FIGURE, len(line)) if line[end - FIGURE : end] == figure]
        for pitch in {*followers}:
            shaped[pitch] -= TIRED * (followers.count(pitch) - 1)
        if closing:
            for pitch_class in self.tonality(now).stable:
                shaped[pitch_class::12] += CLOSING
        return shaped


def _expected(parts: Sequence[Responder | Together], heard: Iterable[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """Yield pitch and onset of notes that are likely to come after those `heard`, the likeliest first."""
    pitches, times = [pitch for pitch, _ in heard], [onset for _, onset in heard]
    onsets = likely_onsets(times)
    if onsets:
        moments = [(tuple(part.moment(onset) for part in parts), onset) for onset in onsets]
        yield from likely_notes(pitches, moments)


def _can_lead(model: Model) -> bool:
    """Say whether a model's task lets it lead where there is no singer; a caller's own model may be of none."""
    return model.task in TASKS and TASKS[model.task].leads
