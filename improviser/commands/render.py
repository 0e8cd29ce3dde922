"""`improviser render`: a MIDI file in, the answers to it out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from improviser.commands import completion
from improviser.commands.options import Force, Mode, Part, Strict, Temperature
from improviser.recordings.limits import LONGEST_TAIL

if TYPE_CHECKING:
    from improviser.midifile import MidiPiece


def render(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="The MIDI file to answer.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.mid", help="The MIDI file to write.")],
    *,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="M",
            help="A model's name or file (bach-bass; with --mode answer or solo, auto). With --mode, several play one "
            "voice each.",
            autocompletion=completion.models,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same notes.")] = 0,
    mode: Mode = None,
    temperature: Temperature = None,
    part: Part = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="With --mode: any parameter of play, such as scale=auto."),
    ] = None,
    tail: Annotated[
        float | None,
        typer.Option(
            metavar="S",
            min=0.0,
            max=LONGEST_TAIL,
            help="With --mode: how many seconds it goes on after the last note. By default until the last answer ends.",
        ),
    ] = None,
    with_input: Annotated[bool, typer.Option("--with-input", help="Also write the notes of the input.")] = False,
    strict: Strict = False,
    force: Force = False,
) -> None:
    """Answer every note of a MIDI file, in its rhythm; with --mode, play to it as in a live session."""
    from improviser.commands.notices import give_notice
    from improviser.console_output import say
    from improviser.core.live.parameters.table import DEFAULTS
    from improviser.errors import ConfigError
    from improviser.files import check_writable
    from improviser.library.catalogue import load_model
    from improviser.midifile import read_midi, remarks_on, write_midi
    from improviser.recordings.live_rendering import players_part
    from improviser.settings.schema import default_models

    live = _parameters(values or (), mode=mode, temperature=temperature, part=part)
    if seed < 0:
        raise ConfigError(f"--seed is {seed}; give a whole number from 0")
    if "mode" not in live and (values or tail is not None or len(model or ()) > 1):
        given = "--set" if values else "--tail" if tail is not None else "more than one --model"
        raise ConfigError(f"{given} is for a live session; give a mode as well, such as --mode shadow")
    check_writable(out, force=force)
    models = [load_model(name) for name in model or default_models(live.get("mode", DEFAULTS["mode"]))]
    piece = read_midi(source, need_notes=True, strict=strict)
    give_notice(remarks_on(source, piece))
    names = ", ".join(player.name for player in models)
    played = _played(piece, models, live, names, seed=seed, tail=tail, with_input=with_input)
    write_midi(out, played)
    if "mode" not in live:
        say(f"saved {out}: {len(piece.notes)} notes answered by {names}")
    else:
        count = sum(timed.track == len(played.tracks) - 1 for timed in played.notes)
        say(f"saved {out}: {count} notes played by {names} to {len(players_part(piece).notes)}")


def _parameters(values: Sequence[str], **options: Any) -> dict[str, Any]:
    """Return the live parameters that were given.

    :raises ConfigError: if there is none of a name, or it cannot be that.
    """
    from improviser.commands.live_options import given
    from improviser.errors import ConfigError
    from improviser.settings.checking import validate

    found = {name: given(name, value) for name, value in options.items() if value is not None}
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set {text}: give a parameter and its value, such as --set scale=auto")
        try:
            found[name.strip().replace("-", "_")] = validate(name.strip().replace("-", "_"), value.strip())
        except ConfigError as error:
            raise ConfigError(f"--set {text}: {error}") from None
    return found


def _played(
    piece: "MidiPiece",
    models: Sequence[Any],
    live: dict[str, Any],
    names: str,
    *,
    seed: int,
    tail: float | None,
    with_input: bool,
) -> "MidiPiece":
    import numpy as np

    from improviser.core.live.parameters.table import DEFAULTS
    from improviser.core.live.raw import Performer
    from improviser.recordings.live_rendering import render_live
    from improviser.recordings.rendering import render as answer_each

    if "mode" in live:
        performer = Performer(models, seed=seed, **live)
        return render_live(piece, performer, names, tail=tail, with_input=with_input)
    (model,) = models
    rng = np.random.default_rng(seed)
    own = {name: live.get(name, DEFAULTS[name]) for name in ("temperature", "part")}
    return answer_each(piece, model, rng=rng, with_input=with_input, **own)
