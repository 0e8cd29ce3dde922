"""Models on chorales that no training has seen: those of music21's corpus outside BWV 253–438, drawn by lot.

Run it from the repository's folder, with the names or paths of models::

    uv run --extra corpus python -m tests.benchmarks.unseen bach-melody bach-bass bach-tenor

Bits are over all 128 pitches (of harmony models: of what is no rest); the key of a piece is found by its notes.
"""

import argparse
import re
from dataclasses import replace

import numpy as np

from improviser.core.music.piece import Piece
from improviser.errors import CorpusError
from improviser.library.catalogue import load_model
from improviser.training.chorales import read_chorale
from improviser.training.evaluation import evaluate

FIRST_SEEN = 253
FEWEST_NOTES = 20


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--pieces", type=int, default=45)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pieces = unseen(options.pieces, options.seed)
    print(f"{len(pieces)} chorales, {sum(len(piece.voices[0]) for piece in pieces)} notes of the soprano")
    for name in options.models:
        values = evaluate(load_model(name), pieces).values()
        print(f"{name}: {values['bits_per_note']:.3f} bits, first choice right {values['top_1']:.3f}")
        for figure, shares in values["left_to_itself"].items():
            if shares["model"] is not None:
                print(f"    {figure:<11} {shares['model']:.3f} (Bach: {shares['corpus']:.3f})")


def unseen(count: int, seed: int, *, scored: bool = False) -> list[Piece]:
    """Return so many chorales in four voices, drawn by lot; `scored`: with what the score says beyond the notes."""
    from music21 import corpus

    found = (re.search(r"(bwv(\d+)\.\d+)\.mxl$", str(path)) for path in corpus.getComposer("bach"))
    names = sorted({match[1] for match in found if match and int(match[2]) < FIRST_SEEN})
    pieces: list[Piece] = []
    for name in np.random.default_rng(seed).permutation(names):
        try:
            piece = read_chorale(str(name))
        except CorpusError:  # not in four voices
            continue
        if len(piece.voices[0]) >= FEWEST_NOTES and all(piece.voices):
            pieces.append(piece if scored else replace(piece, context=None))
        if len(pieces) == count:
            break
    return pieces


if __name__ == "__main__":
    main()
