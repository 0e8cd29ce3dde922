"""What four parts cost beside one: the same notes to a performer of each, by turns, in one run.

Run it from the repository's folder::

    uv run python -m tests.benchmarks.parts_in_time bach-bass bach-chorale

For each model: how long `hear` takes (microseconds) of a performer that never thinks ahead; of one that has thought of
other notes, as the engine has where a note is not foreseen; and of notes that were thought of before they came. What
`settle` takes afterwards, of the first and of the last. And how many of the notes were foreseen by a performer that may
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
RANKS = ((9, 50), (8, 99))
"""How wide, and which."""
NEVER, OTHERS, ALL = WAYS = "never thinks", "thinks of others", "thinks"
COLUMNS = ("never thinks", "others foreseen", "foreseen", "learning", "having thought")


@dataclass(slots=True)
class Player:
    """One performer, and what was measured of it, in seconds."""

    performer: Performer
    way: str
    heard: list[float] = field(default_factory=list)
    learned: list[float] = field(default_factory=list)
    foreseen: list[bool] = field(default_factory=list)

    def play(self, note: Note) -> None:
        """Let it hear a note, and its end."""
        performer = self.performer
        if self.way != NEVER:
            while performer.foresee():
                pass
        if self.way == OTHERS:
            forget_thoughts(performer)
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


def forget_thoughts(performer: Performer) -> None:
    """Let nothing that was thought of be what comes."""
    for predictions in performer._band.predictions._known:
        predictions.clear()
    for choir in performer._band.lineup.choirs:
        choir.forget().clear()


def ranks(seconds: list[float]) -> str:
    """Return the ranks of times in microseconds."""
    return (
        "".join(f"{np.percentile(seconds[WARM:], rank) * 1e6:>{width}.0f}" for width, rank in RANKS)
        if seconds[WARM:]
        else ""
    )


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--part", default="soprano")
    options = parser.parse_args()
    parameters = Parameters(part=options.part)
    players = {
        (name, way): Player(Performer([load_model(name)], parameters, np.random.default_rng(1)), way)
        for name in options.models
        for way in WAYS
    }
    gc.disable()
    for note in performance(np.random.default_rng(1), SECONDS):
        for player in players.values():
            player.play(note)
    print(f"{'µs: p50, p99':<16}" + "".join(f"{column:>17}" for column in COLUMNS) + f"{'foreseen':>10}")
    for name in options.models:
        never, others, thinks = (players[name, way] for way in WAYS)
        times = [seconds for seconds, seen in zip(thinks.heard, thinks.foreseen, strict=True) if seen]
        share = np.mean(thinks.foreseen[WARM:])
        columns = (never.heard, others.heard, times, never.learned, thinks.learned)
        print(f"{name:<16}{''.join(map(ranks, columns))}{share:>10.0%}")


if __name__ == "__main__":
    use_one_thread()
    main()
