"""Breeds the weights of the experts on all that sounds (`core.harmony.context`), and prints what they are worth.

Run it from the repository's folder (three minutes on one core, and two to read the scores at first)::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus python -m tests.benchmarks.context_fit

The player is given one or two voices of Bach's chorales beside the soprano, his tune, and the model answers with the
bass, or the tenor; or all but the lowest notes of keyboard music and quartets in the music21 corpus. Where he plays his
own bass, the one to answer is his, an octave lower, as a double bass goes with the cello. Bred by sep-CMA-ES on bits
per note; every fifth piece is held out, and the figures are those of these pieces.
"""

import argparse
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np

from improviser import load_model
from improviser.core.harmony.context import BASS, INNER, NAMES
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.note import Note
from improviser.training import context
from improviser.training.chorales import load_chorales
from improviser.training.context import Case, Scene, Table, breed, cases_of, weights_of

KEYBOARD = (
    "mozart/k545/movement1_exposition.mxl",
    "joplin/maple_leaf_rag.mxl",
    "chopin/mazurka06-2.krn",
    "schumann_clara/polonaise_op1n1.mxl",
    "schumann_clara/polonaise_op1n2.mxl",
    "schumann_clara/polonaise_op1n3.mxl",
    "schumann_clara/polonaise_op1n4.mxl",
    "mozart/k155/movement1.mxl",
    "mozart/k156/movement1.mxl",
    "mozart/k156/movement2.mxl",
    "haydn/opus74no1/movement2.mxl",
    "haydn/opus1no1/movement1.mxl",
)
QUARTER = 0.5


def harmony(name: str) -> HarmonyModel:
    """Return a bundled model."""
    model = load_model(name)
    assert isinstance(model, HarmonyModel)
    return model


def chorale_cases(voice: str, model: str, every: int = 1) -> Iterator[list[Case]]:
    """Yield the cases of each chorale: each of the other voices, or two, given beside the soprano."""
    for piece in load_chorales()[::every]:
        own = piece.voice(voice)
        others = [notes for name, notes in zip(piece.voice_names, piece.voices, strict=True) if name != voice]
        if own is not None:
            tune, inner = others[0], others[1:]
            given = [list(some) for count in (1, 2) for some in combinations(inner, count)]
            yield [
                case
                for some in given
                for case in cases_of(harmony(model), Scene(tune, in_order(note for line in some for note in line), own))
            ]


def in_order(notes: Iterable[Note]) -> list[Note]:
    """Return notes by onset."""
    return sorted(notes, key=lambda note: note.onset_seconds)


def keyboard_cases() -> Iterator[list[Case]]:
    """Yield the cases of each piece: what is above the lowest notes, and what supports these."""
    from music21 import corpus

    for name in KEYBOARD:
        notes = [
            Note(int(pitch.midi), float(each.offset) * QUARTER, float(each.quarterLength) * QUARTER)
            for each in corpus.parse(name).flatten().notes
            for pitch in each.pitches
            if each.quarterLength > 0
        ]
        notes.sort(key=lambda note: note.onset_seconds)
        onsets = sorted({round(note.onset_seconds, 4) for note in notes})
        tune, bass, inner = [], [], []
        for onset in onsets:
            struck = [note for note in notes if abs(note.onset_seconds - onset) < 0.001]
            sounding = [note for note in notes if note.onset_seconds <= onset + 0.001 < note.end_seconds]
            if not sounding:
                continue
            top, low = (choose(sounding, key=lambda note: note.pitch) for choose in (max, min))
            if top in struck:
                tune.append(top)
            if low in struck and low is not top:
                bass.append(low)
            inner += [note for note in struck if note is not top and note is not low]
        yield list(cases_of(harmony("bach-bass"), Scene(tune, in_order(inner), bass)))
        yield list(cases_of(harmony("bach-bass"), Scene(tune, in_order([*inner, *bass]), bass, context.OCTAVE)))


def main() -> None:
    """Breed, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generations", type=int, default=120)
    parser.add_argument("--every", type=int, default=3, help="one chorale in so many")
    generations, every = (vars(parser.parse_args())[name] for name in ("generations", "every"))
    for name, default in (("bass", BASS), ("tenor", INNER)):
        groups = {"chorales": list(chorale_cases(name, f"bach-{name}", every))}
        if name == "bass":
            keyboard = list(keyboard_cases())
            groups |= {"keyboard": keyboard[::2], "own bass": keyboard[1::2]}
        split = {
            group: tuple(
                Table.of([case for number, cases in enumerate(pieces) if (number % 5 == 0) == held for case in cases])
                for held in (False, True)
            )
            for group, pieces in groups.items()
        }
        start = weights_of(default)
        alone = np.array([1.0 if each == "opinion" else 0.0 for each in NAMES])
        bred = breed([train for train, _ in split.values()], start, 1, generations=generations)
        for group, (_, held) in split.items():
            figures = [f"{bits:.3f}" for bits in held.bits(np.stack([alone, start, bred]))]
            print(group, len(held), "notes; bits alone, before, bred:", *figures)
        print({each: round(float(weight), 2) for each, weight in zip(NAMES, bred, strict=True)}, flush=True)


if __name__ == "__main__":
    main()
