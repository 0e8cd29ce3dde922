"""The player's phrases: which notes belong together, and when it is somebody else's turn.

How long a silence ends a phrase is learned from the player: twice a usual inter-onset interval of the last notes, and
longer than any the player has lately gone on after. Fast players are answered sooner, slow ones are left in peace, and
whoever goes on after having been cut short is waited for next time. While a key or the sustain pedal is held the phrase
goes on, but not for ever.
"""

from collections import deque
from dataclasses import dataclass

from improviser.core.midi.event import NoteOn
from improviser.core.music.drums import DrumPulse

CHORD_SECONDS = 0.06
"""Notes of the player this close together are one chord."""

REMEMBERED_NOTES = 64
REMEMBERED_PHRASES = 8
REMEMBERED_GAPS = 24
LATEST_GAPS = 8
USUAL, LONGEST = 2.0, 1.25
FIRST_PULSE, FIRST_PATIENCE = 0.5, 1.0
HESITATION = 3.0
"""A silence of so many times the patience is no interval within a phrase, even if somebody else began too early."""

PATIENCE = (0.35, 3.0)
HELD, HELD_PATIENCE = 3.0, (2.0, 6.0)
BREATH = (0.15, 0.6)
LONGEST_WAIT_FOR_PULSE = 0.4


@dataclass(slots=True)
class Heard:
    """A note of the player; it sounds until `end_seconds`, the pedal's release included, or still (None)."""

    note: NoteOn
    onset_seconds: float
    end_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """Notes of the player that belong together, in order of onset, and the moment at which the phrase was over.

    :param pulse_seconds: the drums' pulse, or the player's own.
    """

    notes: tuple[Heard, ...]
    end_seconds: float
    pulse_seconds: float

    def melody(self) -> list[Heard]:
        """Return the highest note of each chord, at the chord's onset."""
        top: list[Heard] = []
        onset = 0.0
        for heard in self.notes:
            if not top or heard.onset_seconds - onset >= CHORD_SECONDS:
                onset = heard.onset_seconds
                top.append(heard)
            elif heard.note.pitch > top[-1].note.pitch:
                top[-1] = Heard(heard.note, onset, heard.end_seconds)
        return top


class PhraseTracker:
    """Takes in what the player does, and tells when a phrase is over; bounded, whatever the session's length."""

    def __init__(self) -> None:
        self.phrases: deque[Phrase] = deque(maxlen=REMEMBERED_PHRASES)
        self.closed = 0
        """How many phrases were over in the whole session."""
        self._notes: deque[Heard] = deque(maxlen=REMEMBERED_NOTES)
        self._gaps: deque[float] = deque(maxlen=REMEMBERED_GAPS)
        self.pulse_seconds = FIRST_PULSE
        """The median of the player's last inter-onset intervals, or half a second."""
        self.patience_seconds = FIRST_PATIENCE
        """How long a silence ends a phrase."""
        self._down: dict[tuple[int, int], Heard] = {}
        self._kept: list[Heard] = []
        self._pedals: set[int] = set()
        self._onset: float | None = None
        self._released = 0.0
        self.drums = DrumPulse()

    def _learn_gap(self, seconds: float) -> None:
        """Take in one more inter-onset interval within a phrase."""
        self._gaps.append(seconds)
        ordered, count = sorted(self._gaps), len(self._gaps)
        self.pulse_seconds = ordered[count // 2]
        if count > 1:
            latest = max(list(self._gaps)[-LATEST_GAPS:])
            self.patience_seconds = _bounded(max(USUAL * ordered[count * 3 // 4], LONGEST * latest), PATIENCE)

    def end(self) -> float | None:
        """Return when the phrase is over if the player does nothing more; None if none has begun."""
        if not self._notes or self._onset is None:
            return None
        if self._down or self._pedals:
            return self._onset + _bounded(HELD * self.patience_seconds, HELD_PATIENCE)
        breath = _bounded(self.pulse_seconds / 2, BREATH)
        return max(self._onset + self.patience_seconds, self._released + breath)

    def turn(self) -> float | None:
        """Return when an answer is to begin: when the phrase is over, on the drums' or the player's pulse if near."""
        end = self.end()
        if end is None or self._onset is None:
            return None
        beat = self.drums.next_after(end)
        if beat is not None:
            return max(end, beat)
        pulse = self.pulse_seconds
        waited = (end - self._onset) / pulse
        wait = (int(waited) + (waited % 1 > 0.05)) * pulse + self._onset - end
        return end + wait if 0 < wait <= LONGEST_WAIT_FOR_PULSE else end

    def press(self, note: NoteOn, now: float, *, interrupts: bool = False) -> None:
        """Take in a note-on; `interrupts`: somebody else had begun too early."""
        if self._onset is None or now - self._onset >= CHORD_SECONDS:
            self._go_on(now, goes_on=bool(self._notes) or interrupts)
        self.release(note.channel, note.pitch, now)
        heard = Heard(note, now)
        self._down[note.channel, note.pitch] = heard
        self._notes.append(heard)

    def _go_on(self, now: float, *, goes_on: bool) -> None:
        """Take in the onset of a chord, which may go on with the phrase that was begun, if there is one."""
        end = self.end()
        if self._onset is not None and goes_on:
            gap = now - self._onset
            if gap <= min(PATIENCE[1], HESITATION * self.patience_seconds):
                self._learn_gap(gap)
        if end is not None and now > end:
            self.close(end)
        self._onset = now

    def release(self, channel: int, pitch: int, now: float) -> None:
        """Take in a note-off; one without its note-on is nothing."""
        heard = self._down.pop((channel, pitch), None)
        if heard is None:
            return
        self._released = now
        if channel in self._pedals and len(self._kept) < REMEMBERED_NOTES:
            self._kept.append(heard)
        else:
            heard.end_seconds = now

    def pedal(self, channel: int, *, down: bool, now: float) -> None:
        """Take in a move of the sustain pedal."""
        if down:
            self._pedals.add(channel)
        elif channel in self._pedals:
            self._pedals.discard(channel)
            self._released = now
            for heard in self._kept:
                if heard.note.channel == channel:
                    heard.end_seconds = now
            self._kept = [heard for heard in self._kept if heard.note.channel != channel]

    @property
    def held_on(self) -> set[int]:
        """The channels on which any key is down."""
        return {channel for channel, _ in self._down}

    def down(self, channel: int) -> tuple[int, ...]:
        """Return the pitches of the keys of a channel that are down."""
        return tuple(pitch for on, pitch in self._down if on == channel)

    @property
    def is_open(self) -> bool:
        """Whether a phrase has begun."""
        return bool(self._notes)

    def phrase(self, now: float) -> Phrase | None:
        """Return the phrase as it would be if it were over now, None if none has begun; changes nothing."""
        if not self._notes:
            return None
        drummed = self.drums.seconds if self.drums.next_after(now) is not None else None
        return Phrase(tuple(self._notes), now, drummed or self.pulse_seconds)

    def close(self, now: float) -> Phrase | None:
        """End the phrase; return it, or None if none has begun."""
        phrase = self.phrase(now)
        if phrase is not None:
            self._notes.clear()
            self.phrases.append(phrase)
            self.closed += 1
        return phrase

    def forget(self) -> None:
        """Forget the phrase that was begun and what is held: a panic."""
        self._notes.clear()
        self._down.clear()
        self._kept.clear()
        self._pedals.clear()
        self.drums.forget()


def _bounded(seconds: float, bounds: tuple[float, float]) -> float:
    return max(bounds[0], min(bounds[1], seconds))
