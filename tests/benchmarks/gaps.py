"""What an answer costs inside the engine, by how long the engine was idle before: how much of it is cold caches.

Run it from the repository's folder::

    uv run python -m tests.benchmarks.gaps --model bach-bass

The gaps take turns, `--rounds` times, with the same notes each time. Between two notes other programs fill the caches
of the processor; on a machine that nobody shares, all rows are near the first.
"""

import argparse
import asyncio

from improviser.session.latency import Trial, measure

MILLISECONDS = (0.4, 1.0, 3.0, 7.5, 30.0)


def main() -> None:
    """Print a line for each gap."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="bach-bass")
    parser.add_argument("--notes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[float, list[tuple[float, float]]] = {gap: [] for gap in MILLISECONDS}
    for _ in range(options.rounds):
        for gap in MILLISECONDS:
            trial = Trial(options.model, options.notes, gap_seconds=gap / 1000)
            spread = asyncio.run(measure(trial)).engine_us
            if spread is not None:
                found[gap].append((spread.p50, spread.p99))
    print("ms between notes   µs p50   p99   (the median of the rounds)")
    for gap, spreads in found.items():
        p50, p99 = (sorted(column)[len(column) // 2] for column in zip(*spreads, strict=True))
        print(f"{gap:>16} {p50:>8.0f} {p99:>5.0f}")


if __name__ == "__main__":
    main()
