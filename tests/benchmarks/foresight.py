"""How many notes are foreseen, and what thinking about them costs: sopranos of Bach's chorales, played by a person.

Run it from the repository's folder::

    uv run python -m tests.benchmarks.foresight --model bach-bass

A person is not on time: each onset is off by a normal deviation of 0 to 40 milliseconds. After each note the engine
thinks to the end, as it does when the next note leaves it the time. "random" plays any of 24 pitches after any time
from 80 to 160 ms: what nobody can foresee.
"""

import argparse
import random
import time
from collections.abc import Iterator

import numpy as np

from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import Event, NoteOff, NoteOn
from improviser.library import catalogue
from improviser.training.chorales import load_chorales

Tune = list[tuple[float, int]]
CHORALES, NOTES = 40, 400
JITTERS = (0, 10, 20, 40)


def sopranos(jitter_seconds: float) -> Iterator[Tune]:
    """Yield what a person makes of each chorale's soprano: onset and pitch."""
    chance = random.Random(1)
    for piece in load_chorales()[:CHORALES]:
        tune = [
            (note.onset_seconds + chance.gauss(0, jitter_seconds), note.pitch) for note in piece.voice("soprano") or ()
        ]
        yield sorted((max(0.0, onset), pitch) for onset, pitch in tune)


def anything() -> Iterator[Tune]:
    """Yield a tune of any pitches at any time."""
    chance, onset, tune = random.Random(1), 0.0, []
    for _ in range(NOTES):
        tune.append((onset, 60 + chance.randrange(24)))
        onset += chance.uniform(0.08, 0.16)
    yield tune


def play(model: str, tune: Tune) -> tuple[int, float]:
    """Play a tune to a performer; return how many notes were foreseen, and the seconds that were spent thinking."""
    performer = Performer([catalogue.load_model(model)], Parameters(), np.random.default_rng(1))

    def hear(event: Event, onset: float) -> bool:
        outcome = performer.hear(event, onset)
        for answer in outcome.events:
            performer.sent(answer)
        return outcome.foreseen

    foreseen, seconds = 0, 0.0
    for onset, pitch in tune:
        foreseen += hear(NoteOn(0, pitch, 80), onset)
        performer.settle()
        begun = time.perf_counter()
        while performer.foresee():
            pass
        seconds += time.perf_counter() - begun
        hear(NoteOff(0, pitch), onset)
    return foreseen, seconds


def main() -> None:
    """Print a line for each way of playing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bach-bass")
    options = parser.parse_args()
    ways = [(f"off by {jitter} ms", list(sopranos(jitter / 1000))) for jitter in JITTERS]
    print(f"{'played':<16}{'foreseen':>10}{'ms of thinking a note':>24}")
    for way, tunes in [*ways, ("random", list(anything()))]:
        results = [play(options.model, tune) for tune in tunes]
        notes = sum(map(len, tunes))
        foreseen, seconds = (sum(column) for column in zip(*results, strict=True))
        print(f"{way:<16}{foreseen / notes:>10.1%}{seconds / notes * 1000:>24.1f}")


if __name__ == "__main__":
    main()
