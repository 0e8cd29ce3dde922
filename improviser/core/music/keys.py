"""The key of what has been heard lately: a fading histogram of pitch classes against the profiles of the 24 keys.

A minor key is counted with its relative major: the two share their notes, an estimate flickers between them, and a
frame that jumps by a third each time costs a network more (.05 bit) than having to tell the modes apart by itself.

The profiles are those of Bellman, "About the Determination of the Key of a Musical Excerpt", CMMR 2005, from the chord
counts of Budge, "A Study of Chord Frequencies" (1943).
"""

import math

import numpy as np
from numpy.typing import NDArray

# How much of a note's weight is left one note later: in what was heard lately, and for the key of a whole tune.
FADE = 0.93
LONG_FADE = 0.98

_MAJOR = (16.80, 0.86, 12.95, 1.41, 13.49, 11.93, 1.25, 20.28, 1.80, 8.04, 0.62, 10.57)
_MINOR = (18.16, 0.69, 12.99, 13.34, 1.07, 11.15, 1.38, 21.07, 7.49, 1.53, 0.92, 10.21)


def _profiles() -> NDArray[np.float64]:
    rows = []
    for ratings in (_MAJOR, _MINOR):
        weights = np.log(np.array(ratings))
        rows += [np.roll(weights, tonic) for tonic in range(12)]
    return np.array(rows)


# Rows 0–11: the major keys by tonic; rows 12–23: the minor keys.
PROFILES = _profiles()


class KeyTracker:
    """What has been heard, as a fading histogram; bounded, as its weights sum to less than 1 / (1 − fade).

    :param fade: how much of a note's weight is left one note later, 0 < fade < 1.
    """

    def __init__(self, fade: float = FADE) -> None:
        self.histogram: list[float] = [0.0] * 12
        self._fade = fade

    def with_note(self, pitch: int) -> list[float]:
        """Return the histogram as it is once `pitch` has been heard; changes nothing."""
        fade = self._fade
        histogram = [weight * fade for weight in self.histogram]
        histogram[pitch % 12] += 1.0
        return histogram

    def hear(self, pitch: int) -> None:
        """Take in one note."""
        self.histogram = self.with_note(pitch)


def estimate_key(histogram: list[float]) -> tuple[int, float]:
    """Return the tonic (pitch class) of the likeliest major scale, and the probability, 0–1, that the key is minor.

    For a minor key that is the tonic of its relative major. A histogram of nothing is C major.
    """
    return likeliest_key((PROFILES @ np.array(histogram)).tolist())


def likeliest_key(scores: list[float]) -> tuple[int, float]:
    """Return the tonic and the probability of minor, as `estimate_key` does, by the scores of the keys (`PROFILES`)."""
    majors, minors = scores[:12], scores[12:]
    major, minor = max(majors), max(minors)
    ahead = minor - major
    tonic = (minors.index(minor) + 3) % 12 if ahead > 0 else majors.index(major)
    return tonic, 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, ahead))))


def weigh_keys(histogram: list[float]) -> tuple[int, float, list[float]]:
    """Return the likeliest tonic as `estimate_key` does, but of the two modes together, and how likely each is.

    :return: the tonic, the probability that the key is minor, and the probabilities, summing to 1, of the tonics from
        that one upwards by semitones.
    """
    scores: NDArray[np.float64] = PROFILES @ np.array(histogram)
    scores -= scores.max()
    majors, minors = np.exp(scores).reshape(2, 12).tolist()
    minors = minors[9:] + minors[:9]
    weights = [major + minor for major, minor in zip(majors, minors, strict=True)]
    whole = sum(weights)
    tonic = weights.index(max(weights))
    chances = [weight / whole for weight in weights[tonic:] + weights[:tonic]]
    return tonic, minors[tonic] / weights[tonic], chances
