"""The guard's ear for long loops: a DAW with large audio periods brings our output back tens of milliseconds later.

So late a player, too, may repeat what we played. What no player can do is be as regular: in a loop *each* message that
we send comes back, note-offs too, the very message, after the *same* time to within `SPREAD_SECONDS`. Whoever plays
after what they hear scatters by ten milliseconds and more (and by more than that where they let go): `EVIDENCE`
messages in a row, none left out, are beyond chance. A machine is as regular as a loop, so two things that it may do are
evidence of nothing: a note that it has played lately, as loud, for what it repeats it played before; and a row of notes
with the same time between any two, for we may have guessed each time what comes next. (A loop has such a row only as
long as nobody plays.) Of what arrives at one instant, as all does that had to wait, one message counts.
"""

from collections import deque
from math import inf

from improviser.core.midi.event import Event, NoteOff, NoteOn

SHORTEST_SECONDS, LONGEST_SECONDS = 0.004, 0.25
SPREAD_SECONDS = 0.004
EVIDENCE, ENDS = 16, 6
"""Messages in a row, and how many of them have to be the ends of notes."""

DOUBT = 4
CROWD = 64
"""Of more messages than this on their way at once, any note would be found among them: then nothing is evidence."""

LATELY_SECONDS = 4.0
LOOSELY_SECONDS, LOOSELY = 0.01, 0.5
"""A known loop may be this much slower or faster at times (the share of its lag, if that is more)."""


_Sign = tuple[int, int] | tuple[int, int, int] | tuple[int, int, int, Event]
NOTE = 3
"""How many items the sign of a note-on has: channel, pitch, velocity. Its end's has one less, others' one more."""


class DelayedEcho:
    """Recognises our own messages where they come back late. All times are seconds of the session."""

    def __init__(self) -> None:
        self.lag: float | None = None
        """How long the loop takes, once it is known."""
        self.doubled = False
        """Whether what was heard last may be a note of ours that has come back, and so may be what was heard before."""
        self._sent: deque[tuple[_Sign, float]] = deque(maxlen=CROWD)
        self._players: deque[tuple[_Sign, float]] = deque(maxlen=CROWD)
        self._returned: set[tuple[int, int]] = set()
        """Channel and pitch of the notes that have come back, and whose ends have yet to."""
        self._run = self._ends = 0
        self._shortest = self._longest = 0.0
        self._counted_at = self._heard_at = -inf
        self._gaps = (inf, 0.0)
        """The shortest and the longest time between two note-ons that came in during the run."""
        self._missing = 0
        self._in_row = 0
        """How many notes in a row may be our own: after whatever time, for what a timer sends leaves with a delay."""

    def sends(self, event: Event, now: float) -> None:
        """Take in a message that is sent at `now`."""
        self._expire(now)
        if len(self._sent) == CROWD:
            self._sent.clear()
            self._run = 0
        self._sent.append((_sign(event), now))

    def forget(self) -> None:
        """Begin anew, with no evidence."""
        self._sent.clear()
        self._returned.clear()
        self._run = 0

    @property
    def known(self) -> frozenset[tuple[int, int, int]]:
        """Channel, pitch and velocity of the notes that it `knows`."""
        return frozenset(sign for sign, _ in self._sent if len(sign) == 3)

    def knows(self, event: Event) -> bool:
        """Say whether the same message was sent lately."""
        sign = _sign(event)
        return any(sign == sent for sent, _ in self._sent)

    def awaits(self, event: NoteOff) -> bool:
        """Say whether the note that this ends has come back."""
        return (event.channel, event.pitch) in self._returned

    def passes_over(self, event: Event, now: float) -> bool:
        """Say whether what comes in at `now` is our own and not to be heard; a note-off never is."""
        self._expire(now)
        self.doubled = False
        sign = _sign(event)
        sent = self._origin(sign, now)
        if isinstance(event, NoteOff):
            if sent is not None and sign in self._returned:
                self._returned.discard(sign)
                self._count(now, sent, ends=True)
            return False
        if not isinstance(event, NoteOn):
            return sent is not None and self.lag is not None
        self._heard(now)
        if sent is None or self._is_players(sign, now):
            self._players.append((sign, now))
            self._in_row = 0
            return sent is not None and self.lag is not None
        self._returned.add(sign[:2])
        self._count(now, sent)
        self._in_row += 1
        self.doubled = self._in_row > 1
        return self.lag is not None

    def _heard(self, now: float) -> None:
        """Take in when a note-on came in."""
        gap = now - self._heard_at
        if gap > 0:
            self._gaps = min(self._gaps[0], gap), max(self._gaps[1], gap)
            self._heard_at = now

    def _is_players(self, sign: _Sign, now: float) -> bool:
        """Say whether the player has played this lately."""
        return any(sign == played and now - at < LATELY_SECONDS for played, at in self._players)

    def _origin(self, sign: _Sign, now: float) -> float | None:
        """Take out the message that this may be, and return when it was sent; of several, the likeliest."""
        alike = [each for each in self._sent if each[0] == sign and now - each[1] >= SHORTEST_SECONDS]
        if not alike:
            return None
        likely = self.lag if self.lag is not None else self._longest if self._run else LONGEST_SECONDS
        found = min(alike, key=lambda each: abs(now - each[1] - likely))
        if self.lag is not None and abs(now - found[1] - self.lag) > _looseness(self.lag):
            return None
        self._sent.remove(found)
        self._missing = 0
        return found[1]

    def _count(self, now: float, sent: float, *, ends: bool = False) -> None:
        """Count one more message that came back."""
        lag = now - sent
        shortest, longest = min(self._shortest, lag), max(self._longest, lag)
        if not self._run or longest - shortest > SPREAD_SECONDS:
            self._run, self._ends, shortest, longest = 1, 0, lag, lag
            self._gaps = inf, 0.0
        elif now > self._counted_at:
            self._run += 1
            self._ends += ends
        self._counted_at = now
        self._shortest, self._longest = shortest, longest
        steady = self._gaps[1] - self._gaps[0] <= SPREAD_SECONDS
        if self._run >= EVIDENCE and self._ends >= ENDS and not steady and self.lag is None:
            self.lag = (shortest + longest) / 2

    def _expire(self, now: float) -> None:
        """Forget what was sent too long ago to come back; in a row it would have."""
        while self._sent and now - self._sent[0][1] > self._patience:
            sign, _ = self._sent.popleft()
            if len(sign) <= NOTE:
                self._run = 0
                self._returned.discard(sign[:2])
            if len(sign) == NOTE:
                self._missing += 1
                if self._missing >= DOUBT:
                    self.lag = None

    @property
    def _patience(self) -> float:
        if self.lag is not None:
            return self.lag + _looseness(self.lag)
        return self._longest + SPREAD_SECONDS if self._run else LONGEST_SECONDS


def _looseness(lag: float) -> float:
    return max(LOOSELY_SECONDS, LOOSELY * lag)


def _sign(event: Event) -> _Sign:
    """Return what a message is known by: of a note-off not how fast the key came up, which is not always passed on."""
    if isinstance(event, NoteOn):
        return event.channel, event.pitch, event.velocity
    if isinstance(event, NoteOff):
        return event.channel, event.pitch
    return event.channel, 0, 0, event
