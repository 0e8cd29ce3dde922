"""Fits `bach-chorale`: what answers each voice by itself, and then all of it in one file.

Run it from the repository's folder, with the networks of parts that answer other voices than the soprano in a folder::

    uv run --extra corpus python -m tests.benchmarks.chorale_fit fit networks fitted --given bass
    uv run --extra corpus python -m tests.benchmarks.chorale_fit merge networks fitted bach-chorale.safetensors

The networks, such as `networks/tenor-to-bass.safetensors`, are bred by `improviser train bach-chorales --task harmony
--voice tenor --player bass`. What is done is what `train --task chorale` does before it breeds; one voice at a time, so
that several machines, or processes, can share the work.
"""

import argparse
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.ornaments import read_ornaments
from improviser.core.chorale.phrase_ends import EndTables
from improviser.core.chorale.terms import SOPRANO, VOICES
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.evolution.randomness import generator
from improviser.core.harmony.model import HarmonyModel
from improviser.core.music.parts import NAMES
from improviser.library import model_file
from improviser.library.catalogue import load_model, take_apart
from improviser.threads import use_one_thread
from improviser.training.chorale_fitting import Setting, setting_of
from improviser.training.chorale_movement import move_as_often
from improviser.training.chorale_recipe import HELD_OUT, fitted
from improviser.training.chorales import load_chorales

SEED = 1


def networks(folder: Path, given: int) -> list[HarmonyModel]:
    """Return the networks of the parts that answer a voice."""
    names = [name for part, name in enumerate(NAMES) if part != given]
    if given == SOPRANO:
        loaded = [load_model(f"bach-{name}") for name in names]
    else:
        loaded = [load_model(folder / f"{name}-to-{NAMES[given]}.safetensors") for name in names]
    return [model for model in loaded if isinstance(model, HarmonyModel)]


def parted(given: int) -> tuple[list[Setting], list[Setting]]:
    """Return the settings of a voice that are learned from, and those that are held out."""
    settings = [setting for piece in load_chorales() if (setting := setting_of(piece, given)) is not None]
    held = {*generator(SEED, 1).permutation(len(settings))[: len(settings) // HELD_OUT].tolist()}
    training = [setting for number, setting in enumerate(settings) if number not in held]
    return training, [settings[number] for number in sorted(held)]


def fit(folder: Path, out: Path, given: int) -> None:
    """Fit what answers a voice, and keep it."""
    training, others = parted(given)
    said: dict[str, int] = {}

    def tell(step: str, done: float) -> None:
        if int(10 * done) > said.get(step, -1):
            said[step] = int(10 * done)
            print(f"{step}: {done:.0%}", flush=True)

    voices = fitted(networks(folder, given), training, others, SEED, tell)
    assert voices.ornaments is not None
    tables = {f"ends.{name}": table for name, table in asdict(voices.ends).items()}
    tables |= {f"ornaments.{name}": table for name, table in voices.ornaments.arrays().items()}
    out.mkdir(exist_ok=True)
    types = np.array(voices.terms.types)
    np.savez(out / f"{NAMES[given]}.npz", types=types, numbers=voices.numbers, weights=voices.weights, **tables)


def merge(folder: Path, out: Path, file: Path) -> None:
    """Write one file of all that was fitted; what was not stays as the bundled file has it."""
    bundled = load_model("bach-chorale")
    answering = dict(bundled.answered) if isinstance(bundled, ChoraleModel) else {}
    for given in range(VOICES):
        if not (path := out / f"{NAMES[given]}.npz").exists():
            continue
        found = np.load(path)
        ends = EndTables(**{field.name: found[f"ends.{field.name}"] for field in fields(EndTables)})
        ornaments = {name.removeprefix("ornaments."): found[name] for name in found if name.startswith("ornaments.")}
        parts, types, weights = networks(folder, given), found["types"].tolist(), found["weights"].tolist()
        voices = ChoraleVoices(
            "bach-chorale",
            parts,
            types,
            found["numbers"],
            weights,
            ends,
            given=given,
            ornaments=read_ornaments(ornaments),
        )
        # How much is held over is kept with the networks, which are those of before the fit here.
        answering[given] = move_as_often(voices, parted(given)[0], SEED)
    model = ChoraleModel.of("bach-chorale", answering)
    provenance = {"sources": [{"name": piece.name} for piece in load_chorales()], "seed": SEED}
    model_file.write(file, take_apart(model, provenance))
    print(f"{file}: {file.stat().st_size} bytes, answers {', '.join(NAMES[given] for given in answering)}")


def main() -> None:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fit", "merge"))
    parser.add_argument("networks", type=Path)
    parser.add_argument("fitted", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--given", choices=NAMES, default=NAMES[0])
    options = parser.parse_args()
    if options.what == "fit":
        fit(options.networks, options.fitted, NAMES.index(options.given))
    elif options.file is None:
        parser.error("say which file to write")
    else:
        merge(options.networks, options.fitted, options.file)


if __name__ == "__main__":
    use_one_thread()
    main()
