"""`improviser render`: a MIDI file in, the answers to it out."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands import completion
from improviser.commands.options import Force, Part, Strict, Temperature


def render(
    source: Annotated[Path, typer.Argument(metavar="IN.mid", help="The MIDI file to answer.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.mid", help="The MIDI file to write.")],
    *,
    model: Annotated[
        str,
        typer.Option("--model", metavar="M", help="A model's name or file.", autocompletion=completion.models),
    ] = "bach-bass",
    seed: Annotated[int, typer.Option(help="The same seed gives the same notes.")] = 0,
    temperature: Temperature = None,
    part: Part = None,
    with_input: Annotated[bool, typer.Option("--with-input", help="Also write the notes of the input.")] = False,
    strict: Strict = False,
    force: Force = False,
) -> None:
    """Answer every note of a MIDI file, keeping its rhythm, velocities and tempo."""
    import numpy as np

    from improviser.commands.live_options import given
    from improviser.commands.notices import give_notice
    from improviser.console_output import say
    from improviser.errors import ConfigError
    from improviser.files import check_writable
    from improviser.library.catalogue import load_model
    from improviser.midifile import read_midi, remarks_on, write_midi
    from improviser.recordings.rendering import render as play

    chosen, own = given("temperature", temperature), given("part", part)
    if seed < 0:
        raise ConfigError(f"--seed is {seed}; give a whole number from 0")
    check_writable(out, force=force)
    player = load_model(model)
    piece = read_midi(source, need_notes=True, strict=strict)
    give_notice(remarks_on(source, piece))
    answered = play(piece, player, temperature=chosen, rng=np.random.default_rng(seed), with_input=with_input, part=own)
    write_midi(out, answered)
    say(f"saved {out}: {len(piece.notes)} notes answered by {player.name}")
