"""Options that several commands share."""

from typing import Annotated

import typer

Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there; without it, that is refused.")]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse a MIDI file that is not quite right; do not repair it.")]
