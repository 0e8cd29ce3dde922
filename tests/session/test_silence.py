"""A long silence ends a session, once."""

import asyncio
from typing import Any

from improviser.engine.events import event_of
from improviser.engine.protocol import Applied, Command, Played, Ready, Renew, Step
from improviser.session.silence import Silence

READY = Ready("loopback", "", "")
NOTE = Step(0.0, b"\x90\x3c\x40", [], 0.0)


class Told:
    """Stands for the service: keeps what it is told, and answers a renewal as an engine does."""

    def __init__(self, silence: Silence) -> None:
        self.commands: list[Command] = []
        self._silence = silence

    def send(self, command: Command) -> None:
        self.commands.append(command)
        self._silence.take(event_of(Played(0.0, [])))
        self._silence.take(event_of(READY))


def told_after(*reports: Ready | Step | Applied, seconds: float) -> list[Command]:
    async def run() -> list[Command]:
        silence = Silence(seconds)
        told: Any = Told(silence)
        for report in reports:
            silence.take(event_of(report))
        ending = asyncio.ensure_future(silence.end(told, 0.001))
        await asyncio.sleep(0.1)
        ending.cancel()
        commands: list[Command] = told.commands
        return commands

    return asyncio.run(run())


def test_a_long_silence_ends_the_session_once() -> None:
    assert told_after(READY, NOTE, seconds=0.01) == [Renew()]
    assert told_after(READY, Applied("density", 0.5), seconds=0.01) == [Renew()]


def test_where_nothing_happened_nothing_ends() -> None:
    assert told_after(READY, seconds=0.01) == []


def test_a_short_silence_is_none() -> None:
    assert told_after(READY, NOTE, seconds=60.0) == []
