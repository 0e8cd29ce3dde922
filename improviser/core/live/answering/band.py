"""The band: the models that play, one part each: what they hear and learn, and how each answers a note of the player's.

Who plays is the `lineup`; what each part thinks is in `predictions`, which become pitches in `drawing`. What they play
when the player has stopped is in `replying.leading`.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Final

import numpy as np

from improviser.core.harmony.holding import probability
from improviser.core.live.answering.burst import Burst, LastOpinions
from improviser.core.live.answering.chance import Chance
from improviser.core.live.answering.drawing import NO_FACTORS, Drawing, Favour, Prediction
from improviser.core.live.answering.joining import REMEMBERED, Heard, Joining, listen
from improviser.core.live.answering.line_so_far import LineSoFar
from improviser.core.live.answering.lineup import LineUp
from improviser.core.live.answering.predictions import Predictions
from improviser.core.live.answering.register import allowed_pitches, within
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
        self.line: Final = LineSoFar()
        """What the part that leads has sung last."""
        self.votes: Final = Votes()
        self._burst = Burst()
        self.foreseen = False
        """Whether all parts had predicted the note that was answered last before it came."""
        self.lineup = LineUp((), ())
        """The models that play, without what was adapted to the player, and what they do."""
        self._adapted: Mapping[str, MelodyModel] = {}
        self._former: list[Responder] = []
        """Responders that played before, freed one at a time: all at once would delay a note."""
        self._parameters = parameters
        self.drawing: Final = Drawing(chance, parameters, allowed_pitches(parameters))
        self.predictions: Final = Predictions(self.drawing, self.tonality, self.line, self.votes)
        self._last: Final = LastOpinions(self.predictions)
        self.join(Joining(models))
        self.adopt(parameters)

    def __len__(self) -> int:
        return len(self.lineup.parts)

    @property
    def heard(self) -> Heard:
        """What models get to know of the player's notes before they join."""
        return Heard(self._heard_count, tuple(self._heard))

    def join(self, joining: Joining) -> None:
        """Let other models play; what they need to know and have not learned yet, they learn now."""
        self.settle()
        self._former += [member for part in self.lineup.parts for member in members(part)]
        self.lineup, self._adapted = LineUp(joining.models, joining.finish(self.heard)), {}
        self._last.take([])
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
        self._last.weigh_anew()
        self._tune()
        self._restrict_choirs()
        self._forget_predictions()

    def adapt(self, adapted: Mapping[str, MelodyModel]) -> None:
        """Let models that play be as these of their names are, the others as they were; what they remember stays."""
        self.settle()
        self._adapted = adapted
        self._play_adapted()
        self._forget_predictions()

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
        self.predictions.renew(self.lineup, self._parameters.follow, self._heard)

    def foresee(self) -> bool:
        """Think one piece about the notes that are likely to come next; return whether there may be more.

        This changes nothing that is played: an answer comes the sooner.
        """
        return not self._lessons and self.predictions.foresee()

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
        if self._burst.drops(now) and len(self._last) == len(self) and all(map(Together.has_answered, lineup.choirs)):
            return self._answer_again()
        self._remember(pitch, now)
        self.foreseen = lineup.plays
        opinions: list[LogProbabilities] = []
        played: list[Sung] = []
        for number, responder in enumerate(lineup.parts):
            prediction, fresh = self.predictions.of(number, pitch, now)
            self.foreseen = self.foreseen and not fresh
            sounding, own = self.play(number, prediction, pitch, channel, now)
            if responder is lineup.singer:
                self.line.sing(own)
            opinions.append(prediction.logs)
            played.append(Sung(sounding, lineup.named[number]))
        self._last.take(opinions)
        if lineup.choirs:
            chords, fresh = self.answer_together(pitch, now)
            self.foreseen = self.foreseen and not fresh
            played += chords
        return played

    def answer_together(self, pitch: int, now: float) -> tuple[list[Sung], bool]:
        """Return what parts that are chosen together play to a note, and whether any was thought of only now."""
        sung: list[Sung] = []
        any_fresh = False
        for choir in self.lineup.choirs:
            chord, fresh = choir.answer(pitch, now, self._chance.random)
            any_fresh = any_fresh or fresh
            self._lessons.append(partial(choir.learn, pitch, now, chord.own))
            sung += chord.sung
        return sung, any_fresh

    def ornament(self) -> tuple[Together, Ornament] | None:
        """Draw whether a part of a chorale moves between two of the player's notes: whose, and how."""
        found = [(choir, choir.ornament(self._chance.random())) for choir in self.lineup.choirs]
        return next(((choir, ornament) for choir, ornament in found if ornament is not None), None)

    def move(self, choir: Together, ornament: Ornament, *, back: bool = False) -> None:
        """Take in that a part of a chorale has moved so, or has moved back: what may come is thought of anew."""
        choir.move(ornament, back=back)
        self.predictions.look_ahead(self._heard)

    def opinions(self, pitch: int, now: float) -> list[Prediction]:
        """Return what each part thinks of a note of the player's, the tune, that starts now."""
        predictions = [self.predictions.of(number, pitch, now) for number in range(len(self))]
        self.foreseen = bool(predictions) and not any(fresh for _, fresh in predictions)
        self._last.take([prediction.logs for prediction, _ in predictions])
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
            self._lessons.append(partial(self.votes.play, number, own, now))
            if self.lineup.parts[number] is self.lineup.singer:
                self.line.sing(own)
        self._lessons.append(partial(self.lineup.parts[number].learn, tune, now, own))

    def vote(self, *, good: bool) -> bool:
        """Count a vote on the last phrase that was played; return whether there is one."""
        self.settle()
        self._forget_predictions()
        return self.votes.vote(good=good)

    def forget(self) -> None:
        """Take all votes back, and play as without adaptation."""
        self.votes.forget()
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

        :param first: how many random numbers are drawn before; `LineUp.draws` of the answer are drawn already.
        :param think: whether to predict it now, if it was not predicted before. Else nothing is returned.
        :param favour: what makes which pitches of a part likelier.
        :param held: pitches that are not free.
        """
        parts, choirs = self.lineup.parts, self.lineup.choirs
        numbers = count(first)
        taken: list[tuple[int, int]] = []
        played: list[Sung] = []
        foreseen = self.lineup.plays
        for number in range(len(parts)):
            if not (think or self.predictions.has(number, pitch, now)):
                return None
            prediction, fresh = self.predictions.of(number, pitch, now)
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

    def _answer_again(self) -> list[Sung]:
        """Return an answer of each part by what it thought last."""
        random, named = self._chance.random, self.lineup.named
        drawn = [Sung(pitch, part) for pitch, part in zip(self._last.draw(random), named, strict=True)]
        return drawn + [sung for choir in self.lineup.choirs for sung in choir.answer_again(random())]

    @property
    def favour(self) -> list[float]:
        """What the player's votes make of each pitch of the leader's, in nats, shape (128,); empty without any."""
        leads = self.lineup.leads or 0
        return self.votes.weigh(leads, np.zeros(PITCHES)).tolist() if self.votes.count else []

    def _remember(self, pitch: int, now: float) -> None:
        self.remember(pitch, now)
        self.overhear(pitch, now)

    def play(self, number: int, prediction: Prediction, pitch: int, channel: int, now: float) -> tuple[int, int]:
        """Choose a part's answer to `pitch`; return what it sounds, and what that is to the model."""
        played = self.drawing.pick(prediction, self.channel_of(number, channel), now)
        # A model lives in its own register: what it learns is what it would have played there.
        own = in_midi(played - prediction.shift)
        self._lessons.append(partial(self.lineup.parts[number].learn, pitch, now, own))
        self._lessons.append(partial(self.votes.play, number, own, now))
        return played, own
