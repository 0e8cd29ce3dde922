"""What is played: answers to notes, and replies to phrases, as the mode wants them.

A reply is a schedule of beats: a line that was evolved, or the rhythm of a phrase. Any note that may be answered ends
it at once.
"""

import math
from typing import Final

from improviser.core.live.answering.accompanying import Accompanying
from improviser.core.live.answering.band import Band
from improviser.core.live.answering.chance import Chance
from improviser.core.live.answering.choral import Choral
from improviser.core.live.answering.register import shift_to
from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.output.postponed import earliest
from improviser.core.live.output.sounding import ANSWER, REPLY, Sounding
from improviser.core.live.output.starting import Starting
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.chords import Listener
from improviser.core.live.player.zones import LiveZones
from improviser.core.live.replying.evolving import Evolving
from improviser.core.live.replying.reply import Beat, Schedule, reply_to
from improviser.core.midi.clock import Clock
from improviser.core.midi.event import Continue, Event, NoteOn, Start, Stop, Transport
from improviser.core.music.parts import Sung
from improviser.core.music.phrase import PhraseTracker

AHEAD_SECONDS = 0.3
"""So long before a reply is due one begins to think about it."""
REST_SECONDS = (0.2, 1.0)
"""A pulse of rest is no shorter and no longer."""


class Playing:
    """Does what a mode asks for (its `Actions`) with the band's pitches; what its methods return is to be sent."""

    def __init__(
        self,
        band: Band,
        parameters: Parameters,
        chance: Chance,
        tracker: PhraseTracker,
        sounding: Sounding,
        zones: LiveZones,
        listener: Listener,
    ) -> None:
        self.mode = MODES_BY_NAME[parameters.mode]
        self._parameters = parameters
        self._band: Final = band
        self._chance: Final = chance
        self._tracker: Final = tracker
        self._sounding: Final = sounding
        self._zones: Final = zones
        self._clock: Final = Clock()
        self._schedule: Schedule | None = None
        self._again_at: float | None = None
        """When a further reply begins, to no new phrase."""
        self._not_before = -math.inf
        self._tune: int | None = None
        """The pitch of the reply's tune."""
        self._alone = False
        """Whether the note that is heard is taken by itself, and not as part of a chord."""
        self._start: Final = Starting(parameters, sounding, self._clock)
        self._accompanying: Final = Accompanying(
            band, sounding, listener, zones, self._start, self._start.voiced, tracker.drums
        )
        self._accompanying.adopt(parameters)
        self._choral: Final = Choral(band, sounding)
        self._choral.adopt(parameters)
        self._evolving: Final = Evolving(band, tracker, self._accompanying, chance.entropy)
        self._rest = 0
        """How many pulses of rest follow the reply, if it is one of a solo's."""

    def adopt(self, parameters: Parameters, now: float) -> list[Event]:
        """Play with these parameters from `now` on."""
        self._evolving.forget()
        self._accompanying.end_listening()
        self._band.adopt(parameters)
        self._accompanying.adopt(parameters)
        self._choral.adopt(parameters)
        self._start.adopt(parameters)
        changes_mode = parameters.mode != self._parameters.mode
        self._parameters = parameters
        if not changes_mode:
            return []
        self.mode = MODES_BY_NAME[parameters.mode]
        events = self.interrupt()
        # What was played before is not replied to; but the rhythms in it are known.
        end = self._tracker.end()
        if end is not None and end <= now:
            self._tracker.close(end)
        self._not_before = now
        return events + self.mode.begin(self, now)

    def follow(self, event: Transport, now: float) -> list[Event]:
        """Follow the clock of a sequencer: where it stops a reply ends; where it starts, the mode decides."""
        self._clock.follow(event, now)
        if isinstance(event, Stop):
            return self.interrupt()
        if isinstance(event, Start | Continue):
            self.mode.sequencer_started(self, now)
        return []

    def hear(self, note: NoteOn, now: float, *, doubles: bool = False) -> list[Event]:
        """Take in a note of the player's that may be answered.

        :param doubles: whether it is the very note that we sent just before, again. If our output comes back to us,
            that is no part of the player's chords, and each note that is answered shows it the sooner.
        """
        self._alone = doubles
        # A chord may have been begun by other models, which answered chords where these answer each note.
        if self.mode.answers and self._hears_chords and self._accompanying.joins(note, now):
            return self._accompanying.join(note, now)
        return self.mode.hear(self, note, now)

    @property
    def _answers_chords(self) -> bool:
        return self._parameters.follow != "every" and self._band.lineup.accompanies

    @property
    def _hears_chords(self) -> bool:
        return self._answers_chords and not self._alone

    def is_chosen(self) -> bool:
        """Draw whether something is part of the share that is played, the density."""
        return self._chance.random() < self._parameters.density

    def answer(self, note: NoteOn, now: float) -> list[Event]:
        """Answer a note of the player's at once; the answer ends with its key."""
        if self._hears_chords:
            return self._accompanying.answer(note, now)
        channel = self._zones.output_channel(note.channel, self._parameters)
        owner = ANSWER, note.channel, note.pitch
        if self._band.is_choral and self._choral.joins(now):
            return self._choral.join((note.channel, note.pitch), now)
        sung = self._band.answer(note.pitch, channel, now)
        notes = [self._start.voiced(each, channel, note.velocity) for each in sung]
        if self._band.is_choral:
            answer = [*zip(notes, sung, strict=True)]
            notes = self._choral.strike(owner, (note.channel, note.pitch), answer, now)
        return self._start(owner, notes, now)

    @property
    def foretells(self) -> bool:
        """Whether the next note is answered, and at once, by what `foretell` says."""
        parameters, chance = self._parameters, self._chance
        at_once = self.mode.answers and parameters.quantise == "off" and not parameters.delay
        free = self._schedule is None and self._sounding.due is None
        return at_once and free and chance.left > self._band.draws and chance.peek(0) < parameters.density

    def foretell(
        self, channel: int, pitch: int, velocity: int, now: float, *, think: bool
    ) -> tuple[list[NoteOn], bool] | None:
        """Return what `hear` would return where `foretells`; see `Band.foretell`."""
        channel = self._zones.output_channel(channel, self._parameters)
        if self._answers_chords:
            told = self._accompanying.foretell(pitch, channel, now, think=think)
        elif self._band.is_choral:
            told = self._choral.foretell(pitch, channel, now, think=think)
        else:
            told = self._band.foretell(pitch, channel, now, 1, think=think)
        if told is None:
            return None
        notes = [self._start.voiced(sung, channel, velocity) for sung in told[0]]
        if self._band.is_choral:
            notes = self._choral.told([*zip(notes, told[0], strict=True)])
        return None if self._start.lacks_program(notes) else (notes, told[1])

    def listen(self, note: NoteOn, now: float) -> None:
        """Take in a note of a phrase that is to be replied to; the band goes on from the tune alone."""
        if self._hears_chords:
            self._accompanying.listen(note, now)
        else:
            self._band.listen(note.pitch, now)

    def learn(self, note: NoteOn, now: float) -> None:
        """Take in a note that is not answered."""
        self._band.hear(note.pitch, now)

    def end_answers(self) -> list[Event]:
        """End all answers to notes, those that are to come as well."""
        events = self._sounding.stop_all(ANSWER)
        self._sounding.drop(ANSWER)
        return events

    def reply_again(self, seconds: float) -> None:
        """Begin a further reply at that time, in a rhythm that the player has played; if there is none yet, do not."""
        if self._tracker.phrases:
            self._again_at = seconds

    @property
    def chord_due(self) -> float | None:
        """When a chord is complete, or something has been held over for long enough, or a part moves."""
        return earliest(self._accompanying.due, self._choral.due)

    def complete_chord(self, now: float) -> list[Event]:
        """Take in that a chord is complete: its answers may be moved. End what has been held over for long enough."""
        return self._accompanying.advance(now) + self._choral.advance(now)

    @property
    def is_replying(self) -> bool:
        """Whether a reply has begun."""
        return self._schedule is not None

    def replies_to(self, channel: int) -> bool:
        """Say whether a reply has begun that goes by notes of a channel of the player's."""
        return self._schedule is not None and self._schedule.has_beats_of(channel)

    def turn(self) -> float | None:
        """Return when the reply goes on, or begins."""
        if self._schedule is not None:
            return self._schedule.due
        if not self.mode.replies or not self._band.plays:
            return None
        turn = self._tracker.turn()
        turn = self._again_at if turn is None else turn
        return None if turn is None else max(turn, self._not_before)

    def interrupt(self) -> list[Event]:
        """End a reply, wherever it is."""
        self._again_at = None
        if self._schedule is None and self._sounding.due is None:
            return []
        self._schedule = None
        self._sounding.drop(REPLY)
        return self._sounding.stop_all(REPLY)

    def postpone(self, seconds: float) -> None:
        """Let the reply go on so much later."""
        if self._schedule is not None:
            self._schedule.postpone(seconds)

    def forget(self) -> None:
        """Forget what is being replied to."""
        self.think_again()
        self._schedule = self._again_at = None
        self._accompanying.forget()
        self._choral.forget()
        self._start.forget()

    def think_again(self) -> None:
        """Throw away what was thought about the next reply: things stand differently now."""
        self._evolving.forget()

    @property
    def _composes_at(self) -> float | None:
        """When a reply is due that is composed; None if there is none, or one has begun."""
        return self.turn() if self._schedule is None and self._band.lineup.imaginative is not None else None

    def think(self, now: float) -> bool:
        """Think about the reply that is due soon, one piece; return whether there is more to think just now."""
        turn = self._composes_at
        return turn is not None and now >= turn - AHEAD_SECONDS and self._evolving.think(turn, self._parameters)

    def unfinished(self, moment: float) -> int | None:
        """Return how many pieces of a reply that begins by that moment are thought; None if all are, or none begins."""
        turn = self._composes_at
        return None if turn is None or turn > moment else self._evolving.pieces(turn)

    def play_on(self, now: float, pieces: int | None = None) -> list[Event]:
        """Play what is due at `now`: begin a reply, end beats, begin one.

        :param pieces: how many pieces of a reply that begins were thought; None for all.
        """
        if self._schedule is None:
            self._schedule = self._begin(now, pieces)
        self.think_again()
        schedule = self._schedule
        events = [off for number in schedule.ended(now) for off in self._sounding.stop((REPLY, number), now)]
        if (begun := schedule.begun(now)) is not None:
            number, beat, last = begun
            if self.is_chosen():
                events += self._beat(number, beat, now, closing=last)
        if schedule.due is None:
            self._schedule = None
            rest = self._rest * max(REST_SECONDS[0], min(REST_SECONDS[1], schedule.pulse_seconds))
            self.mode.replied(self, max(now, schedule.following_seconds) + rest)
        return events

    def _begin(self, now: float, pieces: int | None) -> Schedule:
        """Begin a reply to the phrase that is over, or one that goes on from those that are remembered."""
        self._again_at = self._tune = None
        composed = None
        if self._band.lineup.imaginative is not None:
            composed = self._evolving.compose(now, self._parameters, pieces)
        self._accompanying.end_listening()
        self._band.settle()
        phrase = self._tracker.close(now)
        self._rest = 0 if composed is None else composed.rest
        if composed is not None:
            return Schedule(composed.beats, now, composed.phrase.pulse_seconds)
        again = phrase is None
        if phrase is None:
            phrase = self._tracker.phrases[int(self._chance.generator.integers(len(self._tracker.phrases)))]
        varied = again or self._band.lineup.leader is None
        border = None if self._parameters.follow == "every" else self._accompanying.border
        return Schedule(reply_to(phrase, self._chance.generator if varied else None, border), now, phrase.pulse_seconds)

    def _beat(self, number: int, beat: Beat, now: float, *, closing: bool) -> list[Event]:
        channel = self._zones.output_channel(beat.channel, self._parameters)
        if beat.figure:
            left = self._band.lead_left(beat.figure, beat.harmony, self._tune) if self._tune is not None else []
            sung = [Sung(pitch) for pitch in left]
        else:
            sung = self._lead(beat, channel, now, closing=closing)
            self._tune = max((each.pitch for each in sung), default=None)
        notes = [self._start.voiced(each, channel, beat.velocity) for each in sung]
        return self._start((REPLY, number), notes, now)

    def _lead(self, beat: Beat, channel: int, now: float, *, closing: bool) -> list[Sung]:
        if not beat.composed or self._schedule is None:
            return self._band.lead(beat.pitch, channel, now, closing=closing)
        shift = shift_to(self._parameters, self._schedule.middle)
        return self._band.sing(beat.pitch, shift, channel, now, closing=closing)
