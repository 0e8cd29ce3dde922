"""What four parts cost beside one: the same notes to a performer of each, by turns, in one run.

Run it from the repository's folder::

    uv run python -m tests.benchmarks.parts_in_time bach-bass bach-chorale

For each model: how long `hear` takes (microseconds) of notes that nobody has foreseen, and of notes that were thought
of before they came; what learning afterwards takes; and how many of the notes were foreseen by a performer that may
think for as long as a person leaves it (onsets are off by 10 ms). The garbage collector rests, as in the engine.
"""

import argparse
import gc
import time
from dataclasses import dataclass, field

import numpy as np

from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import NoteOff, NoteOn
from improviser.core.music.note import Note
from improviser.core.music.player import performance
from improviser.library.catalogue import load_model
from improviser.threads import use_one_thread

SECONDS, WARM = 120.0, 40
RANKS = (50, 99)


@dataclass(slots=True)
class Player:
    """One performer, and what was measured of it, in seconds."""

    performer: Performer
    thinks: bool
    heard: list[float] = field(default_factory=list)
    learned: list[float] = field(default_factory=list)
    foreseen: list[bool] = field(default_factory=list)

    def play(self, note: Note) -> None:
        """Let it hear a note, and its end."""
        performer = self.performer
        if self.thinks:
            while performer.foresee():
                pass
        begun = time.perf_counter()
        outcome = performer.hear(NoteOn(0, note.pitch, note.velocity), note.onset_seconds)
        self.heard.append(time.perf_counter() - begun)
        self.foreseen.append(outcome.foreseen)
        for event in outcome.events:
            performer.sent(event)
        begun = time.perf_counter()
        performer.settle()
        self.learned.append(time.perf_counter() - begun)
        for event in performer.hear(NoteOff(0, note.pitch), note.end_seconds).events:
            performer.sent(event)
        performer.settle()


def ranks(seconds: list[float]) -> str:
    """Return the ranks of times in microseconds."""
    return "".join(f"{np.percentile(seconds[WARM:], rank) * 1e6:>8.0f}" for rank in RANKS) if seconds[WARM:] else ""


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--part", default="soprano")
    options = parser.parse_args()
    parameters = Parameters(part=options.part)
    players = {
        (name, thinks): Player(Performer([load_model(name)], parameters, np.random.default_rng(1)), thinks)
        for name in options.models
        for thinks in (False, True)
    }
    gc.disable()
    for note in performance(np.random.default_rng(1), SECONDS):
        for player in players.values():
            player.play(note)
    print(f"{'µs: p50, p99':<16}{'not foreseen':>16}{'foreseen':>16}{'learning':>16}{'foreseen':>10}")
    for name in options.models:
        plain, thinks = players[name, False], players[name, True]
        times = [seconds for seconds, seen in zip(thinks.heard, thinks.foreseen, strict=True) if seen]
        share = np.mean(thinks.foreseen[WARM:])
        print(f"{name:<16}{ranks(plain.heard)}{ranks(times)}{ranks(plain.learned)}{share:>10.0%}")


if __name__ == "__main__":
    use_one_thread()
    main()
