"""The guard against hearing ourselves: a DAW or a cable that brings our output back to our input.

What comes back is the very note-on that we sent: its channel, its pitch, its velocity, within a few milliseconds. One
such note may be chance, and a player may double us on a keyboard without touch. But no player does so for `EVIDENCE`
notes of ours in a row, each within `WINDOW_SECONDS` after it was sent, and none left out. (With another note in between
it is no evidence: who plays hundreds of notes a second hits many of ours. Of what arrives at one instant, as what
has waited does, one note counts.) Only then is our output taken to come back, and from then on only what fits a message
that we sent just before is passed over: whoever plays anything else is heard as ever. Once `DOUBT` notes of ours in a
row do not come back, all is heard again.

A loop that takes longer than the window has to give more evidence: see `delayed_echo`.
"""

from collections import deque
from math import inf

from improviser.core.live.guards.delayed_echo import DelayedEcho
from improviser.core.midi.event import Event, NoteOff, NoteOn

WINDOW_SECONDS = 0.01
EVIDENCE = 8
DOUBT = 4
REMEMBERED = 64
CROWD = 16
"""With more notes of ours than this in the window, chance brings too many of them back."""

DENSE_NOTES, DENSE_SECONDS = 64, 0.64
"""Who has made us play so many notes in so short a time is a machine, and hits ours by chance. (A loop that gets as far
was recognised before.)"""


class FeedbackGuard:
    """Recognises our own messages where they come back in. All times are seconds of the session."""

    def __init__(self) -> None:
        self._at_once = False
        self._delayed = DelayedEcho()
        self._notes: deque[tuple[NoteOn, float]] = deque(maxlen=REMEMBERED)
        self._others: deque[tuple[Event, float]] = deque(maxlen=REMEMBERED)
        self._times: deque[float] = deque(maxlen=DENSE_NOTES)
        self._unsuspected: tuple[Event, float] | None = None
        self._returned = 0
        self._counted_at = -inf
        self._missing = 0
        self.doubled = False
        """Whether what was heard last is the very note that we sent just before, and so was the one before that."""
        self.suspicious = False
        """Whether what was heard last may be our own: it is the very message that we sent lately."""
        self._interrupted = 0
        """How many of the notes, the oldest, were sent before the player's last."""

    @property
    def echoing(self) -> bool:
        """Whether our output comes back."""
        return self._at_once or self._delayed.lag is not None

    def sends(self, event: Event, now: float) -> None:
        """Take in a message that is sent at `now`."""
        if isinstance(event, NoteOn):
            self._times.append(now)
        if self._is_dense(now):
            return
        self._delayed.sends(event, now)
        self._expire(now)
        if isinstance(event, NoteOn):
            if len(self._notes) == REMEMBERED:
                self._give_up()
            self._notes.append((event, now))
        elif not isinstance(event, NoteOff):
            self._others.append((event, now))

    def recognises(self, event: Event, now: float) -> bool:
        """Say whether what comes in at `now` is our own; what cannot be is looked at more closely by `settle`."""
        if not self.suspects(event):
            self.hears(event, now)
            return False
        self.doubled, self.suspicious = False, True
        return self.passes_over(event, now)

    def hears(self, event: Event, now: float) -> None:
        """Take in what is not our own; more closely by `settle`."""
        self.doubled = self.suspicious = False
        self._unsuspected = (event, now)

    def settle(self) -> None:
        """Take in what was heard last, now that its answer has left."""
        if self._unsuspected is not None:
            self.passes_over(*self._unsuspected)
            self._unsuspected = None

    def suspects(self, event: Event) -> bool:
        """Say whether this may be our own; if not it is heard, and `passes_over` has time until the answer has left."""
        if isinstance(event, NoteOff):
            return self._delayed.awaits(event)
        lately = self._notes if isinstance(event, NoteOn) else self._others
        return self._delayed.knows(event) or any(event == sent for sent, _ in lately)

    @property
    def suspected(self) -> frozenset[tuple[int, int, int]]:
        """Channel, pitch and velocity of all note-ons that it `suspects`."""
        at_once = ((note.channel, note.pitch, note.velocity) for note, _ in self._notes)
        return frozenset(at_once) | self._delayed.known

    def passes_over(self, event: Event, now: float) -> bool:
        """Say whether what comes in at `now` is our own and not to be heard.

        A note-off never is: it ends nothing that was not heard to begin, and a player's must not be missed.
        """
        if self._is_dense(now):
            self._notes.clear()
            self._returned = self._interrupted = 0
            self._delayed.forget()
            return False
        if self._comes_at_once(event, now):
            return True
        passed = self._delayed.passes_over(event, now)
        self.doubled = self.doubled or self._delayed.doubled
        return passed

    def _is_dense(self, now: float) -> bool:
        """Say whether what is played now is evidence of nothing."""
        return len(self._times) == DENSE_NOTES and now - self._times[0] < DENSE_SECONDS and not self.echoing

    def _comes_at_once(self, event: Event, now: float) -> bool:
        if isinstance(event, NoteOff):
            return False
        self._expire(now)
        if isinstance(event, NoteOn):
            return self._note_returns(event, now)
        return self._at_once and any(event == other for other, _ in self._others)

    def _note_returns(self, event: NoteOn, now: float) -> bool:
        sent = next((sent for sent in self._notes if sent[0] == event), None)
        if sent is None:
            self._interrupted = len(self._notes)
            return False
        if self._notes.index(sent) < self._interrupted:
            self._interrupted -= 1
        elif len(self._notes) > CROWD:
            self._returned = 0
        elif now > self._counted_at:
            self._returned += 1
            self._counted_at = now
            self._missing = 0
        self._notes.remove(sent)
        self.doubled = self._returned > 1
        self._at_once = self._at_once or self._returned >= EVIDENCE
        return self._at_once

    def _expire(self, now: float) -> None:
        """Forget what was sent too long ago; count the notes of it that have not come back."""
        while self._others and now - self._others[0][1] > WINDOW_SECONDS:
            self._others.popleft()
        while self._notes and now - self._notes[0][1] > WINDOW_SECONDS:
            self._give_up()

    def _give_up(self) -> None:
        """Take the oldest note for one that does not come back."""
        self._notes.popleft()
        self._interrupted = max(0, self._interrupted - 1)
        self._returned = 0
        self._missing += 1
        if self._missing >= DOUBT:
            self._at_once = False
