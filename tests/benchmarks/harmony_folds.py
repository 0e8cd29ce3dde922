"""The harmony benchmark: bits per note of a voice given the soprano, on held-out folds of the chorales.

Run it from the repository's folder::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus --extra fast python -m tests.benchmarks.harmony_folds --level live

At either information level (`score_level.py`). Each fold is evolved without its pieces; the next fold is the
development set that chooses champions. What is done is kept in `--keep` (a folder), so that an interrupted run goes on.
The bits are computed here, note by note through the live network and not by the trainer's scorer: 29 pitches and the
rest (for the bass), each note given the player's notes and the voice's own past as Bach wrote it.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from improviser.core.arrays import Float32Array
from improviser.core.harmony import session as harmony
from improviser.core.harmony.corpus import Duet, notes_of
from improviser.core.harmony.session import Accompaniment, Situation
from improviser.core.music.piece import Piece, sounding_at
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.network import Frame, Network
from improviser.core.networks.notes import Notes
from improviser.core.networks.viewpoints import Inputs
from improviser.training.chorales import load_chorales
from improviser.training.counting import Context, CountModel
from improviser.training.harmony_recipe import settings_for
from tests.benchmarks import score_level
from tests.benchmarks.breeding import choir_of_fold
from tests.benchmarks.chorale_folds import fold_of

Step = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Level:
    """One information level of one voice: its sessions, and what they are seen through."""

    settings: ChoirSettings
    inputs: Inputs[Situation]

    def duet(self, piece: Piece) -> Duet:
        """Return the soprano and the voice."""
        return piece.voices[0], piece.voice(self.settings.voice) or ()

    def session(self, piece: Piece) -> Accompaniment:
        """Return a fresh session for a piece."""
        register = self.settings.low, self.settings.high
        if self.settings.level == "live":
            return Accompaniment(register, self.settings.player)
        if piece.context is None:
            raise ValueError(f"{piece.name} has no score")
        return score_level.ScoreAccompaniment(register, self.settings.player, piece.context)

    def notes(self, pieces: Sequence[Piece]) -> Notes:
        """Return the notes of pieces, to be scored."""
        return notes_of([(self.duet(piece), self.session(piece)) for piece in pieces], self.settings, self.inputs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", default="live", choices=("live", "score"))
    parser.add_argument("--voice", default="bass", choices=("bass", "tenor", "alto"))
    parser.add_argument("--strategy", default="cma", choices=("cma", "ga", "gradient"))
    parser.add_argument("--folds", default="0,1")
    parser.add_argument("--generations", type=int, default=1500, help="per member")
    parser.add_argument("--choir", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="folder for finished folds")
    options = parser.parse_args()
    pieces = load_chorales()
    folds = fold_of(pieces)
    level = level_of(options.level, options.voice, pieces)
    how = f"choir of {options.choir}, {options.generations} generations"
    print(f"{options.voice}, {options.level} level, {options.strategy}; {how}")
    print(f"{'fold':>4} {'unigram':>8} {'counts':>8} {'evolved':>8} {'top-1':>6}  members alone")
    rows = []
    for fold in map(int, options.folds.split(",")):
        test = [piece for piece, its in zip(pieces, folds, strict=True) if its == fold]
        rest = [level.duet(piece) for piece, its in zip(pieces, folds, strict=True) if its != fold]
        genomes = choir_of_fold(options, "harmony", fold, level, pieces, folds)
        bits, hits = live_bits(level, genomes, test)
        alone = [live_bits(level, genome[None], test)[0] for genome in genomes]
        counted = [count_bits(level.settings, rest, [level.duet(piece) for piece in test], order) for order in (0, 3)]
        rows.append((*counted, bits, hits))
        members = " ".join(f"{value:.3f}" for value in alone)
        print(f"{fold:>4} {counted[0]:>8.3f} {counted[1]:>8.3f} {bits:>8.3f} {hits:>6.3f}  {members}", flush=True)
    mean = np.mean(rows, axis=0)
    print(f"mean {mean[0]:>8.3f} {mean[1]:>8.3f} {mean[2]:>8.3f} {mean[3]:>6.3f}")


def level_of(name: str, voice: str, pieces: Sequence[Piece]) -> Level:
    """Return an information level by its name."""
    settings = settings_for(voice, [(piece.voices[0], piece.voice(voice) or ()) for piece in pieces])
    if name == "score":
        settings = replace(settings, level="score", viewpoints=tuple(score_level.HARMONY))
    return Level(settings, Inputs(settings.viewpoints, harmony.VIEWPOINTS if name == "live" else score_level.HARMONY))


def live_bits(level: Level, genomes: Float32Array, test: Sequence[Piece]) -> tuple[float, float]:
    """Return bits per note and top-1 accuracy, note by note through the live network."""
    shape = level.settings.shape(level.inputs.size, vertical=True)
    network = Network(shape, genomes)
    bits, hits = [], []
    for piece in test:
        session = level.session(piece)
        player, own = level.duet(piece)
        answers = sounding_at(own, [note.onset_seconds for note in player], tolerance_seconds=1e-6)
        for note, answer in zip(player, answers, strict=True):
            now = session.look(note.pitch, note.onset_seconds)
            previous = (shape.low + shape.high) // 2 if now.own[0] is None else now.own[0]
            experts = now.experts if shape.experts else None
            pitches, others = network.scores(level.inputs.read(now), Frame(previous, now.tonic, note.pitch), experts)
            scores = np.append(pitches[shape.low : shape.high + 1], others[:1]).astype(float)
            scores -= np.logaddexp.reduce(scores)
            place = shape.pitches if answer is None else answer - shape.low
            bits.append(-scores[place] / np.log(2))
            hits.append(place == int(scores.argmax()))
            session.learn(note.pitch, note.onset_seconds, answer)
    return float(np.mean(bits)), float(np.mean(hits))


def count_bits(settings: ChoirSettings, train: Sequence[Duet], test: Sequence[Duet], order: int) -> float:
    """Return the bits per note of counts over the player's note, the voice's last and the player's last."""

    def contexts(steps: Sequence[Step], index: int) -> list[Context]:
        player, _ = steps[index]
        earlier = steps[index - 1] if index else (None, None)
        found: list[Context] = [(), (player,), (player, earlier[1]), (player, earlier[1], earlier[0])]
        return found[: order + 1]

    def steps_of(duet: Duet) -> tuple[list[Step], list[int | None]]:
        player, own = duet
        answers = sounding_at(own, [note.onset_seconds for note in player], tolerance_seconds=1e-6)
        return [(note.pitch, answer) for note, answer in zip(player, answers, strict=True)], answers

    model: CountModel[Step] = CountModel(settings.high - settings.low + 2, contexts)
    model.learn(map(steps_of, train))
    return float(np.mean([bit for duet in test for bit in model.bits(*steps_of(duet))]))


if __name__ == "__main__":
    main()
