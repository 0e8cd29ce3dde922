"""The melody benchmark: bits per note of the sopranos of BWV 253–438, by ten folds, at either information level.

Run it from the repository's folder::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus --extra fast python -m tests.benchmarks.melody_folds --level live

Each fold is evolved without its pieces; the next fold is the development set that chooses champions. `--keep` names a
folder for what is done, so that an interrupted run goes on. The bits are computed here, note by note through the live
network and not by the trainer's scorer, over the 22 pitches that occur; a piece's first note counts like all others.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.melody import session as melodic
from improviser.core.melody.corpus import notes_of
from improviser.core.melody.session import Melody, Situation
from improviser.core.music.piece import Piece
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.network import Frame, Network
from improviser.core.networks.notes import Notes
from improviser.core.networks.viewpoints import Inputs
from improviser.training.chorales import load_chorales
from improviser.training.counting import Context, CountModel
from improviser.training.melody_recipe import settings_for
from tests.benchmarks import score_level
from tests.benchmarks.breeding import choir_of_fold
from tests.benchmarks.chorale_folds import ALPHABET, fold_of, shares_opening


@dataclass(frozen=True, slots=True)
class Level:
    """One information level: its sessions, and what they are seen through."""

    settings: ChoirSettings
    inputs: Inputs[Situation]

    def session(self, piece: Piece) -> Melody:
        """Return a fresh session for a piece."""
        if self.settings.level == "live":
            return Melody(self.settings.low, self.settings.high)
        if piece.context is None:
            raise ValueError(f"{piece.name} has no score")
        return score_level.ScoreMelody(self.settings.low, self.settings.high, piece.context)

    def notes(self, pieces: Sequence[Piece]) -> Notes:
        """Return the notes of pieces, to be scored."""
        return notes_of([(piece.voices[0], self.session(piece)) for piece in pieces], self.settings, self.inputs)


@dataclass(frozen=True, slots=True)
class Row:
    """One piece: whether it shares its opening; each note's bits by each model, and whether the first choice hit."""

    shared: bool
    unigram: list[float]
    markov: list[float]
    bits: list[float]
    hits: list[float]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", default="live", choices=("live", "score"))
    parser.add_argument("--strategy", default="cma", choices=("cma", "ga", "gradient"))
    parser.add_argument("--folds", default="0,1,2,3,4,5,6,7,8,9")
    parser.add_argument("--generations", type=int, default=1500, help="per member")
    parser.add_argument("--choir", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="folder for finished folds")
    options = parser.parse_args()
    pieces = load_chorales()
    folds, shared = fold_of(pieces), shares_opening(pieces)
    level = level_of(options.level, pieces)
    how = f"choir of {options.choir}, {options.generations} generations"
    print(f"melody, {options.level} level, {options.strategy}; {how}")
    print(f"{'fold':>4} {'notes':>6} {'unigram':>8} {'order 2':>8} {'evolved':>8} {'top-1':>6}  members alone")
    everything: list[Row] = []
    for fold in map(int, options.folds.split(",")):
        test = [index for index, its in enumerate(folds) if its == fold]
        genomes = choir_of_fold(options, "melody", fold, level, pieces, folds)
        rest = [piece for piece, its in zip(pieces, folds, strict=True) if its != fold]
        counts = [counted(rest, order) for order in (0, 2)]
        rows = []
        for index in test:
            bits, hits = live_bits(level, genomes, pieces[index])
            pitches = _pitches(pieces[index])
            unigram, markov = (model.bits(pitches, pitches) for model in counts)
            rows.append(Row(shared[index], unigram, markov, bits, hits))
        alone = [mean([live_bits(level, genome[None], pieces[index])[0] for index in test]) for genome in genomes]
        everything += rows
        report(f"{fold:>4}", rows, "  " + " ".join(f"{value:.3f}" for value in alone))
    report(" all", everything, "")
    report("  ns", [row for row in everything if not row.shared], "  (openings no other melody shares)")
    report("  sh", [row for row in everything if row.shared], "  (shared openings)")


def mean(values: Sequence[Sequence[float]]) -> float:
    """Return the mean of all numbers in lists of lists."""
    return float(np.mean([value for row in values for value in row]))


def report(name: str, rows: Sequence[Row], more: str) -> None:
    """Print one line of the table."""
    if not rows:
        return
    columns = ([row.unigram for row in rows], [row.markov for row in rows], [row.bits for row in rows])
    figures = " ".join(f"{mean(column):>8.3f}" for column in columns)
    notes = sum(len(row.bits) for row in rows)
    print(f"{name} {notes:>6} {figures} {mean([row.hits for row in rows]):>6.3f}{more}", flush=True)


def level_of(name: str, pieces: Sequence[Piece]) -> Level:
    """Return an information level by its name."""
    settings = settings_for([piece.voices[0] for piece in pieces])
    if name == "score":
        settings = replace(settings, level="score", viewpoints=tuple(score_level.MELODY))
    known = melodic.VIEWPOINTS if name == "live" else score_level.MELODY
    return Level(settings, Inputs(settings.viewpoints, known))


def live_bits(level: Level, genomes: Float32Array, piece: Piece) -> tuple[list[float], list[float]]:
    """Return bits and whether the first choice was right, note by note through the live network."""
    network = Network(level.settings.shape(level.inputs.size, vertical=False), genomes)
    session = level.session(piece)
    bits, hits = [], []
    for note in piece.voices[0]:
        now = session.look(note.onset_seconds)
        frame = Frame(now.pitches[0] if now.pitches else now.centre, now.tonic, shift=now.shift)
        scores = network.scores(level.inputs.read(now), frame, now.experts)[0][list(ALPHABET)].astype(np.float64)
        place = ALPHABET.index(note.pitch)
        bits.append(float(np.logaddexp.reduce(scores) - scores[place]) / float(np.log(2)))
        hits.append(float(int(scores.argmax()) == place))
        session.learn(note.pitch, note.onset_seconds)
    return bits, hits


def counted(train: Sequence[Piece], order: int) -> CountModel[int]:
    """Return a Witten–Bell blend of the last pitches, up to `order` of them."""

    def contexts(pitches: Sequence[int], index: int) -> list[Context]:
        return [tuple(pitches[index - length : index]) for length in range(min(order, index) + 1)]

    model = CountModel(len(ALPHABET), contexts)
    model.learn((pitches, pitches) for pitches in map(_pitches, train))
    return model


def _pitches(piece: Piece) -> list[int]:
    return [note.pitch for note in piece.voices[0]]


if __name__ == "__main__":
    main()
