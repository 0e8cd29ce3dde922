"""The library: models by name, the bundled ones and the user's own.

A name is looked up in the user's folder first (`IMPROVISER_MODELS`, else the platform's data folder), then among the
bundled models; anything that looks like a path is one.
"""

import difflib
import hashlib
import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Protocol, Self, cast

from numpy.typing import NDArray

from improviser.core.networks.responder import Model
from improviser.core.printable import printable, shown
from improviser.core.tasks.registry import TASKS, describe
from improviser.errors import ModelError
from improviser.files import read_regular, user_path
from improviser.library import model_file
from improviser.library.model_file import SUFFIX, ModelFile

ENVIRONMENT = "IMPROVISER_MODELS"
Parts = tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]
"""A model taken apart: its settings (JSON values) and its arrays."""

AUTO = "auto"
"""The name of the mixture of the bundled melody models, the user's own called PERSONAL, and the session's counts."""
PERSONAL = "me"

TRIES = 5
"""So often a file is read that is replaced while it is."""
CHECKPOINT = "checkpoint"
"""What a file of a run that goes on says in place of a task."""


class LoadableModel(Model, Protocol):
    """A model that can be taken apart for a file and put together again; the core does no I/O itself."""

    @classmethod
    def from_parts(cls, name: str, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Put a model together.

        :raises ModelError: if the parts do not fit each other.
        """

    def to_parts(self) -> Parts:
        """Take the model apart."""

    def layers(self) -> list[int]:
        """Return how many nodes each layer of one network has, the inputs first."""

    def strengths(self) -> list[tuple[str, float]]:
        """Return what it hears, each with how strongly that moves it, in the order in which it is to be shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the library: `model` is what it holds, or `problem` says why it cannot be read."""

    name: str
    path: Path
    bundled: bool
    model: ModelFile | None
    problem: str | None = None


def bundled_folder() -> Path:
    """Return the folder of the models that come with the program: in the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "models"
    return installed if installed.is_dir() else package.parent / "models"


def user_folder() -> Path:
    """Return the folder of the user's own models; it need not exist."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen)
    import platformdirs

    return platformdirs.user_data_path("improviser", appauthor=False) / "models"


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the file of a model.

    :raises ModelError: if there is none; the message proposes the nearest name.
    """
    if not (isinstance(name_or_path, str | os.PathLike) and isinstance(text := os.fspath(name_or_path), str)):
        raise ModelError(f"a model has a name or a path; {shown(name_or_path)} is none")
    path = user_path(text)
    if path.name != text or path.suffix == SUFFIX or os.path.isfile(text):  # noqa: PTH113
        return path
    for file in (*_files(user_folder()), *_files(bundled_folder())):
        if file.stem == text:
            return file
    if text == AUTO:
        raise ModelError(f"{AUTO} is no file: it is all melody models of the library together; take one of them")
    known = names()
    near = difflib.get_close_matches(text, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}" if known else "there are none yet"
    raise ModelError(f"there is no model named {text[:200]!r}; {hint} (or give the path of a *{SUFFIX} file)")


def check(name_or_path: str | os.PathLike[str]) -> None:
    """Check that there is a model of this name or path.

    :raises ModelError: if there is none.
    """
    files_of(name_or_path)


def mixed() -> tuple[str, ...]:
    """Return the names of the models that AUTO is a mixture of; none where a user's own file has that name."""
    files = files_of(AUTO)
    return tuple(path.stem for path in files) if files[0].stem != AUTO else ()


def files_of(name_or_path: str | os.PathLike[str]) -> list[Path]:
    """Return the files of a model: one, but for the mixture.

    :raises ModelError: if there is none.
    """
    if name_or_path != AUTO or any(file.stem == AUTO for file in _files(user_folder())):
        return [find(name_or_path)]
    own = [file for file in _files(user_folder()) if file.stem == PERSONAL]
    found = [file for file in (*own, *_files(bundled_folder())) if _sings(file)]
    if not found:
        raise ModelError(f"{AUTO} is made of the melody models of the library, and there is none; reinstall improviser")
    return found


def _sings(path: Path) -> bool:
    try:
        return model_file.read(path).task == "melody"
    except ModelError:
        return False


def names() -> tuple[str, ...]:
    """Return the names of all models of the library, in order."""
    found = {file.stem for file in (*_files(user_folder()), *_files(bundled_folder()))}
    return tuple(sorted({AUTO, *found} if found else found))


def live_names() -> tuple[str, ...]:
    """Return the names of the models of the library that can be played live, in order; unreadable ones are left out."""
    models = {entry.name: entry.model for entry in reversed(listing())}  # the user's own come before the bundled
    playable = {name for name, file in models.items() if file and file.settings.get("level") != "score"}
    return tuple(sorted({AUTO, *playable}))


def label_of(model: str) -> str:
    """Return what people call a model: its name, also where it was given by the path of its file."""
    return printable(PurePath(model).name.removesuffix(SUFFIX), "·")


def choices_with(names: Sequence[str], begun: Sequence[str]) -> Mapping[str, str]:
    """Return models that can be chosen, by what people call them, in order: some of the library, and `begun`.

    :param begun: what a session began with, by names or paths: it is to find back to them.
    """
    return dict(sorted(({name: name for name in names} | {label_of(model): model for model in begun}).items()))


def load_model(name_or_path: str | os.PathLike[str]) -> Model:
    """Load a model by name (`"bach-bass"`) or path (`"mine.safetensors"`).

    A name is looked up in the user's folder first, then among the bundled models; `improviser models` lists them.

    :raises ModelError: if it cannot be found, read or trusted.

    >>> import improviser
    >>> improviser.load_model("bach-bass").task
    'harmony'
    """
    return put_together(name_or_path, load_parts(name_or_path))


def load_parts(name_or_path: str | os.PathLike[str]) -> list[LoadableModel]:
    """Load what a model is put together of: the models of its files.

    :raises ModelError: if one cannot be found, read or trusted.
    """
    return [build(printable(path.stem), model_file.read(path), path) for path in files_of(name_or_path)]


def load_with_digest(name_or_path: str | os.PathLike[str]) -> tuple[list[LoadableModel], str]:
    """Load what a model is put together of, and its digest; of the same files, though one may be replaced meanwhile.

    :raises ModelError: if one cannot be found, read or trusted, or goes on being replaced.
    """
    for _ in range(TRIES):
        before = digest(name_or_path)
        parts = load_parts(name_or_path)
        if digest(name_or_path) == before:
            return parts, before
    raise ModelError(f"the file of the model {shown(name_or_path)} goes on changing; wait until it is written")


def put_together(name_or_path: str | os.PathLike[str], parts: Sequence[LoadableModel]) -> Model:
    """Return the model of this name or path, given the models of its files: the only one, or their mixture."""
    if name_or_path != AUTO or parts[0].name == AUTO:
        return parts[0]
    from improviser.core.melody.counts import CountsModel
    from improviser.core.melody.mixture import MixedModel

    return MixedModel(AUTO, [*parts, CountsModel()])


def digest(name_or_path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a model's file, in hexadecimal; of the mixture, that of its models' digests.

    :raises ModelError: if it cannot be found or read.
    """
    return digest_of(files_of(name_or_path))


def digest_of(files: Sequence[Path]) -> str:
    """Return the digest of a model that is made of these files; see `digest`.

    :raises ModelError: if one cannot be read.
    """
    digests = [_digest_of(path) for path in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


def _digest_of(path: Path) -> str:
    try:
        return hashlib.sha256(read_regular(path, model_file.MAX_FILE_BYTES)).hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error


def build(name: str, file: ModelFile, path: Path | None = None) -> LoadableModel:
    """Put together the model of a file that was read; `path` is for the error message.

    :raises ModelError: if its task is unknown or its parts do not fit.
    """
    where = path or name
    if file.task == CHECKPOINT:
        raise ModelError(f"{where} is a checkpoint; `improviser train … --resume` makes a model of it")
    try:
        return _class_for(file.task).from_parts(name, file.settings, file.tensors)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(f"{where}: its parts do not fit each other; it is damaged ({error})") from error


def take_apart(model: LoadableModel, provenance: Mapping[str, Any]) -> ModelFile:
    """Return the file of `model`."""
    settings, tensors = model.to_parts()
    return ModelFile(model.task, settings, tensors, provenance)


def listing() -> list[Entry]:
    """Return every model file of the library by name; unreadable ones with the reason."""
    folders = {user_folder(): False, bundled_folder(): True}
    entries = [_entry(file, bundled) for folder, bundled in folders.items() for file in _files(folder)]
    return sorted(entries, key=lambda entry: (entry.name, entry.bundled))


def _entry(path: Path, bundled: bool) -> Entry:
    try:
        return Entry(path.stem, path, bundled, model_file.read(path))
    except ModelError as error:
        return Entry(path.stem, path, bundled, None, str(error))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def import_all() -> None:
    """Import what the models of all tasks need, so that none has to be imported while somebody plays."""
    for task in TASKS:
        _class_for(task)


def _class_for(task: str) -> type[LoadableModel]:
    module, name = describe(task).model.split(":")
    return cast("type[LoadableModel]", getattr(importlib.import_module(module), name))
