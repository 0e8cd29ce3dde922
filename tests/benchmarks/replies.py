"""Evolved replies and solos to random players in nine modes, and what they cost.

    uv run python -m tests.benchmarks.replies [MODEL] [SEEDS]

Prints the tables of RESULTS-learn.md, and how long a reply takes to think out (of one core), in how large pieces.
"""

import sys
import time
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

import improviser
from improviser.core.music.home import MODES
from improviser.core.music.note import Note
from improviser.core.replies.evolve import Evolution
from improviser.core.replies.line import Line, steps_of
from improviser.core.replies.vocabulary import grams
from tests.home_players import STABLE, played

PAUSE_SECONDS, PATIENCE_SECONDS, SOLO_SECONDS = 0.8, 7.0, 180.0
TONICS = (0, 7, 2, 4, 5, 10, 9, 3, 8)
Row = tuple[float, ...]
costs: list[tuple[float, float]] = []
"""Of each reply: the time of all its pieces, and of its longest; seconds of one core."""


def finish(evolution: Evolution, pieces: int | None = None) -> Line:
    """Do what `Evolution.finish` does, and measure it."""
    took = []
    more = True
    while more and (pieces is None or evolution.pieces < pieces):
        begun = time.thread_time()
        more = evolution.think()
        took.append(time.thread_time() - begun)
    costs.append((sum(took), max(took)))
    return evolution.best


def say(performer: improviser.Performer, notes: Sequence[Note], start: float) -> float:
    """Play a phrase from `start` on; return when it ends."""
    first, now = notes[0].onset_seconds, start
    moments = [(note.onset_seconds, bytes((0x90, note.pitch, note.velocity))) for note in notes]
    moments += [(note.end_seconds, bytes((0x80, note.pitch, 64))) for note in notes]
    for seconds, message in sorted(moments, key=lambda moment: (moment[0], moment[1][0])):
        now = start + seconds - first
        performer.hear(message, now)
    return now


def hear(performer: improviser.Performer, now: float, until: float) -> tuple[list[int], float]:
    """Return the pitches that are played until then, or until the performer has finished, and when that is."""
    pitches: list[int] = []
    while (due := performer.deadline) is not None and due <= until:
        now = due
        pitches += [message[1] for message in performer.advance(due) if message[0] & 0xF0 == 0x90]
    return pitches, now


def figures(lines: Iterable[Sequence[int]], length: int = 3) -> list[tuple[int, ...]]:
    """Return all that stands in a row of so many intervals."""
    return [gram for line in lines for gram in grams(steps_of(line), length)]


def share(found: Sequence[object], known: Iterable[object]) -> float:
    """Return how much of what was found is known."""
    there = set(known)
    return sum(one in there for one in found) / len(found) if found else float("nan")


def distance(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the Jensen-Shannon distance of pitch classes, in bits."""
    first, second = (np.bincount([pitch % 12 for pitch in line], minlength=12) / len(line) for line in (one, other))
    mean = (first + second) / 2

    def bits(part: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> float:
        there = part > 0
        return float((part[there] * np.log2(part[there] / mean[there])).sum())

    return (bits(first) + bits(second)) / 2


def quoted(line: Sequence[int], said: Sequence[int]) -> float:
    """Return how long the longest quotation is, as a share of the line's intervals."""
    steps, there = steps_of(line), " ".join(map(str, steps_of(said)))
    longest = 0
    for start in range(len(steps)):
        while f" {' '.join(map(str, steps[start : start + longest + 1]))} " in f" {there} ":
            if start + longest >= len(steps):
                break
            longest += 1
    return longest / len(steps) if steps else 0.0


def conversation(model: improviser.Model, mode: str, tonic: int, seed: int) -> Row:
    """Return foreign notes (last third), distance, figures, ends, longest quotation, likeness to the last replies."""
    performer = improviser.Performer([model], seed=seed, mode="answer")
    now, rows = 0.5, []
    said: list[int] = []
    replies: list[list[int]] = []
    for phrase in played(mode, tonic, seed, bpm=110.0, phrases=24):
        end = say(performer, phrase, now)
        said += [note.pitch for note in phrase]
        reply, now = hear(performer, end, end + 60.0)
        now += PAUSE_SECONDS
        if len(reply) > 4:
            kin = share(figures([reply]), figures([said]))
            rows.append((kin, quoted(reply, said), share(figures([reply], 4), figures(replies[-4:], 4) or [()])))
        replies.append(reply)
    last = [pitch for reply in replies[2 * len(replies) // 3 :] for pitch in reply]
    ends = [(reply[-1] - tonic) % 12 in STABLE for reply in replies if reply]
    kin, quotes, again = np.nanmean(rows, axis=0).tolist()
    foreign = 1 - share([pitch % 12 for pitch in last], {pitch % 12 for pitch in said})
    return foreign, distance(last, said), kin, sum(ends) / len(ends), quotes, again


def solo(model: improviser.Model, mode: str, tonic: int, seed: int) -> Row:
    """Return six-note figures that come more than once in 500 notes, the player's figures, and the range."""
    performer = improviser.Performer([model], seed=seed, mode="solo")
    phrases = played(mode, tonic, seed, bpm=110.0, phrases=4)
    end = say(performer, [note for phrase in phrases for note in phrase], 0.5)
    said = [note.pitch for phrase in phrases for note in phrase]
    notes = hear(performer, end, end + SOLO_SECONDS)[0][:500]
    own = grams(notes, 6)
    again = sum(own.count(figure) > 1 for figure in own) / len(own)
    return again, share(figures([notes]), figures([said])), max(notes) - min(notes)


def main() -> None:
    """Print the tables."""
    name, seeds = (sys.argv[1] if len(sys.argv) > 1 else "bach-melody"), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    model = improviser.load_model(name)
    Evolution.finish = finish  # type: ignore[method-assign, assignment]
    print("| mode | foreign | distance | figures | ends | quoted | own again | solo: again | the player's | range |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for mode, tonic in zip(MODES, TONICS, strict=True):
        talked = np.mean([conversation(model, mode.name, tonic, seed) for seed in range(seeds)], axis=0)
        alone = np.mean([solo(model, mode.name, tonic, seed) for seed in range(seeds)], axis=0)
        cells = [f"{value:.2f}" for value in (*talked, *alone[:2])] + [f"{alone[2]:.0f}"]
        print(f"| {mode.name} | {' | '.join(cells)} |", flush=True)
    whole, longest = (1000 * np.array(part) for part in zip(*costs, strict=True))
    for what, took in (("replies took a core", whole), ("longest pieces", longest)):
        print(f"{name}, {len(took)} {what}: {np.median(took):.1f} ms (median), {np.quantile(took, 0.95):.1f} ms (95 %)")
    loop = time.thread_time()
    for _ in pairwise(range(1_000_000)):
        pass
    print(f"(a loop of a million takes {1000 * (time.thread_time() - loop):.0f} ms)")


if __name__ == "__main__":
    main()
