"""Foresight: which notes are likely to come next, so that answers to them can be computed before they do.

Players return to the pitches and the lengths that they have played lately, and move by small steps.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise

from improviser.core.music.note import PITCHES

PREDICTED = 128
"""Notes that are answered ahead, at most, before the next one."""
NEAR, NEARNESS, HALVING = 24, 0.05, 2.0
"""Pitches at most so far from the last one may come, too; the weight of that is halved each so many semitones."""
LENGTHS = 16
"""Of so many notes, the last ones, the lengths may come again."""
GRID, GRID_STEPS = 4, 16
"""After the lengths of lately, so many steps of this part of the usual length are as likely as if played long ago."""
FADE = 0.9
"""How much of a length's weight is left one note later."""
FASTEST, IN_A_ROW = 0.04, 8
"""Who plays so many notes in a row that are closer together than this, in seconds, leaves no time to think."""


def likely_onsets(times: Sequence[float]) -> list[float]:
    """Return when the next note comes if a length (seconds) of those lately between `times` is repeated, latest first.

    Last come those of a grid: people are late, and play what they have not played before.

    Nothing if there is no time to think before.
    """
    lately = times[-LENGTHS - 1 :]
    if not lately or (len(lately) > IN_A_ROW and lately[-1] - lately[-1 - IN_A_ROW] < IN_A_ROW * FASTEST):
        return []
    lengths = [after - before for before, after in pairwise(lately)] or [0.0]
    usual = sorted(lengths)[(len(lengths) - 1) // 2]
    grid = [usual * step / GRID for step in range(1, GRID_STEPS + 1)] if usual else []
    return [lately[-1] + length for length in (*reversed(lengths), *grid)]


def likely_notes(pitches: Sequence[int], moments: Iterable[tuple[Hashable, float]]) -> list[tuple[int, float]]:
    """Return pitch and onset of notes that may come after those at `pitches`, the likeliest first.

    :param moments: of onsets that may come, the likeliest first: what tells them apart, and the onset in seconds.
    """
    weights: dict[Hashable, float] = {}
    onsets: dict[Hashable, float] = {}
    weight = 1.0
    for moment, onset in moments:
        weights[moment] = weights.get(moment, 0.0) + weight
        onsets.setdefault(moment, onset)
        weight *= FADE
    chances = _chances(pitches)
    rated = [(weights[moment] * chance, pitch, onsets[moment]) for moment in onsets for pitch, chance in chances]
    rated.sort(key=lambda rating: -rating[0])
    return [(pitch, onset) for _, pitch, onset in rated[:PREDICTED]]


def _chances(pitches: Sequence[int]) -> list[tuple[int, float]]:
    """Return how likely a pitch is, up to a factor, of those that were heard and those that lie near the last."""
    last = pitches[-1]
    chances = {pitch: count / len(pitches) for pitch, count in Counter(pitches).items()}
    for pitch in range(max(0, last - NEAR), min(PITCHES - 1, last + NEAR) + 1):
        chances[pitch] = chances.get(pitch, 0.0) + NEARNESS * 2.0 ** (-abs(pitch - last) / HALVING)
    return list(chances.items())
