"""The harmony benchmark: bits per note of a voice given the soprano, on held-out folds of the chorales, live level.

Run it from the repository's folder::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus python -m tests.benchmarks.harmony_folds --folds 0,1 --minutes 9

Each fold is evolved without its pieces; the next fold is the development set that chooses champions. What is done is
kept in `--keep` (a folder), so that an interrupted run goes on. The bits are computed here, from the live sessions'
log-probabilities, not by the trainer's scorer: 29 pitches and the rest, each note given the player's notes and the
voice's own past as Bach wrote it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from improviser.core.harmony.corpus import Duet, harmony_notes
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.piece import sounding_at
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.task import NetworkTask
from improviser.training.chorales import load_chorales
from improviser.training.harmony_recipe import settings_for
from tests.benchmarks.breeding import FloatArray, breed_choir, kept_choir
from tests.benchmarks.chorale_folds import fold_of
from tests.benchmarks.counts import Context, CountModel

Step = tuple[int, int | None]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", default="bass", choices=("bass", "tenor", "alto"))
    parser.add_argument("--folds", default="0,1")
    parser.add_argument("--minutes", type=float, default=9.0, help="per fold, for the whole choir")
    parser.add_argument("--choir", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="folder for finished folds")
    options = parser.parse_args()
    pieces = load_chorales()
    folds = fold_of(pieces)
    duets = [(piece.voices[0], piece.voice(options.voice) or ()) for piece in pieces]
    settings = settings_for(options.voice, duets)
    print(f"{options.voice}, live level; choir of {options.choir}, {options.minutes:g} minutes a fold")
    print(f"{'fold':>4} {'unigram':>8} {'counts':>8} {'evolved':>8} {'top-1':>6}  members alone")
    rows = []
    for fold in map(int, options.folds.split(",")):
        train = [duet for duet, its in zip(duets, folds, strict=True) if its not in (fold, (fold + 1) % 10)]
        develop = [duet for duet, its in zip(duets, folds, strict=True) if its == (fold + 1) % 10]
        test = [duet for duet, its in zip(duets, folds, strict=True) if its == fold]
        genomes = choir_of(options, fold, settings, train, develop)
        bits, hits = live_bits(settings, genomes, test)
        alone = [live_bits(settings, genome[None], test)[0] for genome in genomes]
        counted = [count_bits(settings, train + develop, test, order) for order in (0, 3)]
        rows.append((*counted, bits, hits))
        members = " ".join(f"{value:.3f}" for value in alone)
        print(f"{fold:>4} {counted[0]:>8.3f} {counted[1]:>8.3f} {bits:>8.3f} {hits:>6.3f}  {members}", flush=True)
    mean = np.mean(rows, axis=0)
    print(f"mean {mean[0]:>8.3f} {mean[1]:>8.3f} {mean[2]:>8.3f} {mean[3]:>6.3f}")


def choir_of(
    options: argparse.Namespace, fold: int, settings: ChoirSettings, train: Sequence[Duet], develop: Sequence[Duet]
) -> FloatArray:
    """Return the choir of a fold."""

    def breed() -> FloatArray:
        notes, held_out = harmony_notes(train, settings), harmony_notes(develop, settings)
        task = NetworkTask("harmony", settings.shape(notes.width, vertical=True), notes, held_out)
        return breed_choir(task, "cma", members=options.choir, minutes=options.minutes, seed=options.seed)

    chosen = {key: getattr(options, key) for key in ("voice", "minutes", "choir", "seed")}
    return kept_choir(options.keep, {**chosen, "fold": fold, "settings": settings.to_json()}, breed)


def live_bits(settings: ChoirSettings, genomes: FloatArray, test: Sequence[Duet]) -> tuple[float, float]:
    """Return bits per note and top-1 accuracy, note by note through the live network."""
    model = HarmonyModel("benchmark", settings, genomes)
    bits, hits = [], []
    for player, own in test:
        answers = sounding_at(own, [note.onset_seconds for note in player], tolerance_seconds=1e-6)
        responder = model.responder()
        for note, answer in zip(player, answers, strict=True):
            scores = responder.scores(note.pitch, note.onset_seconds).astype(float)
            scores -= np.logaddexp.reduce(scores)
            place = len(scores) - 1 if answer is None else answer - settings.low
            bits.append(-scores[place] / np.log(2))
            hits.append(place == int(scores.argmax()))
            responder.learn(note.pitch, note.onset_seconds, answer)
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
