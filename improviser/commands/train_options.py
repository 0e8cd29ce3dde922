"""Options of `train`: where it breeds, and those of some tasks alone."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import SOURCES

Workers = Annotated[
    int | None, typer.Option(help="How many processes to work with; the result is the same. By default 1.")
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Work on Dask: a scheduler (tcp://HOST:8786), or local for all cores here."),
]
Sources = Annotated[list[str], typer.Argument(metavar="SOURCE...", help=SOURCES)]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="The model file to write; by default a new one of yours."),
]
Voice = Annotated[str | None, typer.Option(help="harmony: the voice to learn: bass, tenor, alto or soprano.")]
Player = Annotated[
    str | None, typer.Option(help="harmony: the voice that the player sings: soprano, if nothing is said.")
]
Parts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="chorale: networks to be made of, such as tenor-to-bass.safetensors."),
]
Choir = Annotated[
    int | None,
    typer.Option(help="harmony, melody: how many networks play as one; by default up to 6, if there is time."),
]
Without = Annotated[
    str | None, typer.Option(metavar="NAME,NAME", help="harmony, melody: viewpoints that networks do not see.")
]
StepSize = Annotated[float | None, typer.Option(help="harmony, melody: how far cma reaches out at first.")]
Lookback = Annotated[int | None, typer.Option(help="echo: how many notes a network hears, the current one included.")]
LayerType = Annotated[str | None, typer.Option(help="echo: object (nodes average) or matrix (they sum).")]
Mutation = Annotated[str | None, typer.Option(help="echo: factor, offset (normal noise) or selection.")]
Divergence = Annotated[float | None, typer.Option(help="echo: how strong mutations are.")]
Survivors = Annotated[float | None, typer.Option(help="echo: the share of networks that survive unchanged.")]
