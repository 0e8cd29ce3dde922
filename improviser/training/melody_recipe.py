"""How to train a melody model: the next note of the top voice of every piece."""

from collections.abc import Sequence

from improviser.core.melody.corpus import melody_notes
from improviser.core.melody.model import MelodyModel
from improviser.core.melody.session import EXPERTS, VIEWPOINTS
from improviser.core.music.note import Note
from improviser.core.music.piece import Piece
from improviser.core.networks.choir import ChoirSettings
from improviser.training.choir_recipe import HIDDEN, REACH, Material, choir_recipe, hidden_units
from improviser.training.progress import Progress, silent
from improviser.training.recipe import Options, Recipe, refuse
from improviser.training.voices import read_sources


def prepare(options: Options, progress: Progress) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "layer_type", "mutation", "divergence", "survivors", "voice", "player", "parts")
    read = read_sources(options.sources, progress, strict=options.strict)
    return recipe_of(options, read.pieces, progress, read.skipped, read.remarks)


def recipe_of(
    options: Options,
    pieces: Sequence[Piece],
    progress: Progress = silent,
    skipped: tuple[str, ...] = (),
    remarks: tuple[str, ...] = (),
) -> Recipe:
    """Return the recipe for the top voice of these pieces.

    :raises UserError: if they or the options are of no use.
    """
    tunes = [piece.voices[0] for piece in pieces]
    settings = settings_for(tunes, hidden=hidden_units(options))
    material = Material(
        MelodyModel,
        settings,
        [(tune, ()) for tune in tunes],
        lambda some: melody_notes((tune for tune, _ in some), settings),
        tuple({"name": piece.name, "notes": len(piece.voices[0])} for piece in pieces),
        skipped,
        remarks,
    )
    return choir_recipe(options, material, progress)


def settings_for(tunes: Sequence[Sequence[Note]], *, hidden: int = HIDDEN) -> ChoirSettings:
    """Return the settings of a model of melodies, whose register is that of the `tunes`."""
    pitches = [note.pitch for tune in tunes for note in tune]
    return ChoirSettings(
        voice="melody",
        level="live",
        viewpoints=tuple(VIEWPOINTS),
        hidden=hidden,
        low=min(pitches),
        high=max(pitches),
        reach=REACH,
        rest=False,
        experts=EXPERTS,
    )
