"""The keys that control a live session: each becomes a request like one that comes over MQTT or from a controller."""

import asyncio
from collections.abc import Callable

from improviser.core.live.parameters.kinds import after
from improviser.core.live.parameters.table import TABLE
from improviser.core.live.player.votes import BAD, FORGET, GOOD
from improviser.core.live.snapshot import News
from improviser.engine.protocol import MODEL, Instruct, Panic
from improviser.engine.service import Service
from improviser.errors import ImproviserError
from improviser.library.catalogue import choices_with, label_of, live_names
from improviser.recordings.recorder import Recorder
from improviser.session.keypresses import can_press, key_presses
from improviser.session.recording import turn_recording
from improviser.show.terminal import KEYS

LEGEND = (
    ("m", "mode"),
    ("+ −", "temperature"),
    ("n", "model"),
    ("g b", "good, bad"),
    ("space", "panic"),
    ("q", "quit"),
)
"""What to show of it on the view's last line."""
RECORD = ("r", "record")
VOTES = {"g": GOOD, "b": BAD, "f": FORGET}
WARMER, COOLER = ("+", "=", "up", "right"), ("-", "_", "down", "left")


def legend(*, record: bool = False) -> tuple[tuple[str, str], ...]:
    """Return what keys do, to be shown: nothing if there is no terminal that they could be pressed on.

    :param record: whether one of them starts and stops the recording.
    """
    if not can_press():
        return KEYS
    return (*LEGEND[:-1], RECORD, LEGEND[-1]) if record else LEGEND


async def steer(
    service: Service,
    tell: Callable[[str], None] = lambda _: None,
    instrument: Callable[[str], bool] = lambda _: False,
    recorder: Recorder | None = None,
) -> None:
    """Steer `service` by the terminal's keys, until cancelled; the terminal is given back then.

    :param tell: gets what could not be done, in a line, and where a recording is.
    :param instrument: gets each key first, and says whether it took it.
    :param recorder: what a key starts and stops.
    """
    steering = Steering(service, tell, recorder)

    def press(key: str) -> None:
        if not instrument(key):
            steering.press(key)

    with key_presses(press):
        await asyncio.Event().wait()


class Steering:
    """Steers `service`; `tell` gets what could not be done, in a line, and where a recording is."""

    def __init__(
        self, service: Service, tell: Callable[[str], None] = lambda _: None, recorder: Recorder | None = None
    ) -> None:
        self._service = service
        self._tell = tell
        self._recorder = recorder

    def press(self, key: str) -> None:
        """Do what a key means; most mean nothing."""
        try:
            self._press(key.lower() if len(key) == 1 else key)
        except ImproviserError as error:
            self._tell(str(error))

    def _press(self, key: str) -> None:
        if key == "m":
            self._step("mode", 1)
        elif key in WARMER or key in COOLER:
            self._step("temperature", 1 if key in WARMER else -1)
        elif key == "n":
            models = choices_with(live_names(), self._service.begun_with)
            self._change(MODEL, (models[after([*models], label_of(self._service.models[0]))],))
        elif key in (" ", "p"):
            self._service.send(Panic())
        elif key in VOTES:
            self._service.send(Instruct(VOTES[key]))
        elif key == "r" and self._recorder is not None:
            self._record(self._recorder)
        elif key == "q":
            self._service.stop()

    def _step(self, parameter: str, steps: int) -> None:
        """Let a parameter be so many steps of its range higher than it is, or the next of its choices."""
        self._change(parameter, TABLE[parameter].stepped(getattr(self._service.parameters, parameter), steps))

    def _change(self, parameter: str, value: object) -> None:
        self._service.request(parameter, value, "keys")

    def _record(self, recorder: Recorder) -> None:
        """Start or stop the recording."""
        self._tell(News(turn_recording(self._service, recorder, on=not recorder.on)))
