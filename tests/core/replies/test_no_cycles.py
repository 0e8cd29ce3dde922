"""A reply that was thought out, or thrown away, is freed at once: the engine runs without the collector of cycles."""

import gc
import weakref

from improviser.core.replies.brief import Surface
from improviser.core.replies.evolve import Evolution
from tests.core.replies.briefs import TUNE, brief_of, dice, line


def test_nothing_leads_back_to_itself() -> None:
    gc.disable()
    try:
        for pieces in (0, 10, None):
            surface = Surface(list, frozenset([(4, -2, 3)]))
            thought = Evolution(brief_of(line(TUNE), surface=surface), None, dice())
            thought.finish(pieces)
            there = weakref.ref(thought._breeding)
            del thought
            assert there() is None
    finally:
        gc.enable()
