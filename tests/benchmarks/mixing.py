"""What the constants of the mixture are chosen by: bits a note of each way of mixing, on folk sessions.

    uv run --extra corpus python -m tests.benchmarks.mixing [--styles folk-german …] [--sessions 2] [--skip 0]

Prints the table “Two ways of mixing” of RESULTS-learn.md. Each model's opinions of a session are taken once; then the
mixture that ships plays on them, with other constants, or as one of its two ways alone. *Left out*: without the model
that was bred on the style.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from improviser.core.melody import mixture, pool
from improviser.core.melody.counts import CountsModel
from improviser.core.melody.mixture import MixedResponder
from improviser.core.music.note import Note
from improviser.core.networks.responder import LogProbabilities, Model, Singer
from improviser.library.catalogue import load_model, mixed
from improviser.training.folk_tunes import STYLES
from tests.benchmarks.adapting import OWN
from tests.benchmarks.folk_sessions import FLOOR, notes_of, sessions

LAST = 5


class EvidenceAlone(MixedResponder):
    """The Bayesian mixture alone."""

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the line's next note."""
        shares = self._shares()
        asked = np.flatnonzero(shares).tolist()
        opinions = self._ask(asked, onset_seconds) + np.log(shares[asked] / shares[asked].sum())[:, None]
        alone: LogProbabilities = np.logaddexp.reduce(opinions)
        return alone


class PoolAlone(MixedResponder):
    """The logarithmic pool alone."""

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return log-probabilities, shape (128,), of the line's next note."""
        asked = list(range(len(self.parts)))
        return self._pool.agree(asked, self._ask(asked, onset_seconds))


@dataclass(frozen=True, slots=True)
class Way:
    """A way of mixing: what is left of evidence a note later, how fast powers are learned, and who is not asked."""

    kind: type[MixedResponder]
    forgetting: float = mixture.FORGETTING
    rate: float = pool.RATE
    negligible: float = mixture.NEGLIGIBLE


WAYS = {
    "evidence, .98 kept a note": Way(EvidenceAlone, forgetting=0.98),
    "evidence, .95": Way(EvidenceAlone, forgetting=0.95),
    "evidence, .90": Way(EvidenceAlone, forgetting=0.90),
    "product of chances, powers 1/n": Way(PoolAlone, rate=0.0, negligible=0.0),
    "powers learned, rate .0005": Way(PoolAlone, rate=0.0005, negligible=0.0),
    "powers learned, rate .002": Way(PoolAlone, rate=0.002, negligible=0.0),
    "powers learned, rate .02": Way(PoolAlone, rate=0.02, negligible=0.0),
    "both, .98 and .002": Way(MixedResponder, forgetting=0.98),
    "both, .90 and .002": Way(MixedResponder, forgetting=0.90),
    "both, .95 and .001": Way(MixedResponder, rate=0.001),
    "both, .95 and .004": Way(MixedResponder, rate=0.004),
    "both, asked from .001 on": Way(MixedResponder, negligible=1e-3),
    "both, everybody asked": Way(MixedResponder, negligible=0.0),
    "as it ships": Way(MixedResponder),
}


class Recorded:
    """A model that was asked before: it says the same again, note after note."""

    def __init__(self, opinions: Sequence[LogProbabilities]) -> None:
        self._opinions = opinions
        self._next = 0

    def proceed(self, onset_seconds: float) -> LogProbabilities:
        """Return what the model said."""
        return self._opinions[self._next]

    def follow(self, pitch: int, onset_seconds: float, *, own: bool = False) -> None:
        """Go on to the next note."""
        self._next += 1


def opinions_of(model: Model, tunes: Sequence[Sequence[Note]]) -> list[LogProbabilities]:
    """Return what a model makes of each note of a session."""
    responder = model.responder()
    assert isinstance(responder, Singer), f"{model.name} does not sing by itself"
    said = []
    for pitch, onset, _ in notes_of(tunes):
        said.append(responder.proceed(onset))
        responder.follow(pitch, onset)
    return said


def bits(
    way: Way, opinions: Mapping[str, Sequence[LogProbabilities]], tunes: Sequence[Sequence[Note]]
) -> NDArray[np.float64]:
    """Return the bits of each note, mixed in this way."""
    constants = (
        patch.object(mixture, "FORGETTING", way.forgetting),
        patch.object(mixture, "NEGLIGIBLE", way.negligible),
        patch.object(pool, "RATE", way.rate),
    )
    with constants[0], constants[1], constants[2]:
        responder = way.kind({name: Recorded(said) for name, said in opinions.items()})  # type: ignore[misc]
        costs = []
        for pitch, onset, _ in notes_of(tunes):
            chances = (1 - 128 * FLOOR) * np.exp(responder.proceed(onset)) + FLOOR
            costs.append(-float(np.log2(chances[pitch])))
            responder.follow(pitch, onset)
    return np.array(costs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--styles", nargs="*", default=[*STYLES])
    parser.add_argument("--sessions", type=int, default=2, help="of each style")
    parser.add_argument("--skip", type=int, default=0, help="sessions")
    parser.add_argument("--tunes", type=int, default=30)
    given = parser.parse_args()
    models = [*map(load_model, mixed()), CountsModel()]
    rows: dict[str, list[tuple[float, ...]]] = {name: [] for name in WAYS}
    for style in given.styles:
        for tunes in sessions(style, given.sessions, given.tunes, given.skip):
            opinions = {model.name: opinions_of(model, tunes) for model in models}
            left = {name: said for name, said in opinions.items() if name != OWN[style]}
            last = sum(map(len, tunes[-LAST:]))
            for name, way in WAYS.items():
                costs = [bits(way, some, tunes) for some in (left, opinions)]
                rows[name].append(tuple(mean for cost in costs for mean in (cost.mean(), cost[-last:].mean())))
    print("| what mixes them | left out | its last five | all models | its last five |\n|---|---|---|---|---|")
    for name, found in rows.items():
        print(f"| {name} | " + " | ".join(f"{mean:.3f}" for mean in np.mean(found, axis=0)) + " |", flush=True)


if __name__ == "__main__":
    main()
