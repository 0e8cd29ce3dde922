"""What there is to know of a task, beside how its networks are trained (`training.recipe`, under the same name)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDescriptor:
    """One task; nothing is imported for it before it is needed.

    :param name: as files and options have it.
    :param help: what its networks do, in a line, to go on a sentence.
    :param plays: what its models do for who plays with them, of the model's settings, in a few words.
    :param model: the class of its models, as `module:name`: a `library.catalogue.LoadableModel`.
    :param fitness: what networks are bred for, as a curve of it is labelled.
    :param hears: what a picture of a model has a row for.
    :param alone: whether it is scored as the top voice, each note from those before, and so plays on its own; its
        sessions are `Singer`s. Else it is scored as an answer to the top voice, and plays to somebody's notes.
    :param voices: where its answers are scored against another voice of a piece: returns which, of a model, and to
        which voice they are answers. Else they are scored against the top voice itself.
    :param whole: where a whole piece is answered otherwise than note by note: returns a pitch for each of the piece's.
    :param together: whether it answers with several voices at once, which are scored as whole chords.
    :param leads: whether its models can reply to a phrase that no `Singer` goes on from.
    """

    name: str
    help: str
    plays: Callable[[Mapping[str, Any]], str]
    model: str
    fitness: str = "minus bits a note"
    hears: str = "viewpoint"
    alone: bool = False
    voices: Callable[[Any], tuple[str, str]] | None = None
    whole: Callable[[Any, Sequence[int]], list[int]] | None = None
    together: bool = False
    leads: bool = False
