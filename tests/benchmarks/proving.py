"""When what is bred while somebody plays is to be played: what other bounds would come to, on folk sessions.

    uv run --extra corpus python -m tests.benchmarks.proving [--styles folk-german …] [--sessions 1] [--skip 2]

Each session is heard once by a pupil, as with `adapt = full`, with a lesson after each tune; what each note costs with
what was bred last, and without it, is kept. Then the gates of `BOUNDS` are tried on that: they decide before each tune
which of the two is played. Prints bits a note gained (negative: better), those of the last five tunes, and
the most that the session had cost more than without at the end of any tune, mean and worst.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from improviser.core.melody import proving
from improviser.core.music.note import Note
from improviser.library.adaptations import Pupil
from improviser.training.folk_tunes import STYLES
from tests.benchmarks.adapting import without
from tests.benchmarks.folk_sessions import notes_of, sessions

Costs = NDArray[np.float64]
"""Bits of the notes of a tune, without and with what was bred; shape (notes, 2)."""


@dataclass(frozen=True, slots=True)
class Gate:
    """When what was bred is played; see `core.melody.proving`."""

    fade: float
    evidence: float
    fewest: float = 0.0
    plain: float = inf

    def __str__(self) -> str:
        at_once = "" if self.plain == inf else f", or {self.plain:g} bits"
        return f"{self.fade}, {self.evidence:g} bits from {self.fewest:g} notes on{at_once}"


SHIPS = Gate(proving.FADE, proving.EVIDENCE, proving.FEWEST, proving.PLAIN)
BOUNDS = (
    Gate(0.995, -inf),
    Gate(0.995, 0.0),
    Gate(0.995, 4.0),
    Gate(0.995, 8.0),
    Gate(1.0, 4.0),
    Gate(0.9985, 4.0),
    Gate(0.9985, 4.0, 300.0),
    SHIPS,
    Gate(0.9985, 4.0, 300.0, 10.0),
    Gate(0.9985, 2.0, 300.0),
    Gate(0.9985, 8.0, 300.0),
    Gate(0.999, 5.0, 400.0),
    Gate(1.0, 5.0, 400.0),
)


def costs_of(style: str, tunes: Sequence[Sequence[Note]]) -> list[Costs]:
    """Return what the notes of a session cost, tune by tune, without and with what was bred."""
    pupil, found = Pupil(without(style)), list[list[tuple[float, ...]]]()
    real = proving.Proof.hear

    def hear(proof: proving.Proof, pitch: int, onset_seconds: float) -> None:
        before = proof.costs.copy()
        real(proof, pitch, onset_seconds)
        found[-1].append(tuple((proof.costs - proving.FADE * before).tolist()))

    with patch.object(proving.Proof, "hear", hear):
        for pitch, onset, first in notes_of(tunes):
            if first:
                if found:
                    pupil.learn()
                found.append([])
            pupil.hear(pitch, onset)
    return [np.array(tune) for tune in found]


def gated(gate: Gate, session: Sequence[Costs]) -> tuple[float, float, float]:
    """Return bits a note gained, those of the last five tunes, and the most that the session was behind."""
    heard, count, gains = np.zeros(2), 0.0, list[NDArray[np.float64]]()
    for tune in session:
        ahead = heard[0] - heard[1]
        plays = ahead > gate.plain or (count >= gate.fewest and ahead > gate.evidence)
        gains.append((tune[:, 1] - tune[:, 0]) * plays)
        for costs in tune:
            heard, count = gate.fade * heard + costs, gate.fade * count + 1
    behind = max(float(np.concatenate(gains[:end]).mean()) for end in range(1, len(gains) + 1))
    return float(np.concatenate(gains).mean()), float(np.concatenate(gains[-5:]).mean()), behind


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--styles", nargs="*", default=[*STYLES])
    parser.add_argument("--sessions", type=int, default=1, help="of each style")
    parser.add_argument("--skip", type=int, default=2, help="sessions")
    parser.add_argument("--tunes", type=int, default=20)
    given = parser.parse_args()
    heard = [
        costs_of(style, tunes)
        for style in given.styles
        for tunes in sessions(style, given.sessions, given.tunes, given.skip)
    ]
    print("| kept a note, evidence | gained | last five | behind | at worst |\n|---|---|---|---|---|")
    for gate in BOUNDS:
        whole, last, behind = zip(*(gated(gate, session) for session in heard), strict=True)
        cells = f"{np.mean(whole):+.4f} | {np.mean(last):+.4f} | {np.mean(behind):.4f} | {max(behind):.3f}"
        print(f"| {gate}{' (as it ships)' if gate is SHIPS else ''} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
