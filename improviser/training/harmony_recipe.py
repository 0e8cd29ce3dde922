"""How to train a harmony model: a voice to another one, which the player sings: mostly the top voice of a piece."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from improviser.core.harmony.corpus import Duet, harmony_notes
from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import EXPERTS, VIEWPOINTS
from improviser.core.music.piece import Piece
from improviser.core.networks.choir import ChoirSettings
from improviser.library.catalogue import LoadableModel
from improviser.training.choir_recipe import HIDDEN, REACH, Material, choir_recipe, hidden_units, split
from improviser.training.context import bred_in_context
from improviser.training.holding import breed, cases_within
from improviser.training.progress import Progress, silent, watched
from improviser.training.recipe import Finished, Options, Recipe, choice, refuse, viewpoints_left
from improviser.training.voices import Sources, duets, read_sources

VOICES = ("bass", "tenor", "alto", "soprano")


def prepare(options: Options, progress: Progress) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "parts", "layer_type", "mutation", "divergence", "survivors")
    _voices(options)  # before the sources are read, which may take long
    return recipe_of(options, read_sources(options.sources, progress, strict=options.strict), progress)


def recipe_of(options: Options, read: Sources, progress: Progress = silent) -> Recipe:
    """Return the recipe for a voice of what was read.

    :raises UserError: if they or the options are of no use.
    """
    voice, to = _voices(options)
    found = duets(read.pieces, voice, to)
    both = [(player, own) for _, player, own in found]
    seen = viewpoints_left(options, VIEWPOINTS)
    settings = replace(settings_for(voice, both, hidden=hidden_units(options)), to=to, viewpoints=seen)
    learned = watched(split(both, options.seed)[0], "listening to what is held over", progress)
    settings = replace(settings, holding=breed(cases_within(learned, settings), options.seed))
    sources = tuple({"name": piece.name, "notes": len(player)} for piece, player, _ in found)
    material = Material(
        HarmonyModel,
        settings,
        both,
        lambda some: harmony_notes(some, settings),
        sources,
        read.skipped,
        read.remarks,
    )
    pieces = [piece for piece, _, _ in found]
    return replace(choir_recipe(options, material, progress), finish=partial(_finish, pieces, options.seed))


def _voices(options: Options) -> tuple[str, str]:
    """Return which voice is to be learned, and that which the player has.

    :raises ConfigError: if there is no such voice, or they are the same.
    """
    to = choice("player", options.player, VOICES[::-1])
    return choice("voice", options.voice, [voice for voice in VOICES if voice != to]), to


def _finish(
    pieces: Sequence[Piece],
    seed: int,
    model: LoadableModel,
    progress: Callable[[float], None],
    stopped: Callable[[], bool],
) -> Finished:
    """Return the model with its experts on all that sounds bred on the pieces, where these have chords."""
    if not isinstance(model, HarmonyModel):
        raise TypeError(f"{type(model).__name__} is no harmony model")
    bred = bred_in_context(model, pieces, seed, progress, stopped)
    return Finished(bred.model, bred.scores)


def settings_for(voice: str, found: Sequence[Duet], *, hidden: int = HIDDEN) -> ChoirSettings:
    """Return the settings of a model of `voice`, whose registers are those of the duets."""
    pitches = [note.pitch for _, own in found for note in own]
    heard = [note.pitch for player, _ in found for note in player]
    return ChoirSettings(
        voice=voice,
        level="live",
        viewpoints=tuple(VIEWPOINTS),
        hidden=hidden,
        low=min(pitches),
        high=max(pitches),
        reach=REACH,
        rest=True,
        experts=EXPERTS,
        player=(min(heard), max(heard)),
    )
