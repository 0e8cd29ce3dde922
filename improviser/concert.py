"""A live session from its settings to its end: the service, what it says, and what it shows."""

import asyncio
import logging
import sys

from improviser.config import Config
from improviser.daemon import Service, Session
from improviser.library import find
from improviser.signals import run_until_signal
from improviser.stage import Stage


def session_of(config: Config, random_seed: int) -> Session:
    """Return the session that the settings describe; `random_seed` holds if they give none.

    :raises ModelError: if one of the models is not there.
    """
    settings = config.settings
    for model in settings.model:
        find(model)
    return Session(
        api=settings.api,
        name=settings.name,
        input=settings.input,
        output=settings.output,
        models=settings.model,
        parameters=config.live,
        seed=random_seed if settings.seed is None else settings.seed,
        wait_for_ports=settings.wait_for_ports,
    )


async def give(config: Config, random_seed: int) -> int:
    """Play until a signal ends it; return the exit code.

    :raises ImproviserError: if models or ports cannot be opened.
    """
    logging.basicConfig(level=logging.INFO, format="improviser: %(message)s")
    wants_display = config.settings.display
    shown = sys.stdout.isatty() if wants_display is None else wants_display
    stage = Stage() if shown else None
    service = Service(session_of(config, random_seed), stage.take if stage is not None else lambda _: None)
    following = asyncio.ensure_future(_follow(service, stage))
    try:
        return await run_until_signal(service.run(), service.stop)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def _follow(service: Service, stage: Stage | None) -> None:
    """Say what was opened, then show the session."""
    await service.opened()
    hears, plays_to = service.connections
    print(
        f"playing on {service.api}: hears {hears}, plays to {plays_to} ({service.parameters.mode}, "
        f"{', '.join(service.models)}); change with --input and --output, end with Ctrl-C",
        flush=True,
    )
    if stage is not None:
        await stage.show(service)
