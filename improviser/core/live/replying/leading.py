"""Leading: what each part plays to a note of a reply. One part leads, and the others answer the leader.

A melody model goes on from what was played; without one, an echo model answers the player's phrase note by note; with
harmony models alone, no part leads: they all play to the player's phrase, varied, which is not sounded.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from improviser.core.live.answering.band import Band
from improviser.core.live.answering.left_hand import moved
from improviser.core.live.answering.register import nearest
from improviser.core.music.parts import Sung
from improviser.core.music.pitch import in_midi
from improviser.core.networks.responder import Singer


class Leading:
    """Plays the notes of replies with the parts of a band."""

    def __init__(self, band: Band) -> None:
        self._band: Final = band

    def lead(self, pitch: int, channel: int, now: float, *, closing: bool) -> list[Sung]:
        """Return what each part plays to a beat of a reply that goes by `pitch`; `closing` for its last."""
        band, lineup = self._band, self._band.lineup
        if (leads := lineup.leads) is None:
            return self._others(pitch, channel, now, closing=closing)
        predictions = band.predictions
        if (singer := lineup.singer) is not None:
            prediction = predictions.weighed(leads, predictions.shaped(singer.proceed(now), now, closing=closing))
            sounding = band.drawing.pick(prediction, band.channel_of(leads, channel), now)
            pitch = in_midi(sounding - prediction.shift)
            self._go_on(singer, leads, pitch, now)
        else:
            logs = predictions.shaped(lineup.parts[leads].propose(pitch, now), now, closing=closing)
            sounding, pitch = band.play(leads, predictions.weighed(leads, logs), pitch, channel, now)
        band.line.sing(pitch)
        return [Sung(sounding, lineup.named[leads]), *self._others(pitch, channel, now, closing=closing)]

    def sing(self, pitch: int, shift: int, channel: int, now: float, *, closing: bool) -> list[Sung]:
        """Return what each part plays to a note of a reply that was composed before, sounding `shift` semitones away.

        The singer sings it; if there is none any more, it is only what the others go by.
        """
        band, lineup = self._band, self._band.lineup
        singer, leads = lineup.singer, lineup.leads
        if singer is None or leads is None:  # others have joined since
            return self.lead(pitch, channel, now, closing=closing)
        sounding = nearest(pitch + shift, band.drawing.allowed)
        band.drawing.take(channel, sounding, now)
        own = in_midi(sounding - shift)
        self._go_on(singer, leads, own, now)
        band.line.sing(own)
        return [Sung(sounding, lineup.named[leads]), *self._others(own, channel, now, closing=closing)]

    def _go_on(self, singer: Singer, leads: int, own: int, now: float) -> None:
        """Let the singer go on from a note of its own."""
        self._band.later(partial(singer.follow, own, now, own=True))
        self._band.later(partial(self._band.votes.play, leads, own, now))

    def _others(self, pitch: int, channel: int, now: float, *, closing: bool) -> list[Sung]:
        """Return what all parts play that do not lead."""
        band, lineup = self._band, self._band.lineup
        leader, predictions = lineup.leader, self._band.predictions
        played: list[Sung] = []
        for number, responder in enumerate(lineup.parts):
            if responder is not leader:
                logs = responder.propose(pitch, now)
                shaped = predictions.shaped(logs, now, closing=True) if closing and leader is None else logs
                sounding, _ = band.play(number, predictions.weighed(number, shaped), pitch, channel, now)
                played.append(Sung(sounding, lineup.named[number]))
        return played + band.answer_together(pitch, now)[0]

    def left_hand(self, figure: Sequence[int], harmony: Sequence[int], tune: int) -> list[int]:
        """Return what the left hand plays under a note of a reply's tune: nothing, if a part plays the bass."""
        band = self._band
        if band.lineup.has_bass or band.lineup.choirs:
            return []
        return moved(figure, harmony, tune, band.tonality.home.scale)
