"""Whatever a log holds, it is read, or refused in one line: never a traceback, a run or a line without end."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from improviser.cli import app
from improviser.core.networks.responder import Model
from improviser.engine.protocol import AnyReport, Applied, Loaded, Played, Step
from improviser.library import former
from improviser.recordings.log import FORMAT, LARGEST_LOG, VERSION, End, Header, encode
from tests.benchmarks.long_log import reports

NOTES = 14


def lines_of(mode: str) -> list[bytes]:
    header = Header(format=FORMAT, version=VERSION, program="x", numpy="x", began="x")
    session = list(reports(NOTES, "bach-bass", mode))
    end = [Applied("low", 0, "an error", 100.0), Played(100.5, [])]
    return [encode(entry) for entry in (header, *session, *end, End())]


@pytest.fixture(scope="module", params=["shadow", "solo", "answer"])
def lines(request: pytest.FixtureRequest) -> list[bytes]:
    return lines_of(request.param)


def run(path: Path) -> dict[str, tuple[int, str]]:
    """Have each command that reads logs read one; return exit codes and what they said."""
    found = {}
    commands: dict[str, list[str]] = {
        "replay": [],
        "replay OUT": [str(path.with_suffix(".mid"))],
        "report": ["-o", str(path.with_suffix(".html"))],
        "picture": ["-o", str(path.with_suffix(".svg"))],
    }
    for command, options in commands.items():
        result = CliRunner().invoke(app, [command.split()[0], str(path), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), (command, result.exception)
        assert result.exit_code in (0, 1, 2)
        if result.exit_code == 2:
            assert result.output.startswith("improviser: error: ")
            assert len(result.output.splitlines()) == 1
            assert len(result.output) < 1000
        found[command] = result.exit_code, result.output
    return found


def changed(line: bytes, **values: Any) -> bytes:
    return json.dumps(json.loads(line) | values).encode() + b"\n"


def first(lines: list[bytes], kind: str) -> int:
    return next(number for number, line in enumerate(lines) if json.loads(line)["type"] == kind)


def test_a_sound_log_is_read(lines: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(b"".join(lines))
    found = run(path)
    assert {found["report"][0], found["picture"][0]} == {0}
    assert "at 100.500 s" in found["replay"][1]  # the panic at the end would have had something to end


@pytest.mark.parametrize("stamp", [1e308, -1e308, 1e300, 1e18, 1.1e9])
@pytest.mark.parametrize("kind", ["step", "applied", "played"])
def test_a_time_that_no_session_has_is_refused(lines: list[bytes], tmp_path: Path, kind: str, stamp: float) -> None:
    damaged = list(lines)
    at = first(lines, kind)
    damaged[at] = changed(lines[at], stamp=stamp)
    (tmp_path / "session.jsonl").write_bytes(b"".join(damaged))
    for command, (code, said) in run(tmp_path / "session.jsonl").items():
        assert code == 2, command
        assert f"damaged in line {at + 1}" in said


@pytest.mark.parametrize("stamp", [1e9, 1e8, -1e9, 0.0])
def test_a_time_that_a_session_may_have_is_none_to_wait_for(lines: list[bytes], tmp_path: Path, stamp: float) -> None:
    damaged = list(lines)
    middle = len(lines) // 2
    damaged[middle] = changed(lines[middle], stamp=stamp)
    (tmp_path / "session.jsonl").write_bytes(b"".join(damaged))
    assert run(tmp_path / "session.jsonl")["report"][0] == 0


NOT_TEXT = (b"\xff\xfe", b"\x80", b"\xed\xa0\x80", b"\0", b"\x1b[2J", b"\\ud800", b"\\u0000")


@pytest.mark.parametrize("bytes_", NOT_TEXT)
@pytest.mark.parametrize("key", [b'"type":"', b'"program":"', b'"api":"', b'"mode":"', b'"parameter":"', b'"heard":"'])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, key: bytes, bytes_: bytes) -> None:
    whole = b"".join(lines_of("shadow"))
    at = whole.index(key) + len(key)
    (tmp_path / "session.jsonl").write_bytes(whole[:at] + bytes_ + whole[at:])
    run(tmp_path / "session.jsonl")


READY: dict[str, Callable[[dict[str, Any]], object]] = {
    "a negative seed": lambda ready: ready.update(seed=-1),
    "a temperature below 0": lambda ready: ready["parameters"].update(temperature=-1),
    "no temperature": lambda ready: ready["parameters"].update(temperature="hot"),
    "a pitch that is none": lambda ready: ready["parameters"].update(high=10**9),
    "another pitch that is none": lambda ready: ready["parameters"].update(low=-5, high=-1),
    "an endless loudness": lambda ready: ready["parameters"].update(velocity_scale=1e308, velocity_curve=1e308),
    "a delay that is none": lambda ready: ready["parameters"].update(delay=-1.0),
    "a channel that is none": lambda ready: ready["parameters"].update(channel=99),
    "a grid that is none": lambda ready: ready["parameters"].update(quantise="1/7"),
    "no scale": lambda ready: ready["parameters"].update(scale=None),
    "knobs that turn nothing": lambda ready: ready["parameters"].update(controls={"nothing": 3}),
    "knobs that are none": lambda ready: ready["parameters"].update(controls=7),
    "a parameter that is none": lambda ready: ready["parameters"].update(nothing=3),
    "a setting that is no parameter": lambda ready: ready["parameters"].update(name="x"),
    "no parameters": lambda ready: ready.update(parameters=[]),
    "a model without a name": lambda ready: ready.update(models=[{"name": "", "sha256": ""}]),
    "a model with too long a name": lambda ready: ready.update(models=[{"name": "x" * 100_000, "sha256": ""}]),
    "a thousand models": lambda ready: ready.update(models=ready["models"] * 1000),
    "a model that is a list": lambda ready: ready.update(models=[["bach-bass"]]),
}


@pytest.mark.parametrize("what", READY)
def test_an_engine_that_cannot_have_been_is_refused(tmp_path: Path, what: str) -> None:
    lines = lines_of("shadow")
    ready = json.loads(lines[1])
    READY[what](ready)
    lines[1] = json.dumps(ready).encode() + b"\n"
    (tmp_path / "session.jsonl").write_bytes(b"".join(lines))
    found = run(tmp_path / "session.jsonl")
    assert found["replay"][0] == found["replay OUT"][0] == 2
    assert not (tmp_path / "session.mid").exists()


@pytest.mark.parametrize(
    "change",
    [
        Applied("temperature", -1.0, None, 3.0),
        Applied("temperature", "nan", None, 3.0),
        Applied("velocity_curve", 1e308, None, 3.0),
        Applied("low", 2**62, None, 3.0),
        Applied("scale", ["D minor"], None, 3.0),
        Applied("controls", {"controls": 1}, None, 3.0),
        Applied("seed", 3, None, 3.0),
        Applied("x" * 10_000, 3, None, 3.0),
        Applied("model", ["x"], None, 3.0, [], [Loaded("/dev/zero", "")]),
        Step(3.0, b"", [], 0.0),
        Step(3.0, b"\xf0\x01\x02", [], 0.0),
        Step(3.0, bytes(100_000), [], 0.0),
    ],
    ids=lambda change: repr(change)[:40],
)
def test_a_change_that_cannot_have_been_is_refused(tmp_path: Path, change: AnyReport) -> None:
    lines = lines_of("shadow")
    lines.insert(4, encode(change))
    (tmp_path / "session.jsonl").write_bytes(b"".join(lines))
    assert run(tmp_path / "session.jsonl")["replay"][0] == 2


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"type":"applied","parameter":"x","value":' + b'[{"a":' * 100_000,
        b'{"type":"lost","count":-5}',
        b'{"type":"lost","count":' + b"9" * 5000 + b"}",
        b'{"type":"step","stamp":1,"heard":"kDxA","played":[],"latency_seconds":1e999}',
        b'{"type":"step","stamp":1,"heard":"kDxA","played":[],"latency_seconds":-1}',
        b'{"type":"step","stamp":NaN,"heard":"kDxA","played":[],"latency_seconds":1}',
        b'{"type":"played","stamp":1,"played":[],"cause":"timer","late_seconds":1e300}',
        b'{"type":"' + b"x" * 100_000 + b'"}',
        b'{"type":"step",' * 3,
        b"null",
        b" " * (1 << 21),
    ],
    ids=lambda line: repr(line[:30]),
)
def test_a_line_that_is_none_is_refused(tmp_path: Path, line: bytes) -> None:
    lines = lines_of("shadow")
    lines.insert(3, line + b"\n")
    (tmp_path / "session.jsonl").write_bytes(b"".join(lines))
    found = run(tmp_path / "session.jsonl")
    assert {code for code, _ in found.values()} == {2}


def test_of_a_key_that_comes_twice_the_last_counts(tmp_path: Path) -> None:
    lines = lines_of("solo")
    lines[3] = b'{"stamp":1e308,' + lines[3][1:]
    (tmp_path / "session.jsonl").write_bytes(b"".join(lines))
    assert run(tmp_path / "session.jsonl")["report"][0] == 0


def test_a_file_that_is_too_large_for_a_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    with path.open("wb") as file:
        file.truncate(LARGEST_LOG + 1)
    for code, said in run(path).values():
        assert code == 2
        assert "are the most" in said


def test_a_long_log_needs_no_memory(tmp_path: Path) -> None:
    """What is replayed is forgotten at once; of a hundred thousand notes nothing could stay."""
    import tracemalloc

    from improviser.recordings.log import read
    from improviser.recordings.replaying import replay

    peaks = []
    for notes in (200, 1000):
        header = Header(format=FORMAT, version=VERSION, program="x", numpy="x", began="x")
        path = tmp_path / f"{notes}.jsonl"
        path.write_bytes(b"".join(map(encode, (header, *reports(notes, "echo", "shadow"), End()))))
        replay([read(path)])  # whatever is loaded only once is loaded
        tracemalloc.start()
        assert replay([read(path)]).difference is None
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_model_that_a_log_asks_for_again_and_again_is_loaded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    real = former.load

    def load(name: str, sha256: str) -> Model:
        loaded.append(name)
        return real(name, sha256)

    monkeypatch.setattr(former, "load", load)
    lines = lines_of("shadow")
    ready = json.loads(lines[1])["models"][0]
    swap = encode(Applied("model", ["bach-bass"], None, 20.0, [], [Loaded(ready["name"], ready["sha256"])]))
    (tmp_path / "session.jsonl").write_bytes(b"".join([*lines[:2], *[swap] * 100, lines[-1]]))
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "session.jsonl")])
    assert result.exit_code == 0
    assert loaded == ["bach-bass"]
