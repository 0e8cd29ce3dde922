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
from numpy.typing import NDArray

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


def _foreign_to(tonic: int, *, minor: bool) -> frozenset[int]:
    """Return the pitch classes that do not belong to a key; `tonic` is that of the major scale."""
    steps = (*STEPS["major"], *_RAISED) if minor else STEPS["major"]
    return frozenset(range(12)) - {(tonic + step) % 12 for step in steps}


_FOREIGN = {(tonic, minor): _foreign_to(tonic, minor=minor) for tonic in range(12) for minor in (False, True)}
_NONE: frozenset[int] = frozenset()
_BY_CLASS = np.ascontiguousarray(PROFILES.T)


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
    """What has been heard, the player's notes and the answers, as a fading histogram that follows modulations.

    :param alone: when a key is left, so many notes of the player's alone say which is next: answers are not heard, most
        of which are still in the old one.
    """

    def __init__(self, alone: int = 0) -> None:
        super().__init__()
        self._alone = alone
        self._unheard = 0
        """How many more answers are not heard."""
        self._lately: deque[set[int]] = deque(maxlen=LATELY)
        """The player's pitch classes, chord by chord."""
        self._moment: Moment | None = None
        """That of the last note; notes of a chord have one moment."""
        self._scores: NDArray[np.float64] | None = None
        """Those of the keys, by what was heard; None until they are asked for."""
        self._foreseen: NDArray[np.float64] | None = None
        """Those of the keys, shape (12, 24), once each of the pitch classes is heard."""
        self._keys: dict[int, tuple[int, float]] = {}
        """The key by what is heard then."""
        self._known_foreign: frozenset[int] | None = None
        self._heard_key: tuple[int, float] | None = None

    def look(self, pitch: int, moment: Moment) -> tuple[list[float], tuple[int, float]]:
        """Return the histogram and the key, as `likeliest_key`, once the player's `pitch` is heard; changes nothing."""
        departure = self.departure(pitch, moment)
        if departure is not None:
            histogram = self._left(departure, pitch)
            return histogram, likeliest_key((PROFILES @ np.array(histogram)).tolist())
        return self.with_note(pitch), self._key_with(pitch % 12)

    def key_with(self, pitch: int, moment: Moment) -> tuple[int, float]:
        """Return the key alone."""
        departure = self.departure(pitch, moment)
        return self._key_with(pitch % 12) if departure is None else self.look(pitch, moment)[1]

    def _key_with(self, pitch_class: int) -> tuple[int, float]:
        key = self._keys.get(pitch_class)
        if key is None:
            key = self._keys[pitch_class] = likeliest_key(self._foresee()[pitch_class].tolist())
        return key

    def _left(self, departure: Departure, pitch: int) -> list[float]:
        histogram = [weight * FADE for weight in departure.leave(self.histogram)]
        histogram[pitch % 12] += 1.0
        return histogram

    def departure(self, pitch: int, moment: Moment) -> Departure | None:
        """Return what becomes of what was heard, if the key is left with the player's `pitch`; changes nothing."""
        pitch_class, strangers = pitch % 12, self._foreign
        if pitch_class not in strangers:
            return None
        chords = [*self._lately]
        beside = chords.pop() if moment == self._moment else set()
        chords = chords[-LATELY + 1 :]
        foreign = [place for place, chord in enumerate(chords) if chord & strangers]
        if not any(chords[place] & strangers - {pitch_class} for place in foreign):
            return Departure(UNSURE) if moment.notes <= EARLY else None
        since = (*chords[max(0, foreign[0] - 1) :], beside)
        return Departure(SURE, tuple(one for chord in since for one in sorted(chord)))

    def hear_player(self, pitch: int, moment: Moment) -> None:
        """Take in a note of the player's, as `look` does."""
        departure = self.departure(pitch, moment)
        self._unheard = max(0, self._unheard - 1) if departure is None else self._alone
        self.histogram = self.with_note(pitch) if departure is None else self._left(departure, pitch)
        self._forget()
        if moment != self._moment:
            self._lately.append(set())
            self._moment = moment
        self._lately[-1].add(pitch % 12)

    def hear(self, pitch: int) -> None:
        """Take in an answer."""
        if self._unheard:
            return
        super().hear(pitch)
        self._forget()

    def prepare(self) -> None:
        """Work out what `look` needs of the next note, so that it does not wait for that when it comes."""
        self._foresee()
        self._known_foreign = self._foreign

    @property
    def key(self) -> tuple[int, float]:
        """The key that is heard, as `likeliest_key`."""
        if self._heard_key is None:
            self._heard_key = likeliest_key(self._score().tolist())
        return self._heard_key

    def _forget(self) -> None:
        self._scores = self._foreseen = self._known_foreign = self._heard_key = None
        if self._keys:
            self._keys = {}

    def _score(self) -> NDArray[np.float64]:
        if self._scores is None:
            self._scores = PROFILES @ np.array(self.histogram)
        return self._scores

    def _foresee(self) -> NDArray[np.float64]:
        if self._foreseen is None:
            self._foreseen = FADE * self._score() + _BY_CLASS
        return self._foreseen

    @property
    def _foreign(self) -> frozenset[int]:
        """The pitch classes that do not belong to the key that is heard; none if there is none yet."""
        if self._known_foreign is None:
            tonic, minor = self.key
            known = sum(self.histogram) >= ENOUGH
            self._known_foreign = _FOREIGN[tonic, minor > 0.5] if known else _NONE
        return self._known_foreign
