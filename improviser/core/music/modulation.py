"""Modulation: a key that is heard, and left as soon as the player has left it.

A fading histogram of pitch classes takes eight notes or more to follow the player into another key. So where notes
belong no more to the key that is heard, what was heard before them is forgotten: when two different pitch classes
lately were foreign to it; and in part when one comes right after a phrase began. (A single one within a phrase is an
accidental, as most are.) Bach's chorales, which lean towards near keys in every line, lose next to nothing by it, even
with networks that were bred without; the figures are in `tests/benchmarks/RESULTS-live.md`.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from improviser.core.music.keys import FADE, PROFILES, KeyTracker, likeliest_key
from improviser.core.music.rhythm import Moment
from improviser.core.music.scales import STEPS

LATELY = 5
"""Chords, or single notes: foreign ones among these count together."""
EARLY = 2
"""So many notes after its first a phrase has only begun."""
SURE, UNSURE = 0.0, 0.3
"""What is left of what was heard, after two foreign pitch classes, and after one early in a phrase."""
RECENT = 2.0
"""The weight of a note that is remembered anew: since the first that was foreign, and the one before it."""
ENOUGH = 4.0
"""Before so much has been heard there is no key to leave."""

_RAISED = (6, 8)
"""The raised sixth and seventh of a minor key, above the tonic of its relative major."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What is to be remembered when a key is left.

    :param keep: the share of what was heard before, 0-1.
    :param anew: pitch classes that were the first of the new key.
    """

    keep: float
    anew: tuple[int, ...] = ()

    def leave(self, histogram: list[float], least: float = 0.0) -> list[float]:
        """Return what is left of a histogram, and no less than the share `least` of it."""
        left = [weight * (least + (1 - least) * self.keep) for weight in histogram]
        for pitch_class in self.anew:
            left[pitch_class] += RECENT
        return left


class ModulatingKeys(KeyTracker):
    """What has been heard, the player's notes and the answers, as a fading histogram that follows modulations."""

    def __init__(self) -> None:
        super().__init__()
        self._lately: deque[set[int]] = deque(maxlen=LATELY)
        """The player's pitch classes, chord by chord."""
        self._moment: Moment | None = None
        """That of the last note; notes of a chord have one moment."""
        self._prepare()

    def look(self, pitch: int, moment: Moment) -> tuple[list[float], list[float]]:
        """Return the histogram, and the scores of the keys, once the player's `pitch` is heard; changes nothing."""
        departure = self.departure(pitch, moment)
        if departure is None:
            return self.with_note(pitch), self._foreseen[pitch % 12]
        histogram = [weight * FADE for weight in departure.leave(self.histogram)]
        histogram[pitch % 12] += 1.0
        return histogram, (PROFILES @ np.array(histogram)).tolist()

    def departure(self, pitch: int, moment: Moment) -> Departure | None:
        """Return what becomes of what was heard, if the key is left with the player's `pitch`; changes nothing."""
        pitch_class = pitch % 12
        if pitch_class not in self._foreign:
            return None
        chords = [*self._lately]
        beside = chords.pop() if moment == self._moment else set()
        chords = chords[-LATELY + 1 :]
        foreign = [place for place, chord in enumerate(chords) if chord & self._foreign]
        if not any(chords[place] & self._foreign - {pitch_class} for place in foreign):
            return Departure(UNSURE) if moment.count <= EARLY else None
        since = (*chords[max(0, foreign[0] - 1) :], beside)
        return Departure(SURE, tuple(one for chord in since for one in sorted(chord)))

    def hear_player(self, pitch: int, moment: Moment) -> None:
        """Take in a note of the player's, as `look` does."""
        self.histogram = self.look(pitch, moment)[0]
        if moment != self._moment:
            self._lately.append(set())
            self._moment = moment
        self._lately[-1].add(pitch % 12)
        self._prepare()

    def hear(self, pitch: int) -> None:
        """Take in an answer."""
        super().hear(pitch)
        self._prepare()

    def _prepare(self) -> None:
        """Think about the next note before it comes."""
        scores = PROFILES @ np.array(self.histogram)
        self._foreseen: list[list[float]] = (FADE * scores + PROFILES.T).tolist()
        tonic, minor = likeliest_key(scores.tolist())
        steps = (*STEPS["major"], *_RAISED) if minor > 0.5 else STEPS["major"]
        known = sum(self.histogram) >= ENOUGH
        self._foreign: set[int] = {*range(12)} - {(tonic + step) % 12 for step in steps} if known else set()
