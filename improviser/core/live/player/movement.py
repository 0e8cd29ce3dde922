"""What a player's knob says while it is moved: which control it is, or why it can turn nothing here."""

from collections.abc import Sequence
from itertools import pairwise

from improviser.core.midi.event import ControlChange

FINE = 32
"""A control 0–31 may come with its fine part, the control so many higher (MIDI 1.0: 14 bits)."""
SELECTING = range(98, 102)
"""The controls that say which NRPN or RPN is meant by what comes next."""
DATA, STEPPING = (6, 38), (96, 97)

NEEDED = 3
"""So many messages of an endless knob are known for what they are."""
FASTEST = 15
"""An endless knob says that it was turned by 1 to this, in one of the usual codes."""
_FORWARDS = frozenset(range(1, FASTEST + 1))
_CODES = (
    _FORWARDS | set(range(128 - FASTEST, 128)),  # two's complement
    frozenset(range(64 - FASTEST, 65 + FASTEST)) - {64},  # 64 and so many more or less
    _FORWARDS | set(range(65, 65 + FASTEST)),  # a sign and a size
)

NUMBERED = (
    "that knob sends NRPN or RPN messages, which turn nothing here; have it send plain control changes (CC), "
    "and move it again"
)
ENDLESS = (
    "that knob is endless and says only how far it was turned; have it send absolute values (0–127), and move it again"
)


def judge(moves: Sequence[ControlChange], *, numbered: bool = False, over: bool = False) -> ControlChange | str | None:
    """Return the first control that was moved, the coarse one of a pair; or, as text, why it cannot be; or None: go on.

    :param moves: what came in one movement, in order; not empty.
    :param numbered: whether an NRPN or RPN was selected on its channel before.
    :param over: whether nothing more comes.
    """
    first = moves[0]
    if first.control in STEPPING or (first.control in DATA and numbered):
        return NUMBERED
    coarse = first.control - FINE if FINE <= first.control < 2 * FINE else first.control
    parts = {
        number: [move for move in moves if move.channel == first.channel and move.control == number]
        for number in (coarse, coarse + FINE, first.control)
    }
    if coarse < FINE and parts[coarse] and parts[coarse + FINE]:
        return parts[coarse][0]
    values = [move.value for move in parts[first.control]]
    if len(values) >= NEEDED and _is_relative(values):
        return ENDLESS
    is_place = not any(set(values) <= code for code in _CODES)
    may_be_fine = first.control != coarse
    return first if over or (is_place and not may_be_fine) else None


def _is_relative(values: Sequence[int]) -> bool:
    """Say whether these are steps: the same again, or one back and forth, where a knob with a place goes along."""
    pairs = [*pairwise(values)]
    repeats = any(value == following for value, following in pairs)
    leaps = any(abs(value - following) > FASTEST for value, following in pairs)
    return (repeats or leaps) and any(set(values) <= code for code in _CODES)
