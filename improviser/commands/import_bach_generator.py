"""`improviser import-bach-generator`: the original's models become ours."""

from pathlib import Path
from typing import Annotated

import typer

from improviser.commands.options import Force


def import_bach_generator(
    models: Annotated[Path, typer.Argument(metavar="MODELS.json", help="A file that bach_generator saved.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The model file to write.")],
    *,
    index: Annotated[int, typer.Option("--index", help="Which model of the file, from 0.")] = 0,
    force: Force = False,
) -> None:
    """Convert a model of rbaltrusch/bach_generator into one that plays here."""
    from improviser.console_output import say
    from improviser.errors import ModelError
    from improviser.files import check_writable
    from improviser.library import catalogue, model_file
    from improviser.library.bach_generator import convert, read_models
    from improviser.version import __version__

    check_writable(out, force=force)
    found = read_models(models)
    if not 0 <= index < len(found):
        raise ModelError(f"{models} holds {len(found)} models; --index is {index}, give 0–{len(found) - 1}")
    try:
        model = convert(out.stem, found[index])
    except ModelError as error:
        raise ModelError(f"{models}, model {index}: {error}; name a file that bach_generator saved") from error
    provenance = {
        "program": f"improviser {__version__}",
        "imported_from": {"program": "bach_generator", "file": models.name, "index": index, "of": len(found)},
    }
    model_file.write(out, catalogue.take_apart(model, provenance))
    shape = model.network.shape
    say(f"saved {out}: {shape.layer_type} layers of {'-'.join(map(str, shape.nodes))} nodes")
