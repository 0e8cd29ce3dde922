"""The services of a session: MQTT, the answer to `improviser status`, messages to systemd, reloading of settings."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from improviser.core.addresses.broker import parse_broker
from improviser.core.live.parameters.allowed import in_order
from improviser.engine.bus import alone
from improviser.engine.events import SessionEvent
from improviser.engine.protocol import MODEL
from improviser.engine.service import Service
from improviser.errors import ImproviserError, UserError
from improviser.library import catalogue
from improviser.remote.instance import Instance
from improviser.remote.requests import plain
from improviser.remote.state import Score
from improviser.remote.systemd import Notifier
from improviser.settings.config import Config
from improviser.settings.keeping import CONTROLS
from improviser.settings.schema import KEYS, LIVE_KEYS, Settings

if TYPE_CHECKING:
    from improviser.remote.mqtt_session import MqttSession

log = logging.getLogger("improviser")


class SessionServices:
    """Serves one session; `take` gets its events, `run` lasts as long as the session.

    :param load: reads the settings again, where that is possible.
    :param save: writes what was recorded so far and returns where to.
    :raises ConfigError: if a session of that name plays already, or a file for the broker cannot be used.
    """

    def __init__(
        self, config: Config, load: Callable[[], Config] | None = None, save: Callable[[], str] | None = None
    ) -> None:
        self._settings = config.settings
        self._refused: dict[str, Any] = {}
        """What could not be asked for when settings were read again, and what it was before."""
        self._load = load
        self._score = Score()
        self._notifier = Notifier(os.environ)
        self._mqtt = _mqtt_session(config.settings, save)
        self._instance = Instance(config.settings.name)

    def take(self, event: SessionEvent) -> None:
        """Take in an event."""
        (self._score if self._mqtt is None else self._mqtt).take(event)

    async def run(self, service: Service) -> None:
        """Serve until cancelled; then say goodbye."""
        await self._instance.answer(lambda: self._state(service))
        tasks = {
            "what systemd is told": self._notifier.live(),
            "the message of the start": self._report_ready(service),
        }
        if self._mqtt is not None:
            tasks["MQTT"] = self._mqtt.run(service)
        try:
            await asyncio.gather(*(alone(part, work) for part, work in tasks.items()))
            await asyncio.Event().wait()  # until cancelled: with nobody to serve, the session goes on all the same
        finally:
            self._notifier.stopping()

    def close(self) -> None:
        """Give the session's name free for another session."""
        self._instance.close()

    def _state(self, service: Service) -> dict[str, Any]:
        state = self._mqtt.state(service) if self._mqtt is not None else self._score.state(service)
        return state | {"pid": os.getpid()}

    async def _report_ready(self, service: Service) -> None:
        await service.opened()
        self._notifier.ready(_summary(service))

    def reload(self, service: Service) -> None:
        """Read the settings again and send the engine what has changed of them; what sounds goes on."""
        if self._load is None:
            return
        self._notifier.reloading()
        try:
            fresh = self._load().settings
            for model in fresh.model:
                catalogue.check(model)
        except UserError as error:
            log.warning("the settings stay as they were: %s", error)
        else:
            self._apply(fresh, service)
        self._notifier.ready(_summary(service))

    def _apply(self, fresh: Settings, service: Service) -> None:
        before = {name: getattr(self._settings, name) for name in KEYS}
        before |= self._refused  # these are asked for again
        before[CONTROLS] = service.parameters.controls  # what was learned meanwhile is in the file, or gone again
        changed = {name: getattr(fresh, name) for name in KEYS if getattr(fresh, name) != before[name]}
        said: list[str] = []
        refused: dict[str, Any] = {}
        for name in (*([MODEL] if MODEL in changed else ()), *in_order(changed, service.parameters)):
            try:
                service.request(name, changed[name], "settings")
            except ImproviserError as error:
                refused[name] = before[name]
                log.warning("%s stays as it was: %s", name, error)
            else:
                said.append(f"{name} = {plain(changed[name])}")
        log.info("read the settings again: %s", ", ".join(said) or "nothing that can change while playing has changed")
        self._settings, self._refused = fresh, refused
        waiting = sorted(changed.keys() - set(LIVE_KEYS))
        if waiting:
            log.warning("%s: this takes a restart", ", ".join(waiting))


def _mqtt_session(settings: Settings, save: Callable[[], str] | None) -> "MqttSession | None":
    """Return what speaks MQTT, if it is wanted; without it there is less to import before the first note.

    :raises ConfigError: if a file for the broker cannot be used.
    """
    if parse_broker(settings.mqtt) is None:
        return None
    from improviser.remote.credentials import access_of
    from improviser.remote.mqtt_session import MqttSession

    access = access_of(settings, os.environ)
    return None if access is None else MqttSession(access, settings, save)


def _summary(service: Service) -> str:
    hears, plays_to = service.connections
    return f"{', '.join(service.models)} plays on {service.api}: hears {hears}, plays to {plays_to}"
