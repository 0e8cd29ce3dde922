"""How to train a harmony model: a voice to another one, which the player sings: mostly the top voice of a piece."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

from improviser.core.harmony.corpus import Duet, harmony_notes
from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import EXPERTS, VIEWPOINTS
from improviser.core.music.line import range_of
from improviser.core.music.piece import Piece
from improviser.core.networks.choir import ChoirSettings
from improviser.library.catalogue import LoadableModel
from improviser.training.choir_recipe import HIDDEN, REACH, Heard, Material, check_networks, choir_recipe, split
from improviser.training.context import bred_in_context
from improviser.training.holding import breed, cases_within
from improviser.training.progress import Progress, silent, watched
from improviser.training.recipe import Finished, Options, Recipe, choice, refuse
from improviser.training.voices import Sources, duets, read_sources

VOICES = ("bass", "tenor", "alto", "soprano")


def prepare(options: Options, progress: Progress, executor: Executor | None = None) -> Recipe:
    """Return the recipe for `options`.

    :raises UserError: if the sources or options are of no use.
    """
    refuse(options, "lookback", "parts", "layer_type", "mutation", "divergence", "survivors")
    check_networks(options, VIEWPOINTS)  # before the sources are read, which may take long
    _voices(options)
    read = read_sources(options.sources, progress, strict=options.strict, executor=executor)
    known = heard(options, read, progress, executor)
    pieces = [piece for piece, *_ in duets(read.pieces, *_voices(options))]
    return replace(choir_recipe(options, known, progress), finish=partial(_finish, pieces, options.seed))


def heard(options: Options, read: Sources, progress: Progress = silent, executor: Executor | None = None) -> Heard:
    """Return what was read as all recipes for a voice of it have it; how it holds notes over is bred already.

    :param executor: whose workers play it through; None: this process.
    :raises UserError: if it is of no use.
    """
    voice, to = _voices(options)
    found = duets(read.pieces, voice, to)
    both = [(player, own) for _, player, own in found]
    settings = replace(settings_for(voice, both), to=to)
    learned = watched(split(both, options.seed)[0], "listening to what is held over", progress)
    material = Material(
        HarmonyModel,
        replace(settings, holding=breed(cases_within(learned, settings), options.seed)),
        both,
        harmony_notes,
        tuple({"name": piece.name, "notes": len(player)} for piece, player, _ in found),
        read.skipped,
        read.remarks,
    )
    return Heard.of(material, options.seed, progress, executor)


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
    low, high = range_of(own for _, own in found)
    return ChoirSettings(
        voice=voice,
        level="live",
        viewpoints=tuple(VIEWPOINTS),
        hidden=hidden,
        low=low,
        high=high,
        reach=REACH,
        rest=True,
        experts=EXPERTS,
        player=range_of(player for player, _ in found),
    )
