"""Foresight: which notes are likely to come next, so that answers to them can be computed before they do.

Players return to the pitches, the steps and the lengths that they have played lately, not quite in time, and move by
small steps.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from itertools import pairwise

from improviser.core.music.note import PITCHES

PREDICTED, ENOUGH = 160, 0.97
"""Notes that are answered ahead, at most, before the next one; and no more than are so likely together."""
NEAR, NEARNESS, HALVING = 24, 0.05, 2.0
"""Pitches at most so far from the last one may come, too; the weight of that is halved each so many semitones."""
AGAIN, CAUTION = 0.25, 4.0
"""The weight of what has followed this pitch, and of the steps that were taken, once much has been heard; and how many
notes that is."""
LENGTHS = 16
"""Of so many notes, the last ones, the lengths may come again."""
EARLY_OR_LATE = ((0, 1.0), (-1, 0.6), (1, 0.6), (-2, 0.2), (2, 0.2))
OFF_SECONDS, OFF_SHARE = 0.018, 0.1
"""People are so early or so late, with these weights; but by no more than this share of a length."""
FIRST = (0.0, 0.5)
"""Before there is any length: together with the first note, or after it."""
FINEST_SECONDS = 0.004
"""Onsets that are no further apart count as one."""
GRID, GRID_STEPS = 4, 16
"""After the lengths of lately, so many steps of this part of the usual length are as likely as if played long ago."""
FADE = 0.94
"""How much of a length's weight is left one note later."""
FASTEST, IN_A_ROW = 0.04, 8
"""Who plays so many notes in a row that are closer together than this, in seconds, leaves no time to think."""


def likely_onsets(times: Sequence[float]) -> list[tuple[float, float]]:
    """Return when the next note may come, and the weight of each onset: after one of the lengths between `times`.

    (All in seconds; lengths of lately count more.) Last come those of a grid: people play what they have not played
    before. Nothing if there is no time to think before.
    """
    lately = times[-LENGTHS - 1 :]
    if not lately or (len(lately) > IN_A_ROW and lately[-1] - lately[-1 - IN_A_ROW] < IN_A_ROW * FASTEST):
        return []
    lengths = [after - before for before, after in pairwise(lately)] or [*FIRST]
    found: dict[int, tuple[float, float]] = {}
    weight = 1.0

    def may_come(length: float, weight: float) -> None:
        place = round(length / FINEST_SECONDS)
        onset, before = found.get(place, (lately[-1] + length, 0.0))
        found[place] = onset, before + weight

    for length in reversed(lengths):
        late = min(OFF_SECONDS, OFF_SHARE * length)
        for off, share in EARLY_OR_LATE:
            may_come(length + off * late, share * weight)
        weight *= FADE
    usual = sorted(lengths)[(len(lengths) - 1) // 2]
    for step in range(1, GRID_STEPS + 1) if usual else ():
        may_come(usual * step / GRID, weight)
        weight *= FADE
    return [*found.values()]


def likely_notes(
    pitches: Sequence[int], moments: Iterable[tuple[Hashable, float, float]]
) -> Iterator[tuple[int, float]]:
    """Yield pitch and onset of notes that may come after those at `pitches`, the likeliest first.

    :param moments: of onsets that may come: what tells them apart, the onset in seconds, and its weight.
    """
    weights: dict[Hashable, float] = {}
    onsets: dict[Hashable, float] = {}
    for moment, onset, weight in moments:
        weights[moment] = weights.get(moment, 0.0) + weight
        onsets.setdefault(moment, onset)
    chances = sorted(_chances(pitches), key=lambda chance: -chance[1])
    rest = ENOUGH * sum(weights.values()) * sum(chance for _, chance in chances)
    at = [*onsets.values()]
    # The best of each moment that is left; so finding the next costs little, and a note waits for no more than that.
    best = [(-weight * chances[0][1], number, 0) for number, weight in enumerate(weights.values())]
    heapify(best)
    for _ in range(PREDICTED):
        if rest <= 0 or not best:
            return
        likely, number, place = best[0]
        yield chances[place][0], at[number]
        rest += likely
        if place + 1 < len(chances):
            heapreplace(best, (likely * chances[place + 1][1] / chances[place][1], number, place + 1))
        else:
            heappop(best)


def _chances(pitches: Sequence[int]) -> list[tuple[int, float]]:
    """Return the relative likelihood of each pitch that was heard, or that lies near the last one."""
    last = pitches[-1]
    chances = {pitch: count / len(pitches) for pitch, count in Counter(pitches).items()}
    for pitch in range(max(0, last - NEAR), min(PITCHES - 1, last + NEAR) + 1):
        chances[pitch] = chances.get(pitch, 0.0) + NEARNESS * 2.0 ** (-abs(pitch - last) / HALVING)
    following = [after for before, after in pairwise(pitches) if before == last]
    stepping = [last + after - before for before, after in pairwise(pitches)]
    for again in (following, [pitch for pitch in stepping if 0 <= pitch < PITCHES]):
        share = AGAIN / (len(again) + CAUTION)
        for pitch, count in Counter(again).items():
            chances[pitch] = chances.get(pitch, 0.0) + share * count
    return list(chances.items())
