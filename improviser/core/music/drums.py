"""Drums: a pulse to play on, taken from when a drummer strikes, whatever it is that is struck."""

import math
from collections import deque

DRUM_CHANNEL = 9
"""The drums' channel, 0-15, of General MIDI: the tenth. (In a zone of MPE it is a channel like any other.)"""
TOGETHER_SECONDS = 0.06
"""Strokes this close together are one."""
REMEMBERED, ENOUGH = 24, 4
"""Intervals between strokes: so many are remembered, and so many are needed to tell a pulse."""
SHORTEST, LONGEST = 0.25, 1.5
"""Seconds of a pulse: of faster strokes every second one, or fourth, counts."""
GONE = 2.5
"""After so many pulses without a stroke the drummer has stopped."""
NEAR, EARLY = 0.25, 0.15
"""A stroke that is no further from a pulse than the first part of it is one; a note of the player's is on a pulse if it
is no earlier than the second part."""


class DrumPulse:
    """Hears strokes, and says when the next pulse is; bounded, whatever the session's length."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=REMEMBERED)
        self._stroke: float | None = None
        self._pulse = 0.0
        """When the last pulse was."""

    def strike(self, now: float) -> None:
        """Take in a stroke at `now`, in seconds; times never decrease."""
        if self._stroke is not None:
            gap = now - self._stroke
            if gap < TOGETHER_SECONDS:
                return
            if gap > LONGEST:
                self._gaps.clear()
            else:
                self._gaps.append(gap)
        self._stroke = now
        pulse = self.seconds
        pulses = 0.0 if pulse is None else (now - self._pulse) / pulse
        if pulse is None or pulses > GONE or (pulses > 0.5 and abs(pulses - round(pulses)) <= NEAR):
            self._pulse = now

    @property
    def seconds(self) -> float | None:
        """How long a pulse is; None while there is none."""
        if len(self._gaps) < ENOUGH:
            return None
        pulse = sorted(self._gaps)[len(self._gaps) // 2]
        doublings: int = max(0, math.ceil(math.log2(SHORTEST / pulse)))
        return pulse * float(1 << doublings)

    def next_after(self, seconds: float) -> float | None:
        """Return the first pulse at or after a time; None if no drummer plays on until then."""
        pulse, stroke = self.seconds, self._stroke
        if pulse is None or stroke is None or seconds - stroke > GONE * pulse:
            return None
        return self._pulse + max(0, math.ceil((seconds - self._pulse) / pulse - 0.05)) * pulse

    def came(self, since: float, now: float) -> bool | None:
        """Say whether a pulse has come since a time, a little early or late; None if no drummer plays."""
        pulse, stroke = self.seconds, self._stroke
        if pulse is None or stroke is None or now - stroke > GONE * pulse:
            return None
        before, after = (math.floor((each - self._pulse) / pulse + EARLY) for each in (since, now))
        return after > before

    def forget(self) -> None:
        """Hear no pulse until a drummer plays again."""
        self._gaps.clear()
        self._stroke = None
