"""Training as a function: notes in, a model out, as `improviser train` does."""

import logging
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from improviser.core.networks.responder import Model
from improviser.core.printable import printable, shown
from improviser.errors import ConfigError, CorpusError, OutputError
from improviser.files import check_writable, user_path
from improviser.library.catalogue import load_model
from improviser.training.evolution_plan import EvolutionPlan
from improviser.training.mapping import outlasting
from improviser.training.recipe import Options, Recipe, prepare
from improviser.training.trainer import Checkpoints, Run, calibrate, model_of, save_model
from improviser.training.trainer import train as breed
from improviser.training.workers import Workers, working_on

Source = str | os.PathLike[str]

_log = logging.getLogger("improviser.train")
_WHOLE = ("population", "generations", "patience", "lookback", "choir", "seed")
_NUMBERS = ("minutes", "divergence", "survivors", "step_size")
_TEXTS = ("task", "strategy", "layer_type", "mutation", "voice", "player", "parts")
_GIVEN_OTHERWISE = ("sources", "task", "seed", "generations", "minutes")
SETTINGS = tuple(field.name for field in fields(Options) if field.name not in _GIVEN_OTHERWISE)
"""What can be set beside the arguments of `train` itself."""


def train(
    source: Source | Iterable[Source],
    *,
    task: str,
    output: Source | None = None,
    seed: int = 0,
    generations: int | None = None,
    minutes: float | None = None,
    executor: Executor | None = None,
    **settings: Any,
) -> Model:
    """Evolve a model on notes and return it; with `output`, save it as well.

    It is what `improviser train` does. With the same source, settings, seed and `generations` the model is the same,
    whatever the executor. What was left out of the corpus, or repaired, is logged (`improviser.train`).

    :param source: a MIDI file, a folder of them, "demo-tune", "bach-chorales" (needs the extra `corpus`), or several.
    :param task: what to evolve for: "harmony" (a voice to the player's), "melody" (a line), "echo" (the original's).
    :param output: the file to write, `*.safetensors`; nothing is written over. None: no file.
    :param seed: a whole number ≥ 0; the only source of chance.
    :param generations: stop after so many, ≥ 1 (of each member of a choir).
    :param minutes: stop after so long, > 0. With neither limit: 200 generations for "echo", 9 minutes for the others.
    :param executor: where to breed, such as a `ProcessPoolExecutor` (whose script needs its `if __name__ ==
        "__main__"`) or a Dask client's `get_executor()`; it is not shut down. Of several networks each is bred by one
        worker, of one all score. None: here.
    :param settings: strategy ("ga", "cma"), population (2–100000), patience (generations without a new champion),
        strict (leave out no file and repair none); for harmony and melody choir (1–32 networks that sing as one),
        layers (one number), without (names of viewpoints) and step_size; for harmony voice and player ("bass",
        "tenor", "alto", "soprano"); for chorale parts (a folder of networks); for echo lookback (1–256 notes), layers,
        layer_type ("object", "matrix"), mutation ("factor", "offset", "selection"), divergence (0–100) and survivors
        (a share).
    :raises ConfigError: for a setting that there is not, or that cannot be.
    :raises CorpusError: if the source gives nothing to learn from; MidiFileError if the one file cannot be read.
    :raises OutputError: if `output` exists, or cannot be written.
    :raises ImproviserError: if the executor gives up.

    >>> import improviser
    >>> model = improviser.train("demo-tune", task="echo", generations=3, population=20, seed=1)
    >>> model.task
    'echo'
    """
    with _settings_named():
        options = _options(
            source, {"task": task, "seed": seed, "generations": generations, "minutes": minutes, **settings}
        )
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ConfigError(f"executor must be a concurrent.futures.Executor; it is {shown(executor)}")
    file = None if output is None else _checked_output(output)
    with nullcontext() if executor is None else outlasting(executor) as lasting:
        with _settings_named():
            recipe = prepare(options, executor=lasting)
        for remark in (*recipe.remarks, *recipe.skipped):
            _log.warning("%s", printable(remark))
        done = _bred(recipe, options.seed, lasting)
    calibrate(recipe, done)
    if file is None:
        return model_of(recipe, done)
    save_model(file, recipe, done)
    return load_model(file)


def _bred(recipe: Recipe, seed: int, executor: Executor | None) -> Run:
    place: AbstractContextManager[Workers] = nullcontext(Workers())
    if executor is not None:
        place = working_on(executor, EvolutionPlan.of(recipe, seed))
    kept = Checkpoints(Path(), every=0)
    with place as workers:
        return breed(recipe, seed=seed, workers=workers, checkpoints=kept, report=lambda _member, _bred: None)


@contextmanager
def _settings_named() -> Iterator[None]:
    """Let errors name settings as they are called here, and not as the command's options."""
    try:
        yield
    except ConfigError as error:
        named = re.sub(r"--([a-z]+(?:-[a-z]+)*)", lambda option: option[1].replace("-", "_"), str(error))
        raise ConfigError(named) from error


def _options(source: Source | Iterable[Source], values: dict[str, Any]) -> Options:
    """Return what was asked for.

    :raises UserError: if that cannot be.
    """
    sources = _sources(source)
    for name, value in values.items():
        if name not in {*SETTINGS, *_GIVEN_OTHERWISE}:
            raise ConfigError(f"there is no setting {shown(name)}; there are: {', '.join(SETTINGS)}")
        if (wanted := _wanted(name, value)) is not None:
            raise ConfigError(f"{name} must be {wanted}; it is {shown(value)}")
    return Options(sources, **{name: _plain(name, value) for name, value in values.items()})


def _sources(source: Source | Iterable[Source]) -> tuple[str, ...]:
    """Return the names of the sources.

    :raises CorpusError: if they are none.
    """
    given = [source] if isinstance(source, str | os.PathLike) else source
    sources = list(given) if isinstance(given, Iterable) else []
    names = [os.fspath(one) for one in sources if isinstance(one, str | os.PathLike)]
    if not names or len(names) < len(sources) or not all(isinstance(name, str) for name in names):
        raise CorpusError(f"source must be a file, a folder, a name, or a list of these; it is {shown(source)}")
    return tuple(map(str, names))


def _plain(name: str, value: Any) -> Any:
    """Return a value as JSON can hold it: numbers may be numpy's."""
    if value is None:
        return None
    if name == "layers":
        return tuple(map(int, [value] if _is_whole(value) else value))
    if name == "without":
        return tuple(value)
    return int(value) if name in _WHOLE else float(value) if name in _NUMBERS else value


def _wanted(name: str, value: object) -> str | None:
    """Return what kind of value a setting wants, if this is none; `Options` knows the ranges."""
    if value is None and name not in ("task", "seed", "strict"):
        return None
    if name in _WHOLE:
        return None if _is_whole(value) else "a whole number"
    if name in _NUMBERS:
        is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        return None if is_number else "a number"
    if name in _TEXTS:
        return None if isinstance(value, str) else "a name"
    if name == "without":
        names = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        return None if names else "names of viewpoints such as ('gap', 'beat')"
    if name == "layers":
        several = isinstance(value, list | tuple) and all(map(_is_whole, value))
        return None if several or _is_whole(value) else "whole numbers such as (20, 20)"
    return None if isinstance(value, bool) else "True or False"


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _checked_output(output: object) -> Path:
    """Return the path of a file that can be written, and is not there yet.

    :raises OutputError: if it is none.
    """
    if not (isinstance(output, str | os.PathLike) and isinstance(name := os.fspath(output), str)):
        raise OutputError(f"output must be the path of a file; it is {shown(output)}")
    file = user_path(name)
    check_writable(file)
    if file.exists():
        raise OutputError(f"{file} exists already; choose another name, or move it away")
    return file
