"""What it takes to begin a new session with a new tune: bits a note of other bounds on the evidence for it.

    uv run --extra corpus python -m tests.benchmarks.new_tunes [--model bach-melody] [--styles …] [--skip 0]

Prints the table “When a new tune begins” of RESULTS-learn.md: folk sessions as in `folk_sessions`, with their pauses of
three seconds, and the same without any pause, where only the notes can tell. *Anew* is told where tunes begin.
"""

import argparse
import math
from unittest.mock import patch

import numpy as np

from improviser.core.melody import tunes
from improviser.library.catalogue import load_model
from improviser.training.folk_tunes import STYLES
from tests.benchmarks import folk_sessions
from tests.benchmarks.folk_sessions import bits, sessions

NEVER = math.inf
SHIPS = tunes.EVIDENCE_AFTER_PAUSE, tunes.EVIDENCE_AFTER_PHRASE
BOUNDS = ((NEVER, NEVER), (2.0, NEVER), (4.0, NEVER), (2.0, 4.0), (3.0, 5.0), SHIPS, (6.0, 10.0), (8.0, 14.0))
"""Bits, where a new session was begun with a pause, and with a phrase."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="bach-melody")
    parser.add_argument("--styles", nargs="*", default=[*STYLES])
    parser.add_argument("--sessions", type=int, default=1, help="of each style")
    parser.add_argument("--skip", type=int, default=0, help="sessions")
    parser.add_argument("--tunes", type=int, default=15)
    given = parser.parse_args()
    model = load_model(given.model)
    some = [each for style in given.styles for each in sessions(style, given.sessions, given.tunes, given.skip)]

    def mean(pause: float, *, anew: bool = False) -> float:
        with patch.object(folk_sessions, "PAUSE_SECONDS", pause):
            return float(np.concatenate([bits(model, each, anew=anew) for each in some]).mean())

    print("| bits after a pause, a phrase | with pauses | without |\n|---|---|---|")
    for after_pause, after_phrase in BOUNDS:
        with (
            patch.object(tunes, "EVIDENCE_AFTER_PAUSE", after_pause),
            patch.object(tunes, "EVIDENCE_AFTER_PHRASE", after_phrase),
        ):
            ships = " (as it ships)" if (after_pause, after_phrase) == SHIPS else ""
            print(f"| {after_pause:g}, {after_phrase:g}{ships} | {mean(3.0):.3f} | {mean(0.0):.3f} |", flush=True)
    print(f"| anew | {mean(3.0, anew=True):.3f} | {mean(0.0, anew=True):.3f} |", flush=True)


if __name__ == "__main__":
    main()
