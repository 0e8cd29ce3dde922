"""Options that several commands share."""

from typing import TYPE_CHECKING, Annotated

import typer

from improviser.commands.live_options import live_option

Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there; without it, that is refused.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a MIDI file that is not quite right; do not repair it.")]
SoundFont = Annotated[
    str | None, typer.Option(metavar="FILE", help="Sound by a SoundFont, with FluidSynth; auto finds one.")
]

if TYPE_CHECKING:
    Temperature = float | None
else:
    Temperature = live_option("temperature")
