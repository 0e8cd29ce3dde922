"""`improviser cache`: what training keeps for later runs, and how to clear it."""

from typing import Annotated

import typer


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of it; it is made again when needed.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is kept of the music that you train on, where, and how much room it takes; or clear it."""
    from improviser.console_output import say, say_json
    from improviser.errors import OutputError
    from improviser.training import cache as kept
    from improviser.training.named_sources import NAMED

    files, size = kept.size(NAMED)
    if clear:
        try:
            kept.clear(NAMED)
        except OSError as error:
            raise OutputError(
                f"cannot clear {kept.cache_folder()}: {error.strerror or error}; end what uses it, and try again"
            ) from error
    values = {"folder": str(kept.cache_folder()), "files": files, "bytes": size, "most_bytes": kept.MOST_BYTES}
    if json:
        say_json({**values, "cleared": clear}, indent=2)
        return
    what = f"{files:,} files, {size / 2**20:,.1f} MiB, in {kept.cache_folder()}"
    say(f"cleared {what}" if clear else what)
    if not clear:
        say(f"Over {kept.MOST_BYTES / 2**30:g} GiB, what was used longest ago goes. Clear it: improviser cache --clear")
