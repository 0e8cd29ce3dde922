"""What comes to a session while it plays, as nobody should send it: bytes on the wire, and received over MQTT."""

import contextlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import numpy as np

from improviser.core.addresses.broker import Broker
from improviser.core.live.output.ledger import Ledger
from improviser.core.live.parameters.allowed import check_order
from improviser.core.live.parameters.table import MODES, Parameters
from improviser.core.live.performer import Performer
from improviser.engine.frames import decode_command, frame
from improviser.engine.live_state import Door, LiveState, Reply
from improviser.engine.note_path import Engine
from improviser.engine.protocol import AnyReport, Applied, Change, Command, Hear, Open, Panic, Played, Step, Swap
from improviser.errors import ImproviserError
from improviser.library import catalogue
from improviser.remote.mqtt import Access
from improviser.remote.mqtt_queues import Received
from improviser.remote.mqtt_session import MqttSession
from improviser.settings.checking import validate
from improviser.settings.schema import LIVE_KEYS, Settings
from tests.fuzz.mutations import STRINGS, json_text, mutate_bytes, mutate_value, some_value
from tests.playing import write_small_model

SMALL = "fuzzed"
STATUS_BYTES = (*range(0x80, 0xF0, 0x10), *range(0xF0, 0x100))
LENGTHS = {0x80: 3, 0x90: 3, 0xA0: 3, 0xB0: 3, 0xC0: 2, 0xD0: 2, 0xE0: 3}


class LiveKind:
    """A way into a session that plays.

    :param shared: a folder, in which the library has a small model.
    """

    def __init__(self, shared: Path) -> None:
        shelf = shared / "models"
        shelf.mkdir(exist_ok=True)
        if not (shelf / f"{SMALL}.safetensors").exists():
            write_small_model(shelf / f"{SMALL}.safetensors")
        self.shelf = shelf

    def problems(self, rng: random.Random) -> Iterator[str]:
        """Send one case; yield what is wrong with what comes of it."""
        raise NotImplementedError


def unsound(messages: Sequence[bytes]) -> list[str]:
    """Return those messages that are none."""
    return [
        message.hex(" ")
        for message in messages
        if not (message and LENGTHS.get(message[0] & 0xF0) == len(message) and all(byte < 0x80 for byte in message[1:]))
    ]


def left_sounding(messages: Sequence[bytes]) -> set[tuple[int, int]]:
    """Return the notes, by channel and pitch, that the messages begin and do not end."""
    sounding: set[tuple[int, int]] = set()
    for message in messages:
        note = message[0] & 0x0F, message[1]
        if message[0] & 0xF0 == 0x90 and message[2]:
            sounding.add(note)
        elif message[0] & 0xF0 in (0x80, 0x90):
            sounding.discard(note)
        elif message[0] & 0xF0 == 0xB0 and message[1] in (120, 123):
            sounding = {each for each in sounding if each[0] != note[0]}
    return sounding


class Reports(list[AnyReport]):
    """Takes the reports of an engine in this process."""

    def send(self, report: AnyReport) -> None:
        """Take one."""
        self.append(report)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Take several, which come anyway."""
        yield

    @property
    def sent(self) -> list[bytes]:
        """All messages that left the engine."""
        told = (report for report in self if isinstance(report, Step | Played | Applied))
        return [message for report in told for message in report.played]


class WireBytes(LiveKind):
    """Raw MIDI, as it comes out of a backend, into the engine over loopback."""

    _CHANGES: ClassVar[Sequence[dict[str, Any]]] = (
        {},
        {},
        {"thru": True},
        {"temperature": 4.0, "density": 0.5},
        {"quantise": "1/16"},
        {"controls": {"transpose": 21, "mode": {"control": 22, "channel": 2}}},
    )

    def problems(self, rng: random.Random) -> Iterator[str]:
        parameters = {"mode": rng.choice(("shadow", *MODES)), **rng.choice(self._CHANGES)}
        reports = Reports()
        opening = Open(
            "loopback", "fuzz", ["auto"], ["auto"], [str(self.shelf / f"{SMALL}.safetensors")], parameters, 1, 0.0
        )
        ledger = Ledger()
        engine = Engine(opening, ledger, cast("Any", reports))
        now = 0.0
        engine._now = lambda: now  # type: ignore[method-assign]  # the clock goes with the stamps
        for _ in range(rng.choice((5, 20, 60))):
            now += rng.choice((0.0, 0.0, 0.001, 0.05, 0.3, 3.0, 0.1))
            engine.hear(bytes(self.message(rng)), now)
        if engine.fault is not None:
            raise engine.fault
        engine.hear(bytes((0xFC,)), now)
        engine.obey(Panic())
        if left := left_sounding(reports.sent):
            yield f"after a panic these still sound: {left}"
        if not ledger.silent:
            yield "after a panic the ledger is not silent"
        if wrong := unsound(reports.sent):
            yield f"these are no messages: {wrong}"
        now += 60
        yield from self._clean_note(engine, reports, now, answers=engine._performer.parameters.mode == "shadow")

    @staticmethod
    def _clean_note(engine: Engine, reports: Reports, now: float, *, answers: bool) -> Iterator[str]:
        """Press and release a key: it is heard, as ever, and nothing sounds on."""
        engine.obey(Change("density", 1.0))
        del reports[:]
        engine.hear(bytes((0x90, 64, 80)), now)
        engine.hear(bytes((0x80, 64, 64)), now + 0.2)
        engine.obey(Panic())
        if engine.fault is not None:
            raise engine.fault
        heard = [report.heard for report in reports if isinstance(report, Step)]
        if heard != [bytes((0x90, 64, 80)), bytes((0x80, 64, 64))]:
            yield f"a clean note afterwards is heard as {heard}"
        if answers and not any(message[0] & 0xF0 == 0x90 for message in reports.sent):
            yield "a clean note afterwards is not answered"
        if left := left_sounding(reports.sent):
            yield f"after a clean note these still sound: {left}"

    @staticmethod
    def message(rng: random.Random) -> list[int]:
        """Return a message: sound, nearly, or none at all."""
        what = rng.random()
        status = rng.choice(STATUS_BYTES) | (rng.choice((0, 0, 0, 1, 9, 15)))
        if what < 0.4:
            return [rng.choice((0x90, 0x80)) | rng.choice((0, 0, 1)), rng.choice((60, 64, 67, rng.randrange(128))), 64]
        if what < 0.5:
            return [0xB0, rng.choice((1, 64, 66, 67, 120, 121, 123, 124, 126, 21, 22, 98, 6)), rng.choice((0, 64, 127))]
        if what < 0.7:
            return [status, *(rng.randrange(128) for _ in range(rng.choice((0, 1, 2, 2, 3))))]
        if what < 0.75:
            return [0xF0, *(rng.randrange(128) for _ in range(rng.choice((0, 2, 200)))), *rng.choice(([0xF7], []))]
        if what < 0.8:
            return [rng.choice((0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF))]
        return [*rng.randbytes(rng.choice((0, 1, 2, 3, 3, 4, 50)))]


class _Told:
    """A reply that is there at once, to who would await it."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def add_done_callback(self, call: Callable[["_Told"], object]) -> None:
        call(self)

    def cancelled(self) -> bool:
        return False

    def result(self) -> Reply:
        return self._reply


class MqttMessages(LiveKind):
    """What comes over MQTT: topics and payloads of every kind, to a session with MQTT."""

    _TOPICS: ClassVar = (
        "set",
        "set/",
        "set/x",
        "cmd",
        "cmd/x",
        "state",
        "event/out",
        "status",
        "",
        "set/model/x",
        "set/#",
    )
    _WORDS: ClassVar = (
        b"",
        b"0.5",
        b"true",
        b"panic",
        b"save",
        b"shutdown",
        b"online",
        b"offline",
        b"D minor",
        b'{"value": 3}',
    )
    _NOTE: ClassVar = {"type": "note_on", "channel": 0, "pitch": 60, "velocity": 64, "seconds": 1.0, "via": ["other"]}

    def problems(self, rng: random.Random) -> Iterator[str]:
        settings = Settings(
            model=(SMALL,), mqtt="mqtt://localhost", mqtt_events=True, listen_to="other", mqtt_shutdown=True
        )
        mqtt = MqttSession(Access(Broker("localhost", 1883)), settings, save=lambda: "a folder")
        commands: list[Command] = []
        live = LiveState([SMALL], {})

        def request(parameter: str, value: object, door: Door) -> _Told:
            value = validate(parameter, value)
            check_order(parameter, value, Parameters())
            live.request(parameter, value, door)
            commands.extend(live.next_commands())
            return _Told(Reply(parameter, value))

        service = SimpleNamespace(
            parameters=Parameters(),
            models=(SMALL,),
            send=commands.append,
            request=request,
            confirmed=lambda parameter: live.models if parameter == "model" else getattr(Parameters(), parameter),
            stop=lambda: None,
            playing=True,
            begun_with=(),
            epoch=0.0,
        )
        mqtt._service = cast("Any", service)
        requests = 0
        for _ in range(rng.choice((1, 3, 10))):
            message = self._message(rng)
            replied = "improviser/improviser/set/", "improviser/improviser/cmd"
            requests += not message.retained and (
                message.topic == replied[1] or message.topic == replied[0][:-1] or message.topic.startswith(replied[0])
            )
            mqtt._take_received(message)
        replies = [post for post in mqtt.link._outbox.owed() if not post.retain]
        if len(replies) != requests:
            yield f"{requests} requests got {len(replies)} replies"
        for reply in replies:
            said = json.loads(reply.payload)
            if set(said) != {"ok", "parameter", "value", "error", "allowed"}:
                yield f"a reply is {said}"
            if len(reply.payload) > 1 << 16:
                yield f"a reply is {len(reply.payload)} bytes long"
        yield from self._obeyed(commands)

    def _obeyed(self, commands: Sequence[Command]) -> Iterator[str]:
        """Let a performer do what got through: it can all be done."""
        performer = Performer([catalogue.load_model(SMALL)], Parameters(), np.random.default_rng(1))
        for number, command in enumerate(commands):
            again = decode_command(frame(command)[4:])
            if isinstance(again, Hear):
                if unsound([again.message]):
                    yield f"this is no message: {again.message.hex(' ')}"
            elif isinstance(again, Swap):
                performer.swap([catalogue.load_model(name) for name in again.models], float(number))
            elif isinstance(again, Change):
                with contextlib.suppress(ImproviserError):  # it says so itself
                    performer.change(again.parameter, again.value, float(number))
                validate(again.parameter, asdict(performer.parameters)[again.parameter])

    def _message(self, rng: random.Random) -> Received:
        parameter = rng.choice(sorted(LIVE_KEYS))
        topic = rng.choice((f"set/{parameter}", f"set/{parameter}", "cmd", rng.choice(self._TOPICS)))
        base = "improviser/other" if rng.random() < 0.2 else "improviser/improviser"
        topic = rng.choice(("event/out", "status")) if base.endswith("other") and rng.random() < 0.9 else topic
        full = f"{base}/{topic}"
        if rng.random() < 0.1:
            full += rng.choice(STRINGS).encode(errors="replace").decode()  # a topic is UTF-8, or the client drops it
        correlation = rng.choice((None, b"", b"\xff" * 20))
        return Received(full, self._payload(rng, parameter, topic), rng.random() < 0.05, correlation)

    def _payload(self, rng: random.Random, parameter: str, topic: str) -> bytes:
        what = rng.random()
        if topic == "event/out":
            return json_text(mutate_value(self._NOTE, rng) if what < 0.7 else self._NOTE, rng)
        if what < 0.2:
            payload = rng.choice(self._WORDS)
        elif what < 0.4:
            payload = json_text(getattr(Parameters(), parameter, SMALL), rng, ("utf-8",))
        elif what < 0.7:
            payload = json_text(some_value(rng), rng)
        else:
            payload = json_text({"value": some_value(rng)}, rng)
        return mutate_bytes(payload, rng) if rng.random() < 0.25 else payload
