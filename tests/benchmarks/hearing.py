"""What `Performer.hear` costs a player of one line, against another version of the program, note by note by turns.

Run it from the repository's folder, beside a checkout of the other version (`git worktree add ../before COMMIT`)::

    uv run python -m tests.benchmarks.hearing --against ../before [--models bach-bass] [--notes 600] [--rounds 5]

Both hear the same notes with the same models, in processes that live side by side: one of them hears `TURN` notes while
the other waits, and then the other does. Each round is the same session again: "best" is the median of the notes' least
times over the rounds, and so nearly free of what else the machine does; p50 and p99 are of all times.

"foreseen" is how soon the engine knows the answer to a note that was foreseen, as most are, once other data has filled
the caches: by `Performer.foretell` where there is one. "answer" is `Performer.hear` of a note that was not, "settled"
what is learned afterwards, "release" a note-off; "public" is `hear` of `improviser.Performer`.
"""

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import improviser
from improviser.core.live import parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.event import NoteOff, NoteOn

try:
    from improviser.core.live.parameters.table import Parameters
except ImportError:  # in versions as old as 50f769d
    Parameters = parameters.Parameters  # type: ignore[attr-defined, misc]

TURN = 50
STEPS = (-4, -2, -2, -1, 1, 2, 2, 3, 5, -7)
PARTS = ("foreseen", "answer", "settled", "release", "public", "public release")
THOUGHTS = 130
OTHERS = np.zeros(1 << 22)
"""More than caches hold: 32 MB."""


def melody(notes: int) -> list[tuple[float, float, int]]:
    """Return onset, release and pitch of notes of one line: phrases in C major with rests, off the beat by 12 ms."""
    chance = np.random.default_rng(5)
    scale = [pitch for pitch in range(57, 85) if pitch % 12 in (0, 2, 4, 5, 7, 9, 11)]
    place, beat, found = len(scale) // 2, 0.0, []
    for number in range(notes):
        quarters = float(chance.choice([0.5, 0.5, 1.0, 1.0, 2.0])) if number % 12 != 11 else 2.0
        place = int(np.clip(place + int(chance.choice([-3, -2, -1, -1, 1, 1, 2, 3])), 0, len(scale) - 1))
        onset = max(0.0, 0.5 * beat + float(chance.normal(0, 0.012)))
        found.append((onset, onset + 0.42 * quarters, scale[place]))
        beat += quarters + (2.0 if number % 12 == 11 else 0.0)
    return found


def heard(models: Sequence[str], notes: int) -> Iterator[dict[str, list[float]]]:
    """Hear a line, and yield what each of `PARTS` took (seconds), every `TURN` notes."""
    loaded = [improviser.load_model(name) for name in models]
    inner = Performer(loaded, Parameters(), np.random.default_rng(1))
    public = improviser.Performer(loaded, seed=1)
    thinking = Performer(loaded, Parameters(), np.random.default_rng(1))
    foretell = getattr(thinking, "foretell", None)
    clock = time.perf_counter
    times: dict[str, list[float]] = {part: [] for part in PARTS}
    played = []
    for number, (onset, release, pitch) in enumerate(melody(notes), start=1):
        for _ in range(THOUGHTS):
            if not thinking.foresee():
                break
        OTHERS[:] += 1.0
        begun = clock()
        if foretell is not None:
            foretell(0, pitch, 80, onset, think=True)
            times["foreseen"].append(clock() - begun)
        outcome = thinking.hear(NoteOn(0, pitch, 80), onset)
        if foretell is None:
            times["foreseen"].append(clock() - begun)
        thinking.settle()
        thinking.hear(NoteOff(0, pitch, 64), release)
        thinking.settle()
        begun = clock()
        outcome = inner.hear(NoteOn(0, pitch, 80), onset)
        answered = clock()
        for event in outcome.events:
            inner.sent(event)
        sent = clock()
        inner.settle()
        settled = clock()
        messages = public.hear(bytes((0x90, pitch, 80)), onset)
        times["public"].append(clock() - settled)
        times["answer"].append(answered - begun)
        times["settled"].append(settled - sent)
        begun = clock()
        for event in inner.hear(NoteOff(0, pitch, 64), release).events:
            inner.sent(event)
        times["release"].append(clock() - begun)
        inner.settle()  # as the engine does between any two messages
        begun = clock()
        played += [messages, public.hear(bytes((0x80, pitch, 64)), release)]
        times["public release"].append(clock() - begun)
        if number % TURN == 0:
            yield times
            times = {part: [] for part in PARTS}


def work(models: Sequence[str], notes: int, rounds: int) -> None:
    """Hear a line again and again, a turn for each line that comes in; tell what it took in one line each."""
    for _ in range(rounds):
        turns = heard(models, notes)
        for _ in range(notes // TURN):
            sys.stdin.readline()
            print(json.dumps(next(turns)), flush=True)


def profiled(models: Sequence[str], notes: int) -> None:
    """Print where the time goes."""
    profile = cProfile.Profile()
    profile.runcall(lambda: list(heard(models, notes)))
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def _worker(folder: Path, options: argparse.Namespace) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--work", "--notes", str(options.notes), "--rounds", str(options.rounds)]
    command += ["--models", *options.models]
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(folder.resolve()), "OPENBLAS_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True)


def main() -> None:
    """Print a line for each part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path)
    parser.add_argument("--models", nargs="+", default=["bach-bass"])
    parser.add_argument("--notes", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.work:
        work(options.models, options.notes, options.rounds)
        return
    if options.profile or options.against is None:
        profiled(options.models, options.notes)
        return
    workers = [_worker(folder, options) for folder in (options.against, Path())]
    found: list[dict[str, list[float]]] = [{part: [] for part in PARTS} for _ in workers]
    for turn in range(options.rounds * (options.notes // TURN)):
        for number in (0, 1) if turn % 2 else (1, 0):
            stdin, stdout = workers[number].stdin, workers[number].stdout
            assert stdin is not None
            assert stdout is not None
            stdin.write("\n")
            stdin.flush()
            for part, times in json.loads(stdout.readline()).items():
                found[number][part] += times
    for worker in workers:
        worker.wait()
    print("µs             before: best   p50   p99    now: best   p50   p99    now / before: best   p50")
    for part in PARTS:
        rows = []
        for each in found:
            times = np.array(each[part]).reshape(options.rounds, -1)[:, TURN:] * 1e6
            rows.append((float(np.median(times.min(axis=0))), *np.percentile(times, [50, 99])))
        ratios = [now / before for before, now in zip(*rows, strict=True)]
        cells = "".join(f"{best:13.1f}{p50:7.1f}{p99:6.0f}" for best, p50, p99 in rows)
        print(f"{part:15}{cells}{ratios[0]:19.2f}{ratios[1]:7.2f}")


if __name__ == "__main__":
    main()
