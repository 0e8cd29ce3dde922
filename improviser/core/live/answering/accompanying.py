"""Accompanying: one answer of each part to each chord of the player's, chosen against all that sounds.

The first note is answered at once. As the chord completes, each part keeps its answer if that fits, and else moves it,
once. A bass goes with the left hand if there is one, other parts with the tune; what a part does not strike along with
it holds over, as long as the keys that it answers are down. Where it stays on its pitch while that sounds, the model
says whether it is held over or struck again (`core.harmony.holding`). In a fast passage parts play on pulses.

One line alone is answered note by note, by the network's opinion alone. What comes again is favoured (`riffs`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from improviser.core.live.answering.after_beats import AfterBeats
from improviser.core.live.answering.band import Band
from improviser.core.live.answering.choosing import LEAST_ROOM, Choosing, best
from improviser.core.live.answering.drawing import Factors, Prediction
from improviser.core.live.answering.held_over import HeldOver
from improviser.core.live.answering.left_chord import LeftChord
from improviser.core.live.answering.left_pulse import LeftPulse
from improviser.core.live.output.postponed import Owner
from improviser.core.live.output.sounding import ANSWER, Sounding
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.player.chords import SPREAD, Chord, Key, Listener, Texture
from improviser.core.live.player.pulse import Pulse
from improviser.core.live.player.riffs import Riffs
from improviser.core.live.player.zones import LiveZones
from improviser.core.midi.event import Event, NoteOn
from improviser.core.music.counterpoint import CONSONANT
from improviser.core.music.drums import DrumPulse
from improviser.core.music.parts import Sung

Start = Callable[[Owner, Sequence[NoteOn], float], list[Event]]
Voiced = Callable[[Sung, int, int], NoteOn]

KEEP = 3.5
"""An answer is kept if its chance is no more nats than this below that of the best."""


@dataclass(slots=True)
class Part:
    """What a part does.

    :param sounding: the channel and pitch that it struck last.
    :param chord: the chord that it struck that with.
    :param away: who held what it sounded, if it has made way for a key of the player's, until the chord is complete.
    """

    sounding: Key | None = None
    velocity: int = 64
    chord: Chord | None = None
    away: Sequence[Owner] = ()
    shift: int = 0

    @property
    def pitch(self) -> int | None:
        """The pitch that it struck last."""
        return None if self.sounding is None else self.sounding[1]


class Accompanying:
    """Answers chords.

    :param start: starts notes of an owner at a time, now or as late as is asked for.
    :param voiced: returns the note of a part that answers on a channel to one of a velocity.
    :param drums: a drummer who may play.
    """

    def __init__(
        self,
        band: Band,
        sounding: Sounding,
        listener: Listener,
        zones: LiveZones,
        start: Start,
        voiced: Voiced,
        drums: DrumPulse,
    ) -> None:
        self._band: Final = band
        self._sounding: Final = sounding
        self._listener: Final = listener
        self._zones: Final = zones
        self._start: Final = start
        self._voiced: Final = voiced
        self._pulse = Pulse(band.tonality, drums)
        self._riffs = Riffs()
        self._held_over = HeldOver(sounding)
        self._parts: list[Part] = []
        self._open = False
        """Whether the answer to the last chord must be reconsidered once the chord is complete."""
        self._on_pulse = True
        """Whether the last chord is on a pulse of the player's."""
        self._taught = False
        self._listening = False
        """Whether the last chord is one to reply to that the band has not heard yet."""
        self._heard_tune: int | None = None
        self._left_chord: Final = LeftChord(listener)
        self._after_beats: Final = AfterBeats(listener, self._left_chord)
        self._left_pulse: Final = LeftPulse(listener)
        self._choosing: Final = Choosing(band, listener)
        self._parameters = Parameters()

    @property
    def due(self) -> float | None:
        """When the last chord is complete, if that matters, or something has been held over for long enough."""
        chord, held = self._listener.chord, self._held_over.due
        if not self._open or chord is None:
            return held
        complete = self._listener.complete_at(chord)
        return complete if held is None else min(complete, held)

    def advance(self, now: float) -> list[Event]:
        """Do what is due by `now`."""
        chord = self._listener.chord
        events = self._held_over.expire(now)
        if self._open and chord is not None and self._listener.complete_at(chord) <= now:
            events += self.complete(now)
        return events

    def adopt(self, parameters: Parameters) -> None:
        """Play with these parameters from now on."""
        self._parameters = parameters
        self._choosing.adopt(parameters)

    def forget(self) -> None:
        """Forget what is held: a panic."""
        self._listener.forget()
        self._held_over.clear()
        self._parts, self._open, self._listening = [], False, False

    def joins(self, note: NoteOn, now: float) -> bool:
        """Say whether a note belongs to the chord that was answered last."""
        chord = self._listener.chord
        key = note.channel, note.pitch
        if chord is None or now - chord.onset >= SPREAD[1]:
            return False
        if self._parameters.follow == "every" or len(self._parts) != len(self._band):
            return False
        return bool(self._parts) and key not in chord.keys and self._listener.joins(key, now)

    @property
    def border(self) -> float:
        """The pitch between the player's hands."""
        return self._listener.border

    def listen(self, note: NoteOn, now: float) -> None:
        """Take in a note of a phrase to reply to. Of each chord, only the tune's note goes to the band."""
        listener, key = self._listener, (note.channel, note.pitch)
        if listener.chord is not None and listener.joins(key, now):
            listener.join(key, now)
        else:
            self.end_listening()
            listener.strike(key, now)
        texture = self._texture(now)
        self._heard_tune = texture.tune if texture.moves_tune or not texture.is_chordal else None
        self._listening = True

    @property
    def pending(self) -> list[tuple[int, float, bool]]:
        """The notes of the last chord that the band has not heard yet: pitch, onset, and whether it is the tune's."""
        chord = self._listener.chord
        if not self._listening or chord is None:
            return []
        return [(pitch, chord.onset, pitch == self._heard_tune) for pitch in chord.pitches]

    def end_listening(self) -> None:
        """Let the band hear the last chord, which has all its notes."""
        pending, self._listening = self.pending, False
        for pitch, onset, is_tune in pending:
            if is_tune:
                self._band.listen(pitch, onset)
            else:
                self._band.overhear(pitch, onset)

    def answer(self, note: NoteOn, now: float) -> list[Event]:
        """Answer a note that begins a chord."""
        if self._listening:
            self.end_listening()
        events = self.complete(now) if self._open else []
        listener, band, key = self._listener, self._band, (note.channel, note.pitch)
        size = len(band)
        if len(self._parts) != size:
            self._parts = [*self._parts[:size], *(Part() for _ in range(size - len(self._parts)))]
        listener.strike(key, now)
        self._held_over.strike(key)
        texture = self._texture(now)
        band.overhear(note.pitch, now)
        self._on_pulse = self._pulse.strikes(now, note.pitch)
        opinions = band.opinions(texture.tune, now)
        striking = [number for number in range(size) if self._strikes(number, texture, now)]
        events += self._strike(striking, opinions, texture, note, now)
        if len(striking) < size:
            self._hold_over(striking, key, texture, now)
        self._open = texture.is_chordal
        self._taught = False
        if not self._open:
            # What the answer need not wait for is done when it has left.
            self._taught = True
            band.later(partial(self._learn, texture, now))
        return events

    def join(self, note: NoteOn, now: float) -> list[Event]:
        """Take in a further note of the chord: parts that it concerns and that have not struck do so."""
        listener, band = self._listener, self._band
        listener.join((note.channel, note.pitch), now)
        self._held_over.strike((note.channel, note.pitch))
        self._open = True
        texture = self._texture(now)
        band.overhear(note.pitch, now)
        late = [
            number
            for number, part in enumerate(self._parts)
            if part.chord is not listener.chord and self._strikes(number, texture, now)
        ]
        events = self._strike(late, band.opinions(texture.tune, now), texture, note, now) if late else []
        events += self._make_way(note.pitch)
        self._hold_over(late, (note.channel, note.pitch), texture, now)
        return events

    def complete(self, now: float) -> list[Event]:
        """Take in that the chord is complete: keep its answers, or move them; learn from it."""
        chord = self._listener.chord
        if not self._open or chord is None:
            return []
        self._open = False
        self._listener.complete()
        if len(self._parts) != len(self._band):
            return []
        texture = self._texture(now)
        events: list[Event] = []
        if chord.grew:
            opinions = self._band.opinions(texture.tune, chord.onset)
            for number, part in enumerate(self._parts):
                if part.chord is chord:
                    events += self._reconsider(number, opinions[number], texture, now)
        if not self._taught or events:
            self._learn(texture, chord.onset)
        return events

    def _texture(self, now: float) -> Texture:
        parameters = self._parameters
        return self._listener.texture(now, None if parameters.side == "both" else parameters.split)

    def _strikes(self, number: int, texture: Texture, now: float) -> bool:
        """Say whether a part strikes along with the chord as it is so far."""
        parameters, is_bass, on_pulse = self._parameters, self._band.lineup.basses[number], self._on_pulse
        if texture.is_chordal:
            if is_bass and not self._bass_strikes(texture, now):
                return False
            on_pulse = on_pulse or (is_bass and texture.moves_left)
            if not is_bass and not texture.moves_tune:
                return False
        if parameters.follow == "harmony" and self._sounds(number):
            return not self._fits_harmony(number, texture)
        return on_pulse

    def _bass_strikes(self, texture: Texture, now: float) -> bool:
        """Say whether a bass has a note of its own along with a left hand, or the last one's."""
        if texture.has_bass and (self._parameters.bass == "off" or self._left_chord.lowest(texture) < LEAST_ROOM):
            return False
        if not texture.moves_left:
            return not self._listener.left_was_here(now)
        left = self._listener.left_struck
        return not (self._after_beats.leave_out(texture, now) or self._left_pulse.waits(left, now))

    def _fits_harmony(self, number: int, texture: Texture) -> bool:
        """Say whether what a part sounds goes with all that sounds."""
        sounding = self._parts[number].sounding
        return sounding is not None and all((pitch - sounding[1]) % 12 in CONSONANT for pitch in texture.sounding)

    def _sounds(self, number: int) -> bool:
        sounding = self._parts[number].sounding
        return sounding is not None and bool(self._sounding.holders(*sounding))

    def _strike(
        self, numbers: Sequence[int], opinions: Sequence[Prediction], texture: Texture, note: NoteOn, now: float
    ) -> list[Event]:
        """Let parts strike with `note`."""
        events: list[Event] = []
        notes = []
        recalled = self._riffs.recall(note.pitch, now)
        expected = self._left_chord.expected(texture, recalled)
        if expected.tune != texture.tune:
            opinions = self._band.opinions(expected.tune, now)
        for number in numbers:
            part = self._parts[number]
            output = self._zones.output_channel(self._lane(number, texture, note.channel, now), self._parameters)
            channel = self._band.channel_of(number, output)
            pitch = self._choosing.choose(number, opinions[number], expected, channel, now, recalled, part.pitch)
            if self._stays(number, (channel, pitch), texture, now):
                self._held_over.hold((note.channel, note.pitch), (channel, pitch), now)
                part.chord = self._listener.chord
                continue
            if texture.is_chordal:
                events += self._end(part)
            struck = self._voiced(Sung(pitch, self._band.lineup.named[number]), output, note.velocity)
            part.sounding, part.velocity, part.chord = (channel, pitch), struck.velocity, self._listener.chord
            part.shift = opinions[number].shift
            notes.append(struck)
            if self._band.lineup.basses[number]:
                self._left_pulse.strike(now, with_left=texture.moves_left)
        return events + (self._start((ANSWER, note.channel, note.pitch), notes, now) if notes else [])

    def _lane(self, number: int, texture: Texture, lane: int, now: float) -> int:
        """Return on which of the player's lanes a part answers one of them: on a split keyboard, its hand's."""
        if not texture.is_chordal:
            return lane
        hand = self._listener.left_lane if self._band.lineup.basses[number] else self._listener.tune_lane
        return lane if hand is None or not self._listener.left_was_here(now) else hand

    def _stays(self, number: int, key: Key, texture: Texture, now: float) -> bool:
        """Say whether a part holds over what it sounds, which is what it would strike; with a bass note it strikes."""
        if self._parts[number].sounding != key or not self._sounds(number):
            return False
        chord = self._listener.chord
        moves_lowest = texture.moves_left and chord is not None and min(texture.sounding) in chord.pitches
        may = not moves_lowest if texture.is_chordal else self._listener.plays_legato
        return may and self._band.holds_over(number, texture.tune, now)

    def _end(self, part: Part) -> list[Event]:
        """End what a part sounds."""
        if part.sounding is None:
            return []
        holders = self._sounding.holders(*part.sounding)
        return [event for holder in holders for event in self._sounding.leave(holder, *part.sounding)]

    def _hold_over(self, struck: Sequence[int], key: Key, texture: Texture, now: float) -> None:
        """Let a key hold what the parts sound that have not struck with it, where it goes with them."""
        if self._is_ours(key):
            return
        for number, part in enumerate(self._parts):
            if number in struck or part.sounding is None:
                continue
            own, is_bass = part.chord is self._listener.chord, self._band.lineup.basses[number]
            with_left = (texture.has_bass and (is_bass or not own)) or (texture.moves_left and is_bass)
            if self._listener.is_left(key[1]) if with_left else own or not texture.is_chordal:
                self._held_over.hold(key, part.sounding, now)

    def _is_ours(self, key: Key) -> bool:
        """Say whether an answer sounds where a key is struck: the key may be our own note, which has come back."""
        return bool(self._sounding.holders(self._zones.output_channel(key[0], self._parameters), key[1]))

    def foretell(self, pitch: int, channel: int, now: float, *, think: bool) -> tuple[list[Sung], bool] | None:
        """Return what `answer` would play to a note of one line; see `Band.foretell`. None if anything is unusual."""
        line = self._listener.hears_one_line(now) and not self._open and self._parameters.follow == "pulse"
        if not line or not self._pulse.would_strike(now, pitch)[0]:
            return None
        recalled = self._riffs.recall(pitch, now)

        def favour(number: int, prediction: Prediction) -> Factors:
            return self._choosing.factors(number, prediction, recalled)

        return self._band.foretell(pitch, channel, now, 1, think=think, favour=favour, held=(pitch,))

    def _make_way(self, pitch: int) -> list[Event]:
        """End at once what a part has struck with this chord where the player's key is; it moves with the others."""
        events: list[Event] = []
        for part in self._parts:
            sounding = part.sounding
            if part.chord is self._listener.chord and sounding is not None and sounding[1] == pitch and not part.away:
                holders = self._sounding.holders(*sounding)
                if all(map(self._is_down, holders)):  # and nothing will end one of them later
                    part.away = holders
                    events += self._end(part)
        return events

    def _reconsider(self, number: int, prediction: Prediction, texture: Texture, now: float) -> list[Event]:
        """Keep a part's answer, or move it."""
        part = self._parts[number]
        away, part.away = part.away, ()
        if not away and self._band.lineup.basses[number] and texture.has_bass and min(texture.sounding) < LEAST_ROOM:
            return self._end(part)
        scores = self._choosing.scores(number, prediction, texture, part.pitch)
        if scores is None or part.sounding is None or not (away or self._sounds(number)):
            return []
        channel, pitch = part.sounding
        if not away and pitch not in texture.held and scores[pitch] >= best(scores, texture) - KEEP:
            return []
        holders = [*filter(self._is_down, away)] or self._sounding.holders(channel, pitch)
        events = self._end(part)
        self._band.drawing.give(channel, pitch)
        if not holders:
            return events
        moved = self._band.drawing.pick_from(scores, channel, now, texture.held)
        part.sounding = channel, moved
        events += self._sounding.start(holders[0], [NoteOn(channel, moved, part.velocity)], now)
        for holder in holders[1:]:
            self._sounding.share(holder, channel, moved)
        self._held_over.move((channel, pitch), (channel, moved))
        return events

    def _is_down(self, owner: Owner) -> bool:
        """Say whether the key that an answer belongs to is down."""
        return owner[1:] in self._listener.held

    def _learn(self, texture: Texture, onset: float) -> None:
        """Let the parts, and the memory of riffs, learn the chord."""
        self._taught = True
        chord = self._listener.chord
        if chord is not None and texture.moves_left:
            self._left_chord.learn(chord, texture.sounding)
            if not any(map(self._is_ours, chord.keys)):  # a bass note of ours, come back, is none of the player's
                self._after_beats.learn(onset)
                self._left_pulse.learn(self._listener.left_struck, onset)
            self._choosing.roots.learn(chord.pitches, texture.tune)
        played = []
        for number, part in enumerate(self._parts):
            sounds = part.sounding is not None and (part.chord is chord or self._sounds(number))
            pitch = part.sounding[1] if sounds and part.sounding is not None else None
            played.append(pitch)
            self._band.teach(number, texture.tune, onset, pitch, part.shift)
        self._band.remember(texture.tune, onset)
        if chord is not None:
            self._band.later(partial(self._riffs.learn, chord.pitches, played, onset))
