"""How to train a melody model: the next note of the top voice of every piece."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor

from improviser.core.harmony.corpus import Duet
from improviser.core.melody.corpus import melody_notes
from improviser.core.melody.model import MelodyModel
from improviser.core.melody.session import EXPERTS, VIEWPOINTS
from improviser.core.music.line import range_of
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.notes import Notes
from improviser.training.choir_recipe import HIDDEN, REACH, Heard, Material, check_networks, choir_recipe
from improviser.training.progress import Progress, silent
from improviser.training.recipe import Options, Recipe, refuse
from improviser.training.voices import Sources, read_sources


def prepare(options: Options, progress: Progress, executor: Executor | None = None) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "layer_type", "mutation", "divergence", "survivors", "voice", "player", "parts")
    check_networks(options, VIEWPOINTS)  # before the sources are read, which may take long
    read = read_sources(options.sources, progress, strict=options.strict, executor=executor)
    return choir_recipe(options, heard(options, read, progress, executor), progress)


def heard(options: Options, read: Sources, progress: Progress = silent, executor: Executor | None = None) -> Heard:
    """Return what was read as all recipes for its top voices have it.

    :param executor: whose workers play it through; None: this process.
    :raises UserError: if it is of no use.
    """
    tunes = [piece.voices[0] for piece in read.pieces]
    material = Material(
        MelodyModel,
        settings_for(tunes),
        [(tune, ()) for tune in tunes],
        tune_notes,
        tuple({"name": piece.name, "notes": len(piece.voices[0])} for piece in read.pieces),
        read.skipped,
        read.remarks,
    )
    return Heard.of(material, options.seed, progress, executor)


def tune_notes(duets: Iterable[Duet], settings: ChoirSettings) -> Notes:
    """Return one note to score for each note of the players."""
    return melody_notes((tune for tune, _ in duets), settings)


def settings_for(tunes: Sequence[Sequence[Note]], *, hidden: int = HIDDEN) -> ChoirSettings:
    """Return the settings of a model of melodies, whose register is that of the `tunes`."""
    low, high = range_of(tunes)
    return ChoirSettings(
        voice="melody",
        level="live",
        viewpoints=tuple(VIEWPOINTS),
        hidden=hidden,
        low=low,
        high=high,
        reach=REACH,
        rest=False,
        experts=EXPERTS,
    )
