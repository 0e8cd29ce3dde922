"""Fitness: how good a reply is. Each part of it costs, in points, what is wrong with a line; 0 is the best there is.

The parts are foresight, kinship, novelty, contour, notes that are foreign to the player, rhythm, and the end. A reply
need not be more foreseeable than what the player says, and is to have a share of the player's figures in a band.
"""

import math
from collections.abc import Callable, Container, Sequence

from improviser.core.replies.brief import Brief
from improviser.core.replies.foresight import Foresight
from improviser.core.replies.line import Line, steps_of
from improviser.core.replies.vocabulary import CONTOUR, FIGURE, OWN, QUOTE, grams, ratios_of, signs

UNFORESEEN, SURPRISE = 1.0, 0.7
"""Points for each nat by which a note is foreseen worse than the player's are, at temperature .7, with some leeway."""
FEW_KIN, MANY_KIN, KIN_BAND, KIN_PAIRS = 8.0, 4.0, 0.04, 2.0
"""What each share of the player's figures costs that is wanting, or too much; of pairs of intervals that is wanting."""
HEARD_KIN = 6.0
"""The same where a left hand goes with the line, of what is heard of both."""
LEAST_KIN, MOST_KIN = 0.1, 0.9
"""The shares of the player's figures that are aimed at where `kinship` is 0 and 1."""
COPIED, COPY = 5.0, (0.15, 0.7)
"""Quotations: how many are left be where `kinship` is 0 and 1, and what others cost."""
AGAIN, LATELY, WITHIN = 3.0, 1.5, 4.0
"""What figures cost that were played before, in the last replies, and in the line itself."""
TOO_OFTEN = 3.0
"""What a pitch class costs by which share the last replies had more of it than the player."""
FOREIGN, FOREIGN_LEEWAY, OFF_LADDER = 2.0, 0.25, 3.0
END, GOAL, GOAL_FAR, LEAP_TO_END, SHORT_END = 4.0, 0.3, 0.04, 0.4, 0.5
LEAP, WIDE, REPEATED, RESTLESS = 0.25, 0.6, 0.5, 0.15
CENTRE, CENTRE_OF_HANDS, SPAN = 0.12, 0.3, 0.1
UPS_AND_DOWNS = 0.8
LENGTH, COUNT, RHYTHM, WAITING = 1.5, 0.8, 0.8, 0.6


class Fitness:
    """Rates lines by a brief."""

    def __init__(self, brief: Brief, foresight: Foresight | None) -> None:
        self._brief = brief
        self._foresight = foresight
        warmth = UNFORESEEN / (0.3 + brief.temperature)
        self._warmth = warmth
        self._usual = 0.0
        self._kin = LEAST_KIN + (MOST_KIN - LEAST_KIN) * brief.kinship
        self._copy = COPY[0] + (COPY[1] - COPY[0]) * brief.kinship
        self._logs = [math.log(weight) for weight in brief.weights]
        self._entropy = -sum(weight * log for weight, log in zip(brief.weights, self._logs, strict=True))
        self._stable = max(brief.stable)
        shares = brief.known.shares
        self._more = [max(0.0, share - weight) for share, weight in zip(shares, brief.weights, strict=True)]
        self._latest: tuple[tuple[int, ...], Sequence[int]] = (), ()

    def expect(self, phrase: Line) -> None:
        """Take in how well the player's own phrase was foreseen."""
        nats = None if self._foresight is None else self._foresight.nats(phrase)
        self._usual = 0.0 if nats is None else nats - SURPRISE

    def rate(self, line: Line, least: float = -math.inf) -> float:
        """Return the points of a line without how well it is foreseen, at most 0; the more the better.

        :param least: of a line that has no more than this, not all is looked at.
        """
        steps, points = steps_of(line.pitches), 0.0
        for part in _PARTS:
            points -= part(self, line, steps)
            if points <= least:
                break
        return points

    def unforeseen(self, line: Line) -> float:
        """Return what a line loses for being foreseen worse than what the player says."""
        nats = None if self._foresight is None else self._foresight.nats(line)
        return 0.0 if nats is None else self._warmth * max(0.0, self._usual - nats)

    def _heard(self, line: Line) -> Sequence[int]:
        """Return the pitches that are heard of a line."""
        if self._brief.surface is None:
            return line.pitches
        if self._latest[0] != line.pitches:
            self._latest = line.pitches, self._brief.surface.of(line.pitches)
        return self._latest[1]

    def _kinship(self, line: Line, steps: Sequence[int]) -> float:
        known = self._brief.known
        if self._brief.goes_on:
            steps = steps_of((*self._brief.before[-FIGURE:], *line.pitches))
        figures, quotes, pairs = grams(steps, FIGURE), grams(steps, QUOTE), grams(steps, 2)
        cost = 0.0
        if known.figures and (figures or self._brief.fewest > FIGURE):
            more = (_share(figures, known.figures) if figures else 0.0) - self._kin
            cost += max(FEW_KIN * (-more - KIN_BAND), MANY_KIN * (more - KIN_BAND), 0.0)
        if pairs and known.pairs:
            cost += KIN_PAIRS * max(0.0, self._kin - _share(pairs, known.pairs))
        surface = self._brief.surface
        if surface is not None and surface.figures:
            heard = grams(steps_of(self._heard(line)), FIGURE)
            wanting = self._kin - KIN_BAND - (_share(heard, surface.figures) if heard else 1.0)
            cost += HEARD_KIN * max(0.0, wanting)
        if quotes:
            cost += COPIED * max(0.0, _share(quotes, known.quotes) - self._copy)
        return cost

    def _novelty(self, line: Line, steps: Sequence[int]) -> float:
        known = self._brief.known
        own, figures = grams(line.pitches, OWN), grams(steps, 4)
        cost = 0.0
        if own:
            cost += AGAIN * sum(min(2, known.own[figure]) for figure in own) / len(own)
            cost += WITHIN * (1 - len(set(own)) / len(own))
        if figures:
            cost += LATELY * _share(figures, known.lately)
        return cost

    def _contour(self, line: Line, steps: Sequence[int]) -> float:
        known, pitches = self._brief.known, line.pitches
        cost = 0.0
        for step in steps:
            if abs(step) > 7 and step not in known.steps:
                cost += LEAP
            if abs(step) > 12:
                cost += 0.0 if step in known.steps else WIDE
        same = sum(
            one == two == three
            for one, two, three in zip(pitches, pitches[1:], pitches[2:], strict=False)
            if (0, 0) not in known.pairs
        )
        cost += REPEATED * same
        if steps:
            cost += RESTLESS * max(0.0, sum(map(abs, steps)) / len(steps) - 1.3 * known.usual_step)
        turns = grams(signs(steps), CONTOUR)
        if turns and known.contours:
            cost += UPS_AND_DOWNS * (1 - _share(turns, known.contours))
        return cost

    def _register(self, line: Line, steps: Sequence[int]) -> float:  # noqa: ARG002
        brief, pitches = self._brief, line.pitches
        off = abs(sum(pitches) / len(pitches) - brief.centre)
        span = max(pitches) - min(pitches)
        cost = CENTRE_OF_HANDS * max(0.0, off - 1.0) if brief.keeps_rhythm else CENTRE * max(0.0, off - 2.0)
        cost += SPAN * max(0.0, span - 1.4 * brief.span - 2)
        if len(line) > 3:
            cost += SPAN * max(0.0, 0.6 * brief.span - span)
        if brief.before:
            cost += 0.05 * max(0, abs(pitches[0] - brief.before[-1]) - 12)
        return cost

    def _pitches(self, line: Line, steps: Sequence[int]) -> float:  # noqa: ARG002
        logs, ladder, favour = self._logs, self._brief.ladder, self._brief.favour
        surprise = -sum(logs[pitch % 12] for pitch in line.pitches) / len(line)
        off = sum(not ladder.holds(pitch) for pitch in line.pitches)
        cost = FOREIGN * max(0.0, surprise - self._entropy - FOREIGN_LEEWAY) + OFF_LADDER * off
        more = self._more
        cost += TOO_OFTEN * sum(more[pitch % 12] for pitch in line.pitches) / len(line)
        if favour:
            highest = max(favour[pitch] for pitch in ladder.pitches)
            cost += sum(highest - min(highest, favour[pitch]) for pitch in line.pitches) / len(line)
        return cost

    def _rhythm(self, line: Line, steps: Sequence[int]) -> float:  # noqa: ARG002
        brief, size = self._brief, len(line)
        if brief.keeps_rhythm:
            return 0.0
        cost = COUNT * (max(0, brief.fewest - size) + max(0, size - brief.most))
        cost += LENGTH * max(0.0, abs(math.log2(line.seconds / brief.seconds)) - 0.4)
        ratios = ratios_of(line)
        if ratios and brief.known.ratios:
            cost += RHYTHM * (1 - sum(ratio in brief.known.ratios for ratio in ratios) / len(ratios))
        cost += WAITING * sum(touch.gap_seconds > brief.known.longest_gap for touch in line.touches[:-1])
        return cost

    def _end(self, line: Line, steps: Sequence[int]) -> float:
        brief, last = self._brief, line.pitches[-1]
        # Where a left hand plays on, its last note is an end, too.
        lasts = (last,) if brief.surface is None else (last, self._heard(line)[-1])
        cost = sum(END * (1 - brief.stable[each % 12] / self._stable) for each in lasts) / len(lasts)
        cost += 0.0 if last == brief.goal else GOAL + GOAL_FAR * abs(last - brief.goal)
        if steps and abs(steps[-1]) > 5 and tuple(steps[-FIGURE:]) not in brief.known.figures:
            cost += LEAP_TO_END
        if len(line) > 2 and not brief.keeps_rhythm:
            gaps = sorted(touch.gap_seconds for touch in line.touches[:-1])
            ends = line.touches[-1]
            cost += SHORT_END * (max(ends.gap_seconds, ends.duration_seconds) < gaps[len(gaps) // 2])
        return cost


_PARTS: tuple[Callable[[Fitness, Line, Sequence[int]], float], ...] = (
    Fitness._end,  # noqa: SLF001
    Fitness._kinship,  # noqa: SLF001
    Fitness._rhythm,  # noqa: SLF001
    Fitness._register,  # noqa: SLF001
    Fitness._pitches,  # noqa: SLF001
    Fitness._contour,  # noqa: SLF001
    Fitness._novelty,  # noqa: SLF001
)
"""All parts of the fitness; what tells most lines apart for the least work comes first."""


def _share(found: Sequence[tuple[int, ...]], known: Container[tuple[int, ...]]) -> float:
    """Return how much of what was found is known, 0-1."""
    return sum(one in known for one in found) / len(found)
