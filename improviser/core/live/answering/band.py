"""The band: the models that play, one part each, and how their opinions become pitches.

While the player plays, each part answers each note. When the player has stopped, one part leads and the others answer
the leader: a melody model goes on from what was played; without one, an echo model answers the player's phrase note by
note; with harmony models alone the leader is not heard at all: they play to the phrase, varied, as it is remembered.

Who plays is the `lineup`; opinions become pitches in `drawing`.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, MutableMapping, Sequence
from functools import partial
from itertools import count
from typing import Any, Final

import numpy as np

from improviser.core.harmony.holding import probability
from improviser.core.live.answering.burst import Burst
from improviser.core.live.answering.chance import Chance
from improviser.core.live.answering.decoding import Wheel, spin
from improviser.core.live.answering.drawing import NO_FACTORS, Drawing, Favour, Prediction
from improviser.core.live.answering.homeward import NO_HOME
from improviser.core.live.answering.joining import REMEMBERED, Heard, Joining, listen
from improviser.core.live.answering.left_hand import moved
from improviser.core.live.answering.line_so_far import LineSoFar
from improviser.core.live.answering.lineup import LineUp
from improviser.core.live.answering.register import allowed_pitches, nearest, within
from improviser.core.live.answering.together import Ornament, Together
from improviser.core.live.answering.tonality import Tonality
from improviser.core.live.parameters.table import ADAPTATIONS, Parameters
from improviser.core.live.player.votes import Votes
from improviser.core.melody.mixture import MixedResponder, members
from improviser.core.melody.model import MelodyModel
from improviser.core.music.note import PITCHES
from improviser.core.music.parts import Sung
from improviser.core.music.pitch import AUTO, in_midi
from improviser.core.music.scales import pitches_in
from improviser.core.networks.responder import Holder, LogProbabilities, Model, Responder

FREED = 2
"""So many of the stale thoughts are freed with each new one."""


class Band:
    """The models' responders in one session.

    :param chance: the only source of chance.
    """

    def __init__(self, models: Sequence[Model], parameters: Parameters, chance: Chance) -> None:
        self._chance = chance
        self.tonality: Final = Tonality()
        self._heard: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._heard_count = 0
        self._lessons: list[Callable[[], None]] = []
        self._line: Final = LineSoFar()
        self._votes = Votes()
        self._burst = Burst()
        self._opinions: list[LogProbabilities] = []
        """What each part predicted for the note that it heard last, if it has heard one."""
        self._wheels: list[Wheel] = []
        """The same, to be drawn from in a burst; made when the first of it comes."""
        self._predictions: list[dict[tuple[int, Hashable], Prediction]] = []
        """What each part thinks, as things stand, of notes (pitch and moment) that may come, or one that has."""
        self._stale: list[MutableMapping[Any, Any]] = []
        """What was thought before the last note, freed little by little: all at once would delay the next one."""
        self._likely: Iterator[tuple[int, float] | None] = iter(())
        self._halves: list[tuple[Together, tuple[int, float]]] = []
        """Notes that parts that are chosen together have half thought of."""
        self.foreseen = False
        """Whether all parts had predicted the note that was answered last before it came."""
        self.lineup = LineUp((), ())
        """The models that play, without what was adapted to the player, and what they do."""
        self._adapted: Mapping[str, MelodyModel] = {}
        self._former: list[Responder] = []
        """Responders that played before, freed one at a time: all at once would delay a note."""
        self._parameters = parameters
        self.drawing: Final = Drawing(chance, parameters, allowed_pitches(parameters))
        self.join(Joining(models))
        self.adopt(parameters)

    def __len__(self) -> int:
        return len(self.lineup.parts)

    @property
    def plays(self) -> bool:
        """Whether there is anybody to play."""
        return self.lineup.plays

    @property
    def draws(self) -> int:
        """How many numbers an answer takes, at most."""
        return 2 * len(self.lineup.parts) + sum([choir.draws for choir in self.lineup.choirs])

    @property
    def is_choral(self) -> bool:
        """Whether parts are chosen together: then the player's line is answered, chord by chord."""
        return bool(self.lineup.choirs)

    @property
    def heard(self) -> Heard:
        """What models get to know of the player's notes before they join."""
        return Heard(self._heard_count, tuple(self._heard))

    def join(self, joining: Joining) -> None:
        """Let other models play; what they need to know and have not learned yet, they learn now."""
        self.settle()
        self._former += [member for part in self.lineup.parts for member in members(part)]
        self.lineup, self._adapted = LineUp(joining.models, joining.finish(self.heard)), {}
        self._opinions = []
        self._restrict_choirs()
        self._forget_predictions()

    def _restrict_choirs(self) -> None:
        for choir in self.lineup.choirs:
            choir.adopt(self._parameters, self.drawing.allowed)

    def let_go(self) -> bool:
        """Free one of the responders that played before; return whether there was one."""
        return bool(self._former) and self._former.pop() is not None

    def adopt(self, parameters: Parameters) -> None:
        """Play with these parameters from now on.

        :raises ConfigError: if they cannot be.
        """
        self.drawing.adopt(parameters, allowed_pitches(parameters))
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
        singer = self.lineup.singer
        return singer.weights if isinstance(singer, MixedResponder) and singer.weighed else {}

    def _play_adapted(self) -> None:
        for part in self.lineup.parts:
            if isinstance(part, MixedResponder):
                part.adapt({} if self._parameters.adapt == ADAPTATIONS[0] else self._adapted)

    def _tune(self) -> None:
        """Keep to the key that is heard, if that is asked for."""
        parameters = self._parameters
        if parameters.scale == AUTO:
            scale = pitches_in(self.tonality.home.scale) if self.tonality.is_sure else None
            self.drawing.adopt(parameters, within(parameters.low, parameters.high, scale))

    def settle(self) -> None:
        """Learn from the notes heard and played since the last call."""
        if not self._lessons:
            return
        for lesson in self._lessons:
            lesson()
        self._lessons.clear()
        self.tonality.renew(tonics=self.lineup.has_bass)
        if self._parameters.scale == AUTO:
            self._tune()
            self._restrict_choirs()
        self._forget_predictions()

    def _forget_predictions(self) -> None:
        """Forget what was predicted: things stand differently now."""
        self._stale = [*self._predictions, *(choir.forget() for choir in self.lineup.choirs)]
        self._predictions = [{} for _ in self.lineup.parts]
        self._think_anew()

    def _think_anew(self) -> None:
        self._likely, self._halves = self.lineup.likely(self._heard), []

    def foresee(self) -> bool:
        """Think one piece about the notes that are likely to come next; return whether there may be more.

        This changes nothing that is played: an answer comes the sooner.
        """
        if self._lessons:
            return False
        if self._halves:
            choir, half = self._halves.pop()
            choir.expect(*half)
            return True
        for likely in self._likely:
            if likely is None:
                return True
            fresh = [self._predicted(number, *likely)[1] for number in range(len(self))]
            self._halves = [(choir, likely) for choir in self.lineup.choirs if choir.consider(*likely)]
            if any(fresh) or self._halves:
                self._free(FREED)
                return True
        return self._free(FREED)

    def _free(self, count: int) -> bool:
        """Free so many of the stale thoughts; return whether there are more."""
        stale = self._stale
        for _ in range(count):
            while stale and not stale[-1]:
                stale.pop()
            if not stale:
                return False
            stale[-1].popitem()
        return True

    def _predicted(self, number: int, pitch: int, now: float) -> tuple[Prediction, bool]:
        """Return the prediction of a part for a note of the player's, and whether it was made only now."""
        lineup, predictions = self.lineup, self._predictions[number]
        responder = lineup.parts[number]
        key = pitch, responder.moment(now)
        prediction = predictions.get(key)
        if prediction is not None:
            return prediction, False
        logs = responder.propose(pitch, now)
        if responder is lineup.singer:
            logs = self._shaped(logs, now)
        elif lineup.basses[number]:
            logs = self.tonality.departing(logs, pitch)
            if self.tonality.home_chance(pitch) > NO_HOME:
                logs = self.tonality.homeward(logs, pitch)
        prediction = predictions[key] = self._weighed(number, logs)
        return prediction, True

    def _weighed(self, number: int, logs: LogProbabilities) -> Prediction:
        """Return an opinion of a part ready to be drawn from, as the votes change it."""
        return self.drawing.weighed(self._votes.weigh(number, logs), accompanies=self._accompanies(number))

    def _accompanies(self, number: int) -> bool:
        """Say whether a part goes with what the player sounds; where each note is answered it does as it ever did."""
        return self.lineup.experts[number] is not None and self._parameters.follow != "every"

    def hear(self, pitch: int, now: float) -> None:
        """Take in a note of the player that is not answered."""
        if self._burst.drops(now):
            return
        self._remember(pitch, now)
        self._lessons += [partial(member.learn, pitch, now, None) for member in self.lineup.members]

    def listen(self, pitch: int, now: float) -> None:
        """Take in a note of a phrase that is to be replied to."""
        if self._burst.drops(now):
            return
        self._remember(pitch, now)
        # An echo that leads will hear the phrase again, note by note, as it replies.
        lineup = self.lineup
        echo = lineup.leader if lineup.singer is None else None
        self._lessons += [partial(listen, responder, pitch, now) for responder in lineup.parts if responder is not echo]
        self._lessons += [partial(choir.learn, pitch, now, None) for choir in lineup.choirs]

    def answer(self, pitch: int, channel: int, now: float) -> list[Sung]:
        """Return each part's answer to a note of the player, to be played on `channel`, or the channel of each part."""
        self.foreseen, lineup = False, self.lineup
        if (
            self._burst.drops(now)
            and (self._opinions or not lineup.parts)
            and all(map(Together.has_answered, lineup.choirs))
        ):
            return self._draw()
        self._remember(pitch, now)
        self._opinions, self._wheels = [], []
        self.foreseen = self.plays
        played: list[Sung] = []
        for number, responder in enumerate(lineup.parts):
            prediction, fresh = self._predicted(number, pitch, now)
            self.foreseen = self.foreseen and not fresh
            sounding, own = self._play(number, prediction, pitch, channel, now)
            if responder is lineup.singer:
                self._line.sing(own)
            self._opinions.append(prediction.logs)
            played.append(Sung(sounding, lineup.named[number]))
        for choir in lineup.choirs:
            chord, fresh = choir.answer(pitch, now, self._chance.random)
            self.foreseen = self.foreseen and not fresh
            self._lessons.append(partial(choir.learn, pitch, now, chord.own))
            played += chord.sung
        return played

    def ornament(self) -> tuple[Together, Ornament] | None:
        """Draw whether a part of a chorale moves between two of the player's notes: whose, and how."""
        found = [(choir, choir.ornament(self._chance.random())) for choir in self.lineup.choirs]
        return next(((choir, ornament) for choir, ornament in found if ornament is not None), None)

    def move(self, choir: Together, ornament: Ornament, *, back: bool = False) -> None:
        """Take in that a part of a chorale has moved so, or has moved back: what may come is thought of anew."""
        choir.move(ornament, back=back)
        self._think_anew()

    def opinions(self, pitch: int, now: float) -> list[Prediction]:
        """Return what each part thinks of a note of the player's, the tune, that starts now."""
        predictions = [self._predicted(number, pitch, now) for number in range(len(self))]
        self.foreseen = bool(predictions) and not any(fresh for _, fresh in predictions)
        self._opinions, self._wheels = [prediction.logs for prediction, _ in predictions], []
        return [prediction for prediction, _ in predictions]

    def channel_of(self, number: int, channel: int) -> int:
        """Return the channel of a part, where others play on `channel`."""
        return self._parameters.channel_of_part(channel, self.lineup.named[number])

    def holds_over(self, number: int, tune: int, now: float) -> bool:
        """Draw whether a part that stays on its pitch under a note of the tune holds it over, or strikes it again."""
        part = self.lineup.parts[number]
        if not isinstance(part, Holder):
            return False
        return self._chance.random() < probability(part.hold_odds(tune, now), self._parameters.temperature)

    def overhear(self, pitch: int, now: float) -> None:
        """Take in a note of the player's for what home is."""
        self.tonality.count()
        self._lessons.append(partial(self.tonality.hear, pitch, now))

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
            if self.lineup.parts[number] is self.lineup.singer:
                self._line.sing(own)
        self._lessons.append(partial(self.lineup.parts[number].learn, tune, now, own))

    def vote(self, *, good: bool) -> bool:
        """Count a vote on the last phrase that was played; return whether there is one."""
        self.settle()
        self._forget_predictions()
        return self._votes.vote(good=good)

    def forget(self) -> None:
        """Take all votes back, and play as without adaptation."""
        self._votes.forget()
        self.adapt({})

    def foretell(
        self,
        pitch: int,
        channel: int,
        now: float,
        first: int,
        *,
        think: bool,
        favour: Favour | None = None,
        held: Sequence[int] = (),
    ) -> tuple[list[Sung], bool] | None:
        """Return what `answer` would return, and whether it was predicted before; changes nothing that is played.

        :param first: how many random numbers are drawn before; those of the answer have been drawn, `draws` of them.
        :param think: whether to predict it now, if it was not predicted before. Else nothing is returned.
        :param favour: what makes which pitches of a part likelier.
        :param held: pitches that are not free.
        """
        parts, choirs = self.lineup.parts, self.lineup.choirs
        numbers = count(first)
        taken: list[tuple[int, int]] = []
        played: list[Sung] = []
        foreseen = self.plays
        for number, responder in enumerate(parts):
            if not think and (pitch, responder.moment(now)) not in self._predictions[number]:
                return None
            prediction, fresh = self._predicted(number, pitch, now)
            foreseen = foreseen and not fresh
            factors = NO_FACTORS if favour is None else favour(number, prediction)
            on_channel = self.channel_of(number, channel)
            there = [*held, *self.drawing.taken_on(on_channel, now)] + [
                sounds for on, sounds in taken if on == on_channel
            ]
            sounding = self.drawing.choose(prediction, there, lambda: self._chance.peek(next(numbers)), factors)
            taken.append((on_channel, sounding))
            played.append(Sung(sounding, self.lineup.named[number]))
        for choir in choirs:
            if not (think or choir.expects(pitch, now)):
                return None
            expected, fresh = choir.expect(pitch, now)
            foreseen = foreseen and not fresh
            played += choir.draw(expected, pitch, now, lambda: self._chance.peek(next(numbers))).sung
        return played, foreseen

    @property
    def burst_ends(self) -> float:
        """Until when a note is one of a burst."""
        return self._burst.until

    def _draw(self) -> list[Sung]:
        """Return an answer of each part from its last opinion."""
        if not self._wheels:
            self._wheels = [
                self.drawing.weighed(logs, accompanies=self._accompanies(number)).sums
                for number, logs in enumerate(self._opinions)
            ]
        named = self.lineup.named
        drawn = [Sung(spin(sums, self._chance.random()), part) for sums, part in zip(self._wheels, named, strict=True)]
        return drawn + [sung for choir in self.lineup.choirs for sung in choir.answer_again(self._chance.random())]

    def lead(self, pitch: int, channel: int, now: float, *, closing: bool) -> list[Sung]:
        """Return what each part plays to a beat of a reply that goes by `pitch`; `closing` for its last."""
        played: list[Sung] = []
        leads, singer = self.lineup.leads, self.lineup.singer
        if leads is not None and singer is not None:
            prediction = self._weighed(leads, self._shaped(singer.proceed(now), now, closing=closing))
            sounding = self.drawing.pick(prediction, self.channel_of(leads, channel), now)
            pitch = in_midi(sounding - prediction.shift)
            self._lessons.append(partial(singer.follow, pitch, now, own=True))
            self._lessons.append(partial(self._votes.play, leads, pitch, now))
        elif leads is not None:
            logs = self._shaped(self.lineup.parts[leads].propose(pitch, now), now, closing=closing)
            sounding, pitch = self._play(leads, self._weighed(leads, logs), pitch, channel, now)
        if leads is not None:
            self._line.sing(pitch)
            played.append(Sung(sounding, self.lineup.named[leads]))
        return played + self._join(pitch, channel, now, closing=closing)

    @property
    def favour(self) -> list[float]:
        """What the player's votes make of each pitch of the leader's, in nats, shape (128,); empty without any."""
        leads = self.lineup.leads or 0
        return self._votes.weigh(leads, np.zeros(PITCHES)).tolist() if self._votes.count else []

    def sing(self, pitch: int, shift: int, channel: int, now: float, *, closing: bool) -> list[Sung]:
        """Return what each part plays to a note of a reply that was composed before, sounding `shift` semitones away.

        The singer sings it; if there is none any more, it is only what the others go by.
        """
        singer, leads = self.lineup.singer, self.lineup.leads
        if singer is None or leads is None:  # others have joined since
            return self.lead(pitch, channel, now, closing=closing)
        sounding = nearest(pitch + shift, self.drawing.allowed)
        self.drawing.take(channel, sounding, now)
        own = in_midi(sounding - shift)
        self._lessons.append(partial(singer.follow, own, now, own=True))
        self._lessons.append(partial(self._votes.play, leads, own, now))
        self._line.sing(own)
        return [Sung(sounding, self.lineup.named[leads]), *self._join(own, channel, now, closing=closing)]

    def _join(self, pitch: int, channel: int, now: float, *, closing: bool) -> list[Sung]:
        """Return what all parts play that do not lead."""
        played: list[Sung] = []
        leader = self.lineup.leader
        for number, responder in enumerate(self.lineup.parts):
            if responder is not leader:
                logs = responder.propose(pitch, now)
                shaped = self._shaped(logs, now, closing=True) if closing and leader is None else logs
                sounding, _ = self._play(number, self._weighed(number, shaped), pitch, channel, now)
                played.append(Sung(sounding, self.lineup.named[number]))
        for choir in self.lineup.choirs:
            chord, _ = choir.answer(pitch, now, self._chance.random)
            self._lessons.append(partial(choir.learn, pitch, now, chord.own))
            played += chord.sung
        return played

    def lead_left(self, figure: Sequence[int], harmony: Sequence[int], tune: int) -> list[int]:
        """Return what the left hand plays under a note of a reply's tune: nothing, if a part plays the bass."""
        if self.lineup.has_bass or self.lineup.choirs:
            return []
        return moved(figure, harmony, tune, self.tonality.home.scale)

    def _remember(self, pitch: int, now: float) -> None:
        self.remember(pitch, now)
        self.overhear(pitch, now)

    def _play(self, number: int, prediction: Prediction, pitch: int, channel: int, now: float) -> tuple[int, int]:
        """Choose a part's answer to `pitch`; return what it sounds, and what that is to the model."""
        played = self.drawing.pick(prediction, self.channel_of(number, channel), now)
        # A model lives in its own register: what it learns is what it would have played there.
        own = in_midi(played - prediction.shift)
        self._lessons.append(partial(self.lineup.parts[number].learn, pitch, now, own))
        self._lessons.append(partial(self._votes.play, number, own, now))
        return played, own

    def _shaped(self, logs: LogProbabilities, now: float, *, closing: bool = False) -> LogProbabilities:
        """Return the opinion on a line's next pitch kept from going round in circles, and drawn home at the end."""
        return self._line.shaped(logs, self.tonality.at(now).stable if closing else ())
