"""`improviser play`: play along on real MIDI ports."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from improviser.commands.play_options import SETTINGS, with_options

if TYPE_CHECKING:
    from improviser.settings.config import Config


@with_options
def play(**given: Any) -> None:
    """Play along on your MIDI ports: every note you play is answered, at once and in your rhythm."""
    import asyncio

    flags = {name: given[name] for name in SETTINGS}
    for name in ("model", "input", "output"):
        flags[name] = given[name] or None
    if given["no_record"]:
        flags["record"] = False
    elif given["record"] is not None:
        flags["record"] = str(given["record"])

    def load_settings() -> "Config":
        from improviser.settings.config import load

        return load(flags, given["config"], profile=given["profile"])

    code = asyncio.run(_play(load_settings, given["learn"], given["profile"]))
    if code:
        raise SystemExit(code)


async def _play(load_settings: Callable[[], "Config"], learn: list[str] | None, profile: str | None) -> int:
    """Play; what takes longest to import does so in the engine and here at the same time."""
    from improviser.engine.handle import EngineProcess

    engine = await EngineProcess.start()
    try:
        from improviser.session.performance import give, learning_of

        settings = load_settings()
        learning = learning_of(settings, learn, profile) if learn else None
        code = await give(settings, secrets.randbits(32), load_settings, learning, engine)
        if settings.settings.learn_afterwards:
            from improviser.session.learning_afterwards import learn_afterwards

            learn_afterwards(settings)
        return code
    finally:
        if not engine.dead:
            await engine.leave()
