"""The guard against rings: improvisers that hear each other in a circle, so that each answer is answered for ever.

What comes back is no note of ours, but what others made of it, so no note can be recognised; and by its times it may be
a sequencer that plays as fast. So it is asked: when more is heard than anybody plays by hand, a move of a controller is
sent that no instrument knows, and every improviser passes on. Where it comes again, there is a way round. `PROOF` of
them in a row, each with a value that cannot be foreseen, are beyond chance, and a sequencer never sends one: it is
asked once in a while, and answered as ever.

Once a ring is known, all that comes is passed over for a moment, so that what circles comes to its end. From then on
each of our notes is expected back once, after about the time that the question took, and what comes then is passed
over; whatever else is played is heard. Once `DOUBT` notes in a row do not come back, all is heard again.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from math import inf

from improviser.core.midi.event import QUESTION, ControlChange, Event, NoteOff, NoteOn

MANY, MANY_SECONDS = 64, 1.28
"""More notes in less time are more than ten fingers play for long."""
ENDLESS, PAUSE_SECONDS = 192, 0.2
"""Nor do they play so many in a row without a pause of this length."""

BURST_SECONDS, BURST = 0.06, 1024
"""What is over so soon is only a burst, unless it is of more notes than this: where a ring passes on what it hears as
well, each time round there are several times as many."""

PROOF = 3
LONGEST_SECONDS = 2.5
"""How long the way round may take."""
AGAIN_SECONDS, RARELY_SECONDS = 4.0, 64.0
"""When it is asked again in the same stream of notes: at first, and at most."""
HIGHEST = 60
"""Questions are 1 to this."""
DOUBT = 4
REMEMBERED = 256


class RingGuard:
    """Finds out whether what is heard goes round. All times are seconds of the session."""

    def __init__(self) -> None:
        self._heard: deque[float] = deque(maxlen=MANY)
        self._run = self._answered = 0
        self._began = 0.0
        self._channel = 0
        self._asked: tuple[int, float] | None = None
        self._wants_to_ask = self._has_to_rest = False
        self._lags: list[float] = []
        self._not_before = -inf
        self._patience = AGAIN_SECONDS
        self._window: tuple[float, float] | None = None
        self._deaf_until = -inf
        self._sent: deque[float] = deque(maxlen=REMEMBERED)
        self._asked_lately: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._moves: deque[tuple[Event, float]] = deque(maxlen=REMEMBERED)
        self._missing = 0

    @property
    def known(self) -> bool:
        """Whether our answers come back as others have answered them."""
        return self._window is not None

    @property
    def due(self) -> float | None:
        """When a question is over that nothing has come back to; `expire` takes that in."""
        return None if self._asked is None else self._asked[1] + LONGEST_SECONDS

    def expire(self, now: float) -> None:
        """Take in that it is `now`: there is no ring if a question has not come back."""
        if self._asked is None or now < self._asked[1] + LONGEST_SECONDS:
            return
        self._asked, self._has_to_rest = None, True
        self._lags.clear()
        self._not_before = now + self._patience
        self._patience = min(2 * self._patience, RARELY_SECONDS)

    def sends(self, event: Event, now: float) -> None:
        """Take in a message that was sent at `now`."""
        if isinstance(event, NoteOn):
            self._channel = event.channel
            self._answered += 1
            if self._window is not None:
                self._forget_late_ones(now)
                self._sent.append(now)
        elif self._window is not None and not isinstance(event, NoteOff):
            self._moves.append((replace(event, channel=0), now))

    def recognises(self, event: Event, now: float) -> bool:
        """Say whether what comes in at `now` has gone round, and is not to be heard."""
        if isinstance(event, NoteOff):
            return False
        if not isinstance(event, NoteOn):
            return self._comes_back(event, now) or self._went_round(event, now)
        if now < self._deaf_until or self._is_expected(now):
            return True
        self.hears(now)
        return now < self._deaf_until

    @property
    def calm(self) -> tuple[float, float]:
        """From when on, and until when, the next note is surely heard, and nothing is asked because of it."""
        if self._window is not None or self._wants_to_ask or self._has_to_rest:
            return inf, -inf
        begins = self._deaf_until
        if self._asked is not None:
            return begins, inf
        if self._run + 1 >= ENDLESS:
            return begins, self._not_before
        if len(self._heard) >= MANY - 1:
            begins = max(begins, self._heard[1 - MANY] + MANY_SECONDS)
        return begins, inf

    def probes(self, now: float, at_rest: Callable[[int], int]) -> list[Event]:
        """Return what is to be sent; `at_rest` says where that controller should be at an output channel."""
        if self._wants_to_ask:
            before = self._asked[0] if self._asked is not None else 0
            value = 1 + (int(now * 1e6) * 2_654_435_761 >> 9) % HIGHEST
            value = value if value not in (before, at_rest(self._channel)) else 1 + value % HIGHEST
            self._wants_to_ask, self._asked = False, (value, now)
            self._asked_lately.append(self._asked)
            return [ControlChange(self._channel, QUESTION, value)]
        if self._has_to_rest:
            self._has_to_rest = False
            return [ControlChange(self._channel, QUESTION, at_rest(self._channel))]
        return []

    def _went_round(self, event: Event, now: float) -> bool:
        """Say whether a move of a pedal or wheel is one that we passed on: others leave it as it is.

        What lets go never is: nothing that the player releases may be missed, and it does not go round by itself.
        """
        if self._window is None or getattr(event, "value", 0) == 0:
            return False
        sign = replace(event, channel=0)
        sent = next((move for move in self._moves if move[0] == sign and now - move[1] <= LONGEST_SECONDS), None)
        if sent is not None:
            self._moves.remove(sent)
        return sent is not None

    def _comes_back(self, event: Event, now: float) -> bool:
        """Take in a move of a controller; say whether it is a question of ours, which others may have sent twice."""
        if not isinstance(event, ControlChange) or event.control != QUESTION:
            return False
        if self._asked is None or event.value != self._asked[0]:
            return any(event.value == asked and now - at < 2 * LONGEST_SECONDS for asked, at in self._asked_lately)
        self._lags.append(now - self._asked[1])
        if len(self._lags) < PROOF:
            self._wants_to_ask = True
            return True
        low, high = min(self._lags) / 2 - 0.001, 2 * max(self._lags) + 0.01
        self._window = low, high
        self._asked, self._has_to_rest = None, True
        self._lags.clear()
        self._close(now)
        return True

    def _close(self, now: float) -> None:
        """Pass over all that comes until what circles has ended."""
        if self._window is not None:
            self._deaf_until = now + 2 * self._window[1]
        self._sent.clear()
        self._begin_anew()
        self._missing = 0

    def _begin_anew(self) -> None:
        self._heard.clear()
        self._run = self._answered = 0

    def _is_expected(self, now: float) -> bool:
        """Say whether one of our notes is to come back now, and take it for come back."""
        self._forget_late_ones(now)
        if self._window is not None and self._sent and now - self._sent[0] >= self._window[0]:
            self._sent.popleft()
            self._missing = 0
            return True
        return False

    def _forget_late_ones(self, now: float) -> None:
        while self._window is not None and self._sent and now - self._sent[0] > self._window[1]:
            self._sent.popleft()
            self._missing += 1
            if self._missing >= DOUBT:
                self._window = None
                self._begin_anew()

    def hears(self, now: float) -> None:
        """Take in a note that is heard; ask if there are too many of them."""
        if self._heard and now - self._heard[-1] > PAUSE_SECONDS:
            self._begin_anew()
            self._patience = AGAIN_SECONDS
        if not self._run:
            self._began = now
        self._heard.append(now)
        self._run += 1
        many = len(self._heard) == MANY and now - self._heard[0] < MANY_SECONDS
        if not (many or self._run >= ENDLESS) or self._answered < self._run // 4:
            return
        if now - self._began < BURST_SECONDS and self._run < BURST:
            return
        if self._window is not None:  # what is expected does not come when it should, and circles on
            self._close(now)
        elif self._asked is None and now >= self._not_before:
            self._wants_to_ask = True
