"""Files as nobody should send them, of each kind that a command reads: made by our own writers, and then damaged."""

import json
import os
import random
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from improviser.core.echo.network import EchoNetwork, EchoShape
from improviser.core.live.parameters.table import Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.codec import decode, encode
from improviser.engine.protocol import Applied, Loaded, Lost, Noticed, Picked, Played, Ready, Report, Step, Turned
from improviser.library import catalogue, model_file
from improviser.recordings import log
from improviser.settings.explained import EXAMPLES, all_explained
from improviser.settings.schema import KEYS
from improviser.settings.toml import as_toml
from tests.core.echo.test_model import model as echo_model
from tests.core.harmony.duets import a_model as harmony_model
from tests.core.melody.test_melody import a_model as melody_model
from tests.fuzz.mutations import json_text, mutate_bytes, mutate_sequence, mutate_value, some_value
from tests.hostile_text import HOSTILE_NAME
from tests.melodies import write_melody

TUNE, MODEL = "tune.mid", "small.safetensors"


@dataclass(frozen=True)
class Command:
    """What to run, with which variables; a run that fails leaves no `output`."""

    arguments: tuple[str, ...]
    output: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()


class FileKind:
    """A kind of file, and the commands that read it.

    :param shared: a folder for what is sound: a tune and a model.
    """

    suffixes: ClassVar[Sequence[str]]

    def __init__(self, shared: Path) -> None:
        self.tune, self.model = str(shared / TUNE), str(shared / MODEL)
        if not (shared / TUNE).exists():
            write_melody(shared / TUNE)
            model_file.write(shared / MODEL, catalogue.take_apart(echo_model(), {"seed": 7}))

    def content(self, rng: random.Random) -> bytes:
        """Return what a file holds, damaged."""
        raise NotImplementedError

    def command(self, rng: random.Random, path: Path) -> Command:
        """Return what to do with the file at `path`; outputs go beside it."""
        raise NotImplementedError

    def case(self, rng: random.Random, folder: Path) -> Command:
        """Write a file into an empty folder; return what to do with it."""
        name = HOSTILE_NAME if rng.random() < 0.1 else "case"
        path = folder / f"{name}{rng.choice(self.suffixes)}"
        path.write_bytes(self.content(rng))
        return self.command(rng, path)


class Models(FileKind):
    """Model files of each task."""

    suffixes = (".safetensors",)

    def __init__(self, shared: Path) -> None:
        super().__init__(shared)
        said = {"seed": 7, "sources": [{"name": "a", "sha256": "b"}], "scores": {"bits": 1.5}, "by": ["x"]}
        made = (echo_model(), echo_model("matrix"), harmony_model(), melody_model())
        self._files = [model_file.encode(catalogue.take_apart(model, said)) for model in made]

    def content(self, rng: random.Random) -> bytes:
        data = rng.choice(self._files)
        if rng.random() < 0.25:
            return mutate_bytes(data, rng)
        (length,) = struct.unpack_from("<Q", data)
        header, arrays = json.loads(data[8 : 8 + length]), data[8 + length :]
        what = rng.random()
        if what < 0.3:
            header = mutate_value(header, rng)
        elif what < 0.85:
            key = rng.choice(("settings", "settings", "provenance"))
            text = json_text(mutate_value(json.loads(header["__metadata__"][key]), rng), rng)
            header["__metadata__"][key] = text.decode("utf-8", "replace")
        else:
            number = rng.choice((float("nan"), float("inf"), -1e38, 1e-45, 1e38))
            place = rng.randrange(len(arrays) // 4) * 4
            arrays = arrays[:place] + struct.pack("<f", number) + arrays[place + 4 :]
        text = json.dumps(header).encode() if what >= 0.3 else json_text(header, rng)
        return struct.pack("<Q", len(text) if rng.random() < 0.95 else rng.getrandbits(64)) + text + arrays

    def command(self, rng: random.Random, path: Path) -> Command:
        name, out = str(path), path.with_name("out.mid")
        drawn = path.with_name("out.svg")
        commands = (
            *[Command(("inspect", name)), Command(("inspect", name, "--json"))] * 2,
            Command(
                ("models", *rng.choice(((), ("--json",)))), environment=((catalogue.ENVIRONMENT, str(path.parent)),)
            ),
            Command(("render", self.tune, str(out), "--model", name), out),
            Command(("picture", name, "-o", str(drawn)), drawn),
            Command(("evaluate", name, self.tune, *rng.choice(((), ("--json",))))),
        )
        return rng.choice(commands)


class MidiFiles(FileKind):
    """MIDI files: chunks of events, in any order and of any length, and what stands around them."""

    suffixes = (".mid", ".mid", ".MID", ".midi", ".kar", ".smf", ".rmi")
    _EVENTS: ClassVar = (
        *(b"\xff\x51\x03\x07\xa1\x20", b"\xff\x51\x03\x00\x00\x00", b"\xff\x51\x03\xff\xff\xff", b"\xff\x51\x00"),
        *(b"\xff\x58\x04\x04\x02\x18\x08", b"\xff\x58\x04\x00\xff\x00\x00", b"\xff\x59\x02\x80\x01", b"\xff\x2f\x00"),
        *(b"\xff\x03\x05\x1b[31m", b"\xff\x03\xff\xff\xff\x7f", b"\xf0\x05\x7e\x00\x06\x01\xf7", b"\xf0\x02\x7e\x00"),
        *(
            b"\xf7\x01\x90",
            b"\x90\x3c\xff",
            b"\x90\xff\x40",
            b"\xc0\x80",
            b"\xe0\x00\x40",
            b"\xb0\x40\x7f",
            b"\xb0\x7b\x00",
        ),
        *(
            b"\xf1\x00",
            b"\xf4",
            b"\xfe",
            b"\x3c\x40",
            b"\x99\x24\x40",
            b"\xff\x7f\x80\x80\x80\x80\x01",
            b"\x90\x3c\x00",
        ),
    )
    _DELTAS: ClassVar = (
        b"\0",
        b"\0",
        b"\x60",
        b"\x83\x60",
        b"\xff\xff\xff\x7f",
        b"\xff\xff\xff\xff\xff",
        b"\x80\x80\x00",
    )

    def content(self, rng: random.Random) -> bytes:
        division = rng.choice((480,) * 20 + (96, 1, 0x7FFF, 0xE728, 0, 0x8000, 0xFFFF))
        tracks = [self._track(rng) for _ in range(rng.choice((1, 1, 2, 3, 16)))]
        count = len(tracks) if rng.random() < 0.9 else rng.choice((0, 1, 65535))
        chunks = [(b"MThd", struct.pack(">HHH", rng.choice((1,) * 20 + (0, 2, 9)), count, division)), *tracks]
        if rng.random() < 0.3:
            chunks = mutate_sequence(
                chunks, rng, lambda chunk: (rng.choice((chunk[0], b"XFIH")), mutate_bytes(chunk[1], rng))
            )
        data = b"".join(
            tag
            + struct.pack(">I", len(body) if rng.random() < 0.97 else rng.choice((0, len(body) * 3, 2**32 - 1)))
            + body
            for tag, body in chunks
        )
        if rng.random() < 0.15:
            pad = b"\0" * (len(data) % 2)
            riff = b"RMID" + b"data" + struct.pack("<I", len(data)) + data + pad
            data = b"RIFF" + struct.pack("<I", len(riff)) + riff
        elif rng.random() < 0.05:
            data = b"\0" * 128 + data
        return mutate_bytes(data, rng) if rng.random() < 0.3 else data

    def _track(self, rng: random.Random) -> tuple[bytes, bytes]:
        body = bytearray()
        for _ in range(rng.choice((0, 3, 20, 200))):
            pitch, channel = rng.randrange(36, 96), rng.choice((0, 0, 0, 1, 9, 15))
            body += rng.choice((b"\0", b"\x60", b"\x83\x60")) + bytes((0x90 | channel, pitch, rng.randrange(128)))
            body += b"\x60" + bytes((0x80 | channel, pitch, 64)) if rng.random() < 0.9 else b""
            if rng.random() < 0.01:
                body += rng.choice(self._DELTAS) + rng.choice(self._EVENTS)
        return b"MTrk", bytes(body) + (b"\0\xff\x2f\0" if rng.random() < 0.9 else b"")

    def command(self, rng: random.Random, path: Path) -> Command:
        name = str(path)
        out, drawn, page = (path.with_name(f"out{suffix}") for suffix in (".mid", ".svg", ".html"))
        commands = (
            Command(("render", name, str(out), "--model", self.model), out),
            Command(("render", name, str(out), "--model", self.model, "--with-input"), out),
            Command(("picture", name, "-o", str(drawn)), drawn),
            Command(("evaluate", self.model, name)),
            Command(("evaluate", self.model, str(path.parent), "--json")),
        )
        # A page holds its sound, which takes a while.
        return Command(("report", name, "-o", str(page)), page) if rng.random() < 0.05 else rng.choice(commands)


class Logs(FileKind):
    """Sessions' logs: what an engine reports, in lines."""

    suffixes = (".jsonl",)

    def __init__(self, shared: Path) -> None:
        super().__init__(shared)
        self._lines = [
            [json.loads(log.encode(entry)) for entry in self._session(mode)] for mode in ("shadow", "answer")
        ]

    @staticmethod
    def _session(mode: str) -> list[Report]:
        parameters = Parameters(mode=mode)
        performer = Performer([catalogue.load_model("echo")], parameters, np.random.default_rng(1))
        loaded = [Loaded("echo", catalogue.digest("echo"))]
        entries: list[Report] = [
            log.Header(
                format=log.FORMAT, version=log.VERSION, program="improviser", numpy=np.__version__, began="2026"
            ),
            Ready("loopback", "loopback", "loopback", loaded, asdict(parameters), 1),
        ]

        def sent(events: Sequence[Any]) -> list[bytes]:
            for event in events:
                performer.sent(event)
            performer.settle()
            return [encode(event) for event in events]

        for number in range(40):
            now = number * 0.2
            while (due := performer.deadline) is not None and due <= now:
                entries.append(Played(due, sent(performer.advance(due).events), "timer", 0.001))
            message = bytes((0x80 if number % 2 else 0x90, 60 + number // 2 % 7, 64))
            event = decode(message)
            assert event is not None
            entries.append(Step(now, message, sent(performer.hear(event, now).events), 0.0001))
        entries.append(Applied("temperature", 1.5, None, 9.0, sent(performer.change("temperature", 1.5, 9.0))))
        entries += [Played(9.5, sent(performer.panic())), Noticed("a notice"), log.End()]
        others: list[Report] = [
            Turned("low", 3),
            Picked(3, 5),
            Lost(2),
            Applied("model", ["echo"], None, 8, [], loaded),
        ]
        entries[30:30] = others[:1] if mode == "answer" else []
        return entries

    def content(self, rng: random.Random) -> bytes:
        lines = rng.choice(self._lines)
        what = rng.random()
        if what < 0.6:
            lines = list(lines)
            for _ in range(rng.randint(1, 2)):
                place = rng.choice((0, 1, rng.randrange(len(lines)), rng.randrange(len(lines))))
                lines[place] = mutate_value(lines[place], rng, 2)
        elif what < 0.8:
            lines = mutate_sequence(lines, rng, lambda line: mutate_value(line, rng, 2))
        texts = [json_text(line, rng, ("utf-8",)) for line in lines]
        data = b"\n".join(text.replace(b"\n", b" ") for text in texts) + b"\n"
        return mutate_bytes(data, rng) if what >= 0.8 else data

    def command(self, rng: random.Random, path: Path) -> Command:
        name = str(path)
        out, drawn, page = (path.with_name(f"out{suffix}") for suffix in (".mid", ".svg", ".html"))
        commands = (
            *[Command(("replay", name)), Command(("replay", name, str(out)), None)] * 3,
            Command(("picture", name, "-o", str(drawn)), drawn),
        )
        return Command(("report", name, "-o", str(page)), page) if rng.random() < 0.05 else rng.choice(commands)


class SettingsFiles(FileKind):
    """Files of settings, and variables of the environment."""

    suffixes = (".toml",)

    def content(self, rng: random.Random) -> bytes:
        lines = all_explained().split("\n") if rng.random() < 0.2 else []
        for name in rng.sample(sorted(KEYS), rng.choice((1, 2, 8, 30))):
            value = EXAMPLES.get(name, KEYS[name].default)
            if rng.random() < 0.6:
                value = mutate_value(value, rng, 2) if rng.random() < 0.6 else some_value(rng)
            lines.append(f"{name} = {self._written(value)}")
        if rng.random() < 0.3:
            lines += [
                f"[{rng.choice(('profile.x', 'profile', 'x', 'profile.x.y', 'controls', '[profile]'))}]",
                *lines[-3:],
            ]
        if rng.random() < 0.4:
            lines = mutate_sequence(
                lines, rng, lambda line: mutate_bytes(line.encode(errors="replace"), rng).decode("latin-1")
            )
        data = "\n".join(lines).encode("utf-8", "surrogatepass")
        return mutate_bytes(data, rng) if rng.random() < 0.3 else data

    @staticmethod
    def _written(value: Any) -> str:
        try:
            return as_toml(value)
        except (TypeError, ValueError, RecursionError):
            return str(value)

    def command(self, rng: random.Random, path: Path) -> Command:
        profile = ("--profile", rng.choice(("x", "y", "", HOSTILE_NAME))) if rng.random() < 0.3 else ()
        if rng.random() < 0.7:
            return Command(("config", "check", str(path), *profile))
        drawn = {
            KEYS[name].variable: self._variable(rng, name) for name in rng.sample(sorted(KEYS), rng.choice((1, 1, 3)))
        }
        return Command(("config", "check", *profile), environment=tuple(drawn.items()))

    def _variable(self, rng: random.Random, name: str) -> str:
        value = EXAMPLES.get(name, KEYS[name].default) if rng.random() < 0.3 else some_value(rng)
        data = (value if isinstance(value, str) else self._written(value)).encode("utf-8", "replace")
        return os.fsdecode(mutate_bytes(data, rng) if rng.random() < 0.5 else data).replace("\0", "")


class OriginalModels(FileKind):
    """Models of the original's: JSON."""

    suffixes = (".json",)

    def content(self, rng: random.Random) -> bytes:
        networks = [self._network(rng) for _ in range(rng.choice((1, 1, 3)))]
        value = mutate_value(networks, rng) if rng.random() < 0.7 else networks
        data = json_text(value, rng)
        return mutate_bytes(data, rng) if rng.random() < 0.3 else data

    @staticmethod
    def _network(rng: random.Random) -> list[Any]:
        sizes = (rng.randint(1, 12), *(rng.randint(1, 8) for _ in range(rng.randint(0, 3))), 1)
        kind = rng.choice(("object", "matrix"))
        shape = EchoShape(sizes, "object" if kind == "object" else "matrix")
        genome = np.random.default_rng(rng.getrandbits(32)).random(shape.genome_size, np.float32)
        layers: list[Any] = [layer.tolist() for layer in EchoNetwork.of_genome(shape, genome).weights]
        return [*layers, [[]]] if kind == "object" else layers

    def command(self, rng: random.Random, path: Path) -> Command:
        out = path.with_name("out.safetensors")
        index = ("--index", str(rng.choice((0, 1, -1, 2**63)))) if rng.random() < 0.2 else ()
        return Command(("import-bach-generator", str(path), str(out), *index), out)
