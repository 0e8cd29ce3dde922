"""Adaptations that are to be played: prepared outside the note path, taken over in a pause between phrases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from improviser.core.live.performer import Performer
from improviser.core.melody.model import MelodyModel
from improviser.core.networks.responder import Model
from improviser.library.adaptations import adapted, digest_of


@dataclass(frozen=True, slots=True)
class Prepared:
    """Adapted models, by name; the files that they are made of, and their digests."""

    models: Mapping[str, MelodyModel]
    files: Sequence[bytes]
    digests: Sequence[str]
    base: Sequence[Model]


class Adaptations:
    """Holds what was prepared last until it can be played."""

    def __init__(self) -> None:
        self._prepared: Prepared | None = None

    def prepare(self, files: Sequence[bytes], base: Sequence[Model]) -> None:
        """Get adaptations of these models ready.

        :raises ModelError: if they are none.
        """
        self._prepared = Prepared(adapted(files, base), files, [digest_of(data) for data in files], base)

    def drop(self) -> None:
        """Leave what was prepared."""
        self._prepared = None

    def due(self, performer: Performer, now: float) -> Prepared | None:
        """Take out what is to be played from now on: if this is a pause between phrases, and the same models play."""
        prepared = self._prepared
        if prepared is None or not performer.rests(now):
            return None
        self._prepared = None
        return prepared if prepared.base is performer.models else None
