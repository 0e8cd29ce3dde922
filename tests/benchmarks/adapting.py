"""What evolution while somebody plays saves, in bits a note, on folk sessions; the table of RESULTS-learn.md.

    uv run python -m tests.benchmarks.adapting [--styles folk-german …] [--model auto] [--sessions 2] [--skip 2]

The sessions are those of `folk_sessions`, the mixture is `auto` without the model that was bred on the style. After
each tune all adaptable models of it are evolved as in a session, and what has proved itself is played from the next on.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from improviser.core.melody.counts import CountsModel
from improviser.core.melody.mixture import MixedModel
from improviser.core.music.note import Note
from improviser.core.networks.responder import Model
from improviser.library.adaptations import Pupil, adaptable_models
from improviser.library.catalogue import load_model, mixed
from improviser.training.folk_tunes import STYLES
from tests.benchmarks.folk_sessions import FLOOR, notes_of, sessions

OWN = {
    "bach-chorales": "bach-melody",
    "folk-german": "folk-german",
    "folk-chinese": "folk-chinese",
    "folk-irish": "folk-celtic",
    "folk-american": "folk-celtic",
    "folk-scottish": "folk-celtic",
    "lorraine": "folk-german",
    "luxembourg": "folk-german",
    "ballads": "folk-german",
    "northumbrian": "folk-celtic",
}
"""The model that was bred on each style, or on one that is near."""
Costs = list[list[float]]
"""Bits of every note, tune by tune."""


def without(style: str) -> MixedModel:
    """Return the mixture of all models but the one that was bred on a style."""
    return MixedModel("others", [*(load_model(name) for name in mixed() if name != OWN[style]), CountsModel()])


def compared(
    model: Model, tunes: Sequence[Sequence[Note]], share: float
) -> tuple[list[list[float]], list[list[float]]]:
    """Return the bits of every note, tune by tune, without adaptation and with it."""
    sung = model if isinstance(model, MixedModel) else MixedModel(model.name, [model, CountsModel()])
    plain, adapted, pupil = sung.responder(), sung.responder(), Pupil(sung)
    models = {each.name: each for each in adaptable_models([sung])}
    costs: tuple[Costs, Costs] = ([], [])
    for pitch, onset, first in notes_of(tunes):
        if first and costs[0] and (found := pupil.learn(share)) is not None:
            adapted.adapt({each.model: each.applied_to(models[each.model]) for each in found})
        if first:
            for cost in costs:
                cost.append([])
        for responder, cost in zip((plain, adapted), costs, strict=True):
            chances = (1 - 128 * FLOOR) * np.exp(responder.proceed(onset)) + FLOOR
            cost[-1].append(-float(np.log2(chances[pitch])))
            responder.follow(pitch, onset)
        pupil.hear(pitch, onset)
    return costs


def figures(plain: Costs, adapted: Costs) -> tuple[float, ...]:
    """Return bits without and with, those of the last five tunes, and the most that any tune's end was behind."""

    def mean(costs: Costs) -> float:
        return float(np.mean(np.concatenate(costs)))

    behind = max(mean(adapted[:end]) - mean(plain[:end]) for end in range(1, len(plain) + 1))
    return mean(plain), mean(adapted), mean(plain[-5:]), mean(adapted[-5:]), behind


def main() -> None:
    """Print a row for each style."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--styles", nargs="*", default=[*STYLES])
    parser.add_argument("--model", default="others", help="others (all but the style's own), or a model's name")
    parser.add_argument("--sessions", type=int, default=2, help="of each style")
    parser.add_argument("--skip", type=int, default=0, help="sessions")
    parser.add_argument("--tunes", type=int, default=30)
    parser.add_argument("--share", type=float, default=1.0, help="gentle is 0.5")
    given = parser.parse_args()
    print("style          without  with    last five: without  with    farthest behind")
    rows = []
    for style in given.styles:
        model = without(style) if given.model == "others" else load_model(given.model)
        for tunes in sessions(style, given.sessions, given.tunes, given.skip):
            rows.append(figures(*compared(model, tunes, given.share)))
            whole, with_it, last, last_with, behind = rows[-1]
            print(
                f"{style:14} {whole:.3f}    {with_it:.3f}   {last:.3f}    {last_with:.3f}   {behind:+.3f}", flush=True
            )
    print("mean           " + "    ".join(f"{value:.3f}" for value in np.mean(rows, axis=0)), flush=True)


if __name__ == "__main__":
    main()
