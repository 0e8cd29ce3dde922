"""How to train a melody model: the next note of the top voice of every piece."""

from collections.abc import Sequence
from dataclasses import replace

from improviser.core.melody.corpus import melody_notes
from improviser.core.melody.model import MelodyModel
from improviser.core.melody.session import EXPERTS, VIEWPOINTS
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings
from improviser.training.choir_recipe import HIDDEN, REACH, Material, choir_recipe, hidden_units
from improviser.training.progress import Progress, silent
from improviser.training.recipe import Options, Recipe, refuse, viewpoints_left
from improviser.training.voices import Sources, read_sources


def prepare(options: Options, progress: Progress) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "layer_type", "mutation", "divergence", "survivors", "voice", "player", "parts")
    return recipe_of(options, read_sources(options.sources, progress, strict=options.strict), progress)


def recipe_of(options: Options, read: Sources, progress: Progress = silent) -> Recipe:
    """Return the recipe for the top voice of what was read.

    :raises UserError: if they or the options are of no use.
    """
    tunes = [piece.voices[0] for piece in read.pieces]
    seen = viewpoints_left(options, VIEWPOINTS)
    settings = replace(settings_for(tunes, hidden=hidden_units(options)), viewpoints=seen)
    material = Material(
        MelodyModel,
        settings,
        [(tune, ()) for tune in tunes],
        lambda some: melody_notes((tune for tune, _ in some), settings),
        tuple({"name": piece.name, "notes": len(piece.voices[0])} for piece in read.pieces),
        read.skipped,
        read.remarks,
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
