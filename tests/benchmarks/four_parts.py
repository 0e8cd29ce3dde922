"""Four parts on chorales that no training has seen: the figures beside Bach's, bits, and who is told from Bach.

Run it from the repository's folder::

    uv run --extra corpus --group benchmarks python -m tests.benchmarks.four_parts bach-chorale [--part bass]

`--part` says which part is given. "Held over": over how many notes of the given part each of the others holds one over,
in 100, as with `hold` and legato; "ornaments": after how many of them a part moves by step, as with `ornament` 1.

The pieces are those of `unseen.py`. "Apart": the same networks, each part drawn by itself. A classifier (gradient
boosting) looks at four chords in a row, of pieces that it was not trained on: how often does it say rightly whether
they are Bach's? Half of them are: .5 is what cannot be told apart.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np

from improviser.core.chorale.figures import distance
from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.holding import probability
from improviser.core.music.parts import NAMES
from improviser.library.catalogue import load_model
from improviser.training.chorale_classifier import told_apart
from improviser.training.chorale_evaluation import chord_score, figures_of, harmonised
from improviser.training.chorale_fitting import Setting, bits_per_chord, observe, setting_of
from improviser.training.chorale_grade import Grader
from improviser.training.chorale_movement import TEMPERATURE, movement_of
from tests.benchmarks.unseen import unseen

FEW = 6
"""Proposals of each part where bits are counted of few combinations."""
COLUMNS = (("apart .7", 0.7, False), ("together .7", 0.7, True), ("together 1", 1.0, True))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--pieces", type=int, default=45)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=NAMES, default=NAMES[0])
    parser.add_argument("--together", action="store_true", help="leave out the parts by themselves")
    options = parser.parse_args()
    chorale, given = load_model(options.model), NAMES.index(options.part)
    if not isinstance(chorale, ChoraleModel):
        raise SystemExit(f"{options.model} is no chorale")
    model = chorale.answering(given)
    pieces = unseen(options.pieces, options.seed, scored=True)
    settings = [setting for piece in pieces if (setting := setting_of(piece, given)) is not None]
    print(f"{len(settings)} chorales, {sum(len(setting.tune) for setting in settings)} chords")
    print(f"bits per chord: {bits(model, settings):.3f} as it plays, {bits_of_six(model, settings)}", flush=True)
    theirs = figures_of((setting, setting.chords) for setting in settings)
    grader = Grader(settings)
    print(f"grade of Bach: {grader.median((setting, setting.chords) for setting in settings):.2f}")
    columns = []
    shown_columns = [column for column in COLUMNS if column[2] or not options.together]
    for name, temperature, together in shown_columns:
        started = time.process_time()
        played = [
            harmonised(model, setting.tune, generator(options.seed, number), temperature, together=together)
            for number, setting in enumerate(settings)
        ]
        seconds = time.process_time() - started
        columns.append(figures_of(zip(settings, played, strict=True)))
        told, grade = told_apart(settings, played), grader.median(zip(settings, played, strict=True))
        far = distance(columns[-1], theirs)
        print(f"{name}: distance {far:.4f}, told from Bach {told:.3f}, grade {grade:.2f}, {seconds:.0f} s", flush=True)
    print(movement(model, settings))
    print("\n| | Bach | " + " | ".join(name for name, _, _ in shown_columns) + " |")
    print("|---|---|" + "---|" * len(shown_columns))
    for figure, value in theirs.items():
        shown = " | ".join(f"{column.get(figure, float('nan')):.4f}" for column in columns)
        print(f"| {figure} | {value:.4f} | {shown} |")


def bits(model: ChoraleVoices, settings: Sequence[Setting]) -> float:
    """Return the bits of a chord of the three parts, given the chords before."""
    scores = [chord_score(model, setting) for setting in settings]
    return sum(score.bits * score.chords for score in scores) / sum(score.chords for score in scores)


def bits_of_six(model: ChoraleVoices, settings: Sequence[Setting]) -> str:
    """Return the bits of the parts by themselves, and of a chord among six pitches of each part, one of them Bach's."""
    few = model.with_numbers(model.numbers, candidates=FEW)
    proposed, there = (observe(few, settings, given=given) for given in (False, True))
    alone = bits_per_chord(few, few.numbers, there, doubt=1.0)
    among = bits_per_chord(few, few.numbers, there, doubt=0.0)
    return (
        f"{alone:.3f} each part by itself, {among:.3f} among {FEW} proposals of each part and Bach's "
        f"(which {(~np.isnan(proposed.outside)).mean():.3f} of the chords are not among)"
    )


def movement(model: ChoraleVoices, settings: Sequence[Setting]) -> str:
    """Return how much is held over, and how often a part moves between notes, beside Bach's."""
    own, stays, others = (
        movement_of(model, settings, 0),
        sum(len(setting.tune) for setting in settings),
        [*model.others],
    )
    held = [sum(probability(odds, TEMPERATURE) for odds in part) for part in own.odds]
    theirs = sum(setting.held[:, others].sum(axis=0) for setting in settings)
    moves = sum((setting.steps[:, others] >= 0).any(axis=1).sum() for setting in settings)
    names = " ".join(NAMES[voice] for voice in model.others)
    ours, bachs = (" ".join(f"{100 * count / stays:.1f}" for count in counted) for counted in (held, theirs))
    return f"held over, {names}: {ours} (Bach {bachs}); ornaments {own.moves / stays:.3f} (Bach {moves / stays:.3f})"


if __name__ == "__main__":
    main()
