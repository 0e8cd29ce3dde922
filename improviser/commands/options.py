"""Options that several commands share."""

from typing import TYPE_CHECKING, Annotated

import typer

from improviser.commands.live_options import live_option

Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files; otherwise the command refuses.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a MIDI file that needs repairs.")]
SoundFont = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Make the sound with this SoundFont, using FluidSynth; auto finds one."),
]

if TYPE_CHECKING:
    Mode = str | None
    Temperature = float | None
    Part = str | None
else:
    Mode = live_option("mode")
    Temperature = live_option("temperature")
    Part = live_option("part")

SOURCES = (
    "MIDI files, folders, demo-tune, or a corpus: bach-chorales, folk-german, folk-chinese, folk-irish, folk-american, "
    "folk-scottish."
)
