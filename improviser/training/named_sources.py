"""Sources to train on and to evaluate with that are no files: each is loaded by its name."""

from collections.abc import Callable, Sequence
from functools import partial

from improviser.core.music.piece import Piece
from improviser.core.music.player import demo_tune
from improviser.training.chorales import CHORALES, VOICES, load_chorales
from improviser.training.folk_tunes import STYLES, kept_out, load_folk
from improviser.training.progress import Progress

DEMO_TUNE = "demo-tune"
"""The tune that is typed in, see `improviser.core.music.player`."""


def _demo_tune(_: Progress) -> list[Piece]:
    return [Piece(DEMO_TUNE, (demo_tune(),), VOICES[:1])]


NAMED: dict[str, Callable[[Progress], list[Piece]]] = {
    CHORALES: load_chorales,
    DEMO_TUNE: _demo_tune,
    **{style: partial(load_folk, style) for style in STYLES},
}
"""What loads each source. All but the demo's tune need the extra `corpus`."""


def load_named(sources: Sequence[str], progress: Progress, *, for_training: bool) -> list[Piece]:
    """Return the pieces of those sources that have a name in `NAMED`, in the order of the latter.

    :param for_training: without the folk tunes that are kept out of all training; else those alone (of the chorales,
        which have no such tunes, all).
    """
    pieces: list[Piece] = []
    for name, load in NAMED.items():
        if name in sources:
            found = load(progress)
            if name in STYLES:
                found = [piece for piece in found if kept_out(piece.voices[0]) is not for_training]
            pieces += found
    return pieces
