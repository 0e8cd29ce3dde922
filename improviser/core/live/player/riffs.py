"""Riffs: what was answered the last time the player was at this place, so that what comes again is answered alike.

A place is what was struck lately, up to ORDER chords back, a pause counted as one. For each, what came next and what
was answered is remembered, the latest alone.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

Struck = tuple[int, ...]
Place = int | Struck
"""One chord of a place; of a single note its pitch alone, which is looked up sooner."""
Answers = tuple[int | None, ...]

ORDER, PLACES = 5, 8192
LATELY = 9
PAUSE, PAUSE_SECONDS = 2.0, 0.6
"""A phrase begins after so many times the median interval, and no less than that."""
BEGINNING: Struck = ()


class Recalled(NamedTuple):
    """How a place went on: what was struck, what each part had sounding with it, how many chords before are alike."""

    struck: Struck
    answers: Answers
    alike: int


class Riffs:
    """The memory of one session; bounded, whatever its length."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[Place, ...], dict[int, tuple[Struck, Answers]]] = OrderedDict()
        self._lately: deque[Place] = deque(maxlen=ORDER)
        self._gaps: deque[float] = deque(maxlen=LATELY)
        self._known: list[tuple[dict[int, tuple[Struck, Answers]], int]] = []
        """How this place has gone on; found before the next note comes."""
        self._latest: float | None = None
        self._pause = max(PAUSE_SECONDS, PAUSE * PAUSE_SECONDS)

    def recall(self, pitch: int, now: float) -> Recalled | None:
        """Return how this place last went on with `pitch`."""
        known = self._following((*self._lately, BEGINNING)[-ORDER:]) if self._begins(now) else self._known
        for following, alike in known:
            if (found := following.get(pitch)) is not None:
                return Recalled(found[0], found[1], alike)
        return None

    def _following(self, place: tuple[Place, ...]) -> list[tuple[dict[int, tuple[Struck, Answers]], int]]:
        """Return how a place has gone on, by as much of it as is alike, the most first."""
        size, found = len(place), []
        for start in range(size):
            following = self._places.get(place[start:])
            if following is not None:
                found.append((following, size - start))
        return found

    def learn(self, struck: Sequence[int], answers: Sequence[int | None], now: float) -> None:
        """Take in a chord, at its onset `now`, and what each part had sounding with it."""
        begins, places, chord = self._begins(now), self._places, tuple(sorted(struck))
        if begins:
            self._lately.append(BEGINNING)
        elif self._latest is not None:
            self._gaps.append(now - self._latest)
            self._pause = max(PAUSE_SECONDS, PAUSE * sorted(self._gaps)[len(self._gaps) // 2])
        place, answered = tuple(self._lately), (chord, tuple(answers))
        for start in range(len(place)):
            end = place[start:]
            following = places.get(end)
            if following is None:
                following = places[end] = {}
            else:
                places.move_to_end(end)
            for pitch in struck:
                following[pitch] = answered
        while len(places) > PLACES:
            places.popitem(last=False)
        self._latest = now
        self._lately.append(chord[0] if len(chord) == 1 else chord)
        self._known = self._following(tuple(self._lately))

    def _begins(self, now: float) -> bool:
        """Say whether a phrase begins."""
        return self._latest is None or now - self._latest >= self._pause
