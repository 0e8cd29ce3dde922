"""What pages are told of a session: its events, and for a page that comes, or has missed some, the session so far.

The bus hands the events to a thread of the feed's own (it subscribes as slow), where they are counted and encoded, once
for all pages. The loop of the daemon only passes on what is ready.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from improviser.core.live.answering.foresight import likely_notes, likely_onsets
from improviser.core.live.snapshot import Setup
from improviser.core.midi.event import SUSTAIN, ControlChange, NoteOff, NoteOn
from improviser.core.midi.pairing import PEDAL_DOWN
from improviser.core.music.phrase import PhraseTracker
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import Failed, Lost, Noticed, Played, Ready, Step
from improviser.engine.session_tally import SessionTally
from improviser.web.messages import answers_of, clean, encode, figures_of, phrase_of, roll_of, told

REMEMBERED = 64
"""Notes of the player's from which those that come next are guessed."""
EXPECTED = 6
"""Of so many pitches, the likeliest, a page is told."""
MOMENT_SECONDS = 0.02
UNKNOWN = Setup(())

Deliver = Callable[[list[bytes], bool], None]
"""Takes messages, and whether all is to be told anew: an engine has begun, or events were lost on the way here."""


class Feed:
    """Takes a session's events, and has `deliver` called on the loop with what pages are to be told.

    :param loop: the daemon's.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, deliver: Deliver) -> None:
        self.awaited = False
        """Whether there is any page to be told."""
        self._loop = loop
        self._deliver = deliver
        self._lock = threading.Lock()
        self._tally = SessionTally()
        self._phrases = PhraseTracker()
        self._closed_phrases: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._heard: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._expected: tuple[int, ...] = ()
        self._fresh: list[bytes] = []
        self._renewed = self._scheduled = False

    def take(self, event: SessionEvent) -> None:
        """Take in an event, in the feed's own thread."""
        with self._lock:
            self._tally.take(event)
            self._follow_phrases(event)
            if isinstance(event.report, Noticed | Failed):
                self._tally.warn(clean(event.report.message))
            self._renewed |= isinstance(event.report, Ready | Lost)
            self._tell(told(event))
        expected = self._expect(event) if self.awaited else ()
        if expected:  # afterwards: what was played is to sound first
            with self._lock:
                self._expected = expected
                self._tell({"type": "expected", "pitches": expected})

    def _tell(self, message: dict[str, Any] | None) -> None:
        """Have a message passed on, if there is any and somebody to take it; the lock is held."""
        if self.awaited and message is not None:
            self._fresh.append(encode(message))
        self._schedule()

    def _schedule(self) -> None:
        """Have what is fresh passed on; the lock is held."""
        if self._scheduled or not (self._fresh or self._renewed):
            return
        self._scheduled = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: there are no pages any more
            self._loop.call_soon_threadsafe(self.pass_on)

    def pass_on(self) -> None:
        """Pass on what is fresh, on the loop."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
            renewed, self._renewed = self._renewed, False
            self._scheduled = False
        if fresh or renewed:
            self._deliver(fresh, renewed)

    def _expect(self, event: SessionEvent) -> tuple[int, ...]:
        """Return the pitches that are likely to come after a note of the player's, the likeliest first.

        They are those that the engine thinks about between notes: by the same rule, from the same notes.
        """
        if not (isinstance(event.report, Step) and isinstance(event.heard, NoteOn)):
            return ()
        self._heard.append((event.heard.pitch, event.report.stamp))
        onsets = likely_onsets([onset for _, onset in self._heard])
        moments = [(round(onset / MOMENT_SECONDS), onset, weight) for onset, weight in onsets]
        likely = likely_notes([pitch for pitch, _ in self._heard], moments) if moments else []
        return tuple(islice(dict.fromkeys(pitch for pitch, _ in likely), EXPECTED))

    def _follow_phrases(self, event: SessionEvent) -> None:
        tracker, report = self._phrases, event.report
        if isinstance(report, Ready) or (isinstance(report, Played) and report.cause == "panic"):
            tracker.forget()
        if not isinstance(report, Step):
            return
        match event.heard:
            case NoteOn():
                before = tracker.phrases[-1] if tracker.phrases else None
                tracker.press(event.heard, report.stamp)
                if tracker.phrases and tracker.phrases[-1] is not before:
                    self._end_phrase(phrase_of(tracker.phrases[-1]))
            case NoteOff(channel, pitch):
                tracker.release(channel, pitch, report.stamp)
            case ControlChange(channel, control, value) if control == SUSTAIN:
                tracker.pedal(channel, down=value >= PEDAL_DOWN, now=report.stamp)
            case _:
                pass

    def _end_phrase(self, phrase: dict[str, Any]) -> None:
        self._closed_phrases.append(phrase)
        if self.awaited:
            self._fresh.append(encode(phrase))

    def pass_time(self, now: float) -> None:
        """Take in that it is `now`: the player's phrase may be over."""
        with self._lock:
            end = self._phrases.end()
            if end is not None and end <= now and (phrase := self._phrases.close(end)) is not None:
                self._end_phrase(phrase_of(phrase))
                self._schedule()

    def figures(self, now: float) -> dict[str, Any]:
        """Return what of the session goes on changing by itself."""
        with self._lock:
            return figures_of(self._tally.snapshot(now, UNKNOWN))

    def snapshot(self, now: float) -> bytes:
        """Return the session so far, as a message; what happened before it has been delivered when this returns."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
            snapshot = self._tally.snapshot(now, UNKNOWN)
            message = {
                "type": "snapshot",
                "at": now,
                "roll": roll_of(snapshot),
                "answers": answers_of(snapshot.answers),
                "phrases": [*self._closed_phrases],
                "pedal": snapshot.pedal,
                "expected": list(self._expected),
                "news": [clean(line) for line in snapshot.warnings],
                **figures_of(snapshot),
            }
        if fresh:
            self._deliver(fresh, False)
        return encode(message)
