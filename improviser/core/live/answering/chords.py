"""Draws the chord of parts that are chosen together: one of their combinations or, rarely, each part by itself."""

from collections.abc import Sequence

import numpy as np

from improviser.core.chorale.session import DOUBT, Combinations, Opinions
from improviser.core.live.answering.decoding import COLDEST, Wheel, spin, wheel


def draw_chord(
    combinations: Combinations, opinions: Opinions, sums: Wheel, temperature: float, chance: float
) -> tuple[int, ...]:
    """Return the pitches of the parts, the highest first, that a number ≥ 0 and < 1 falls on.

    What is played is what bits are counted of: with the probability `DOUBT` the parts draw each by itself. That is
    sharpened or flattened by the temperature like everything else.

    :param sums: running sums of the chances of the combinations at that temperature, see `wheel`.
    """
    doubt = 0.0 if temperature < COLDEST else DOUBT ** (1 / temperature)
    if chance >= doubt:
        return combinations.pitches_of(spin(sums, (chance - doubt) / (1 - doubt)))
    if not np.isfinite(opinions.logs.max(axis=1)).all():  # nothing that a part has in mind may sound
        return combinations.pitches_of(spin(sums, chance / doubt))
    return _apart([wheel(logs, temperature) for logs in opinions.logs], chance / doubt)


def _apart(wheels: Sequence[Wheel], chance: float) -> tuple[int, ...]:
    """Return what one number falls on on several wheels, one after the other."""
    found = []
    for sums in wheels:
        part = spin(sums, chance)
        before = sums[part - 1] if part else 0.0
        chance = min(max((chance * sums[-1] - before) / (sums[part] - before), 0.0), 1 - 2**-53)
        found.append(part)
    return tuple(found)
