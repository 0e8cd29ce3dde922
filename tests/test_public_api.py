"""The public face: all of it, through `import improviser` and nothing else."""

import contextlib
import doctest
import inspect
import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import improviser
from improviser import Note, errors

ROOT = Path(__file__).parents[1]
BUNDLED = ("bach-bass", "bach-tenor", "bach-melody", "echo")
TUNE = (72, 74, 76, 77, 79, 77, 76, 74, 72, 71, 72, 74, 76, 76, 74, 74)
PARAMETERS = improviser.parameters()


def line(pitches: Sequence[int], seconds: float = 0.5, start: float = 0.0) -> list[Note]:
    """Return a line of notes, one after the other."""
    return [Note(pitch, start + place * seconds, 0.9 * seconds) for place, pitch in enumerate(pitches)]


@pytest.fixture(scope="module")
def models() -> dict[str, improviser.Model]:
    return {name: improviser.load_model(name) for name in BUNDLED}


def refused(call: Callable[[], object], kind: type[errors.ImproviserError]) -> str:
    """Check that a call is refused by an error of its kind, in one line; return that."""
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    assert text
    assert text.isprintable(), text
    assert len(text) < 1000
    return text


# The surface.


def test_every_public_name_says_what_it_is() -> None:
    assert sorted(improviser.__all__) == improviser.__all__ or set(improviser.__all__) <= set(dir(improviser))
    for name in improviser.__all__:
        thing = getattr(improviser, name)
        assert len(inspect.getdoc(thing) or "") > 40, name
        for method, value in vars(thing).items() if inspect.isclass(thing) else ():
            if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                assert inspect.getdoc(value), f"{name}.{method}"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = improviser.nothing  # type: ignore[attr-defined]


def test_the_examples_in_docstrings_run() -> None:
    ran = set()
    for name in improviser.__all__:
        for test in doctest.DocTestFinder(exclude_empty=True).find(getattr(improviser, name), name):
            if test.examples:
                result = doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None)
                assert result.failed == 0, test.name
                ran.add(test.name)
    assert ran >= {"Model.distribution", "Model.session", "Performer", "load_model", "parameters", "render", "train"}


def test_the_import_is_light() -> None:
    """Also with all that is asked for by name alone: whoever wants a version waits for no numpy."""
    script = "import sys, improviser; dir(improviser); improviser.Note(60, 0, 1); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "msgspec", "rtmidi", "mido", "typer", "safetensors"} & set(loaded)


SCRIPT = """\
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from numpy.typing import NDArray
import improviser

model: improviser.Model = improviser.load_model("bach-bass")
note = improviser.Note(72, 0.0, 0.5)
chances: NDArray[np.float64] = model.distribution([note], onset_seconds=0.5, player=(note,), candidates=[48, 50])
session: improviser.Session = model.session()
more: NDArray[np.float64] = session.distribution(0.5, player=[note])
session.learn(note)
performer = improviser.Performer([model], seed=1, mode="answer", temperature=0.5)
sent: list[bytes] = performer.hear(b"\\x90\\x3c\\x40", 0.0) + performer.advance(1.0) + performer.panic()
sent += performer.change("density", 0.5, 1.0) + performer.swap((model,), 2.0)
due: float | None = performer.deadline
with ThreadPoolExecutor() as executor:
    trained: improviser.Model = improviser.train("songs", task="echo", executor=executor, layers=(20, 20))
notes: list[improviser.Note] = improviser.render([note], model, temperature=0.5)
low: float | None = improviser.parameters()["temperature"].low
error: type[Exception] = improviser.errors.ConfigError
performer.hear("not bytes", 0.0)  # type: ignore[arg-type]
model.distribution([note])  # type: ignore[call-arg]
improviser.train("songs")  # type: ignore[call-arg]
improviser.lod_model("bach-bass")  # type: ignore[attr-defined]
"""


@pytest.mark.slow
def test_a_users_script_is_typed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    # With the options of the checks of the whole, strict ones too, what these have left in their cache counts here.
    command = [sys.executable, "-m", "mypy", str(script)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


# Notes.


@pytest.mark.parametrize(
    "wrong",
    [
        (128, 0.0, 1.0),
        (-1, 0.0, 1.0),
        (60.5, 0.0, 1.0),
        ("C4", 0.0, 1.0),
        (60, float("nan"), 1.0),
        (60, "now", 1.0),
        (60, 0.0, -1.0),
        (60, 0.0, None),
        (60, 0.0, float("inf")),
        (60, 0.0, 1.0, 0),
        (60, 0.0, 1.0, 128),
        (60, 0.0, 1.0, "loud\n\x1b[31m"),
    ],
)
def test_what_is_no_note_is_refused(wrong: tuple[Any, ...]) -> None:
    refused(lambda: Note(*wrong), errors.NoteError)
    assert issubclass(errors.NoteError, ValueError)


# Models, asked.


@pytest.mark.parametrize("name", BUNDLED)
def test_a_distribution_is_one(name: str, models: dict[str, improviser.Model]) -> None:
    model = models[name]
    own, player = line([pitch - 24 for pitch in TUNE]), line(TUNE)
    for heard in range(5):
        for listening in ((), player[: heard + 1]):
            arguments: dict[str, Any] = {"onset_seconds": heard * 0.5, "player": listening}
            chances = model.distribution(own[:heard], **arguments)
            assert chances.shape == (128,)
            assert chances.dtype == np.float64
            assert chances.min() >= 0
            assert chances.sum() == pytest.approx(1, abs=1e-12)
            assert (model.distribution(tuple(own[:heard]), **arguments) == chances).all(), "stateless"
            some = model.distribution(own[:heard], candidates=[50, 48, 60], **arguments)
            array: Any = np.array([50, 48, 60])
            assert (model.distribution(own[:heard], candidates=array, **arguments) == some).all()
            assert some.shape == (3,)
            assert some.dtype == np.float64
            assert some.sum() == pytest.approx(1, abs=1e-12)
            if chances[[50, 48, 60]].sum() > 1e-3:
                assert some == pytest.approx(chances[[50, 48, 60]] / chances[[50, 48, 60]].sum(), rel=1e-6)


def pieces() -> SearchStrategy[list[tuple[int, float, int | None]]]:
    """Notes of a player, the time to the next, and what the voice plays to each, if it does."""
    pitch = st.integers(0, 127)
    return st.lists(st.tuples(pitch, st.sampled_from([0.0, 0.005, 0.25, 0.5, 2.0]), st.none() | pitch), max_size=12)


@pytest.mark.parametrize("name", BUNDLED)
@settings(deadline=None, max_examples=25)
@given(piece=pieces(), alone=st.lists(st.booleans(), min_size=12, max_size=12), lag=st.sampled_from([0.0, 0.004, 0.1]))
@example(piece=[(60, 0.5, 48), (62, 0.0, 50), (64, 0.0, None), (65, 0.5, 41)], alone=[False] * 12, lag=0.0)
def test_a_session_answers_as_the_model_does(
    name: str,
    models: dict[str, improviser.Model],
    piece: list[tuple[int, float, int | None]],
    alone: list[bool],
    lag: float,
) -> None:
    """Also where the player is there only now and then, notes come together, and the voice lags behind."""
    model, session = models[name], models[name].session()
    own: list[Note] = []
    player: list[Note] = []
    now = 0.0
    for (pitch, gap, played), without in zip(piece, alone, strict=False):
        player.append(Note(pitch, now, 0.2))
        heard = () if without else tuple(player)
        for candidates in (None, [40, 52, 64]):
            wanted = model.distribution(own, onset_seconds=now, player=heard, candidates=candidates)
            assert (session.distribution(now, player=heard, candidates=candidates) == wanted).all()
        if played is not None:
            own.append(Note(played, now + lag, 0.3))
            session.learn(own[-1])
        now += gap


@pytest.mark.parametrize("name", BUNDLED)
def test_a_session_may_learn_out_of_order(name: str, models: dict[str, improviser.Model]) -> None:
    model, session = models[name], models[name].session()
    own, player = line([pitch - 24 for pitch in TUNE]), line(TUNE)
    learned: list[Note] = []
    for note in (*own[4:8], *own[:4]):
        session.learn(note)
        learned.append(note)
        asked = session.distribution(5.0, player=player[:9])
        assert (asked == model.distribution(learned, onset_seconds=5.0, player=player[:9])).all()


@pytest.mark.parametrize("name", BUNDLED)
def test_a_session_takes_in_each_note_once(name: str, models: dict[str, improviser.Model]) -> None:
    """How much work a note is, does not depend on how many there were."""
    own, player = line([pitch - 24 for pitch in TUNE] * 8), line(TUNE * 8)
    session = models[name].session()
    calls: list[int] = []

    def count(_frame: object, event: str, _argument: object) -> None:
        calls[-1] += event == "call"

    for place, note in enumerate(own):
        session.learn(note)
        calls.append(0)
        sys.setprofile(count)
        session.distribution((place + 1) * 0.5, player=player[: place + 2])
        sys.setprofile(None)
    assert max(calls[-20:]) < 3 * max(calls[10:30])


@pytest.mark.parametrize("name", BUNDLED)
def test_a_model_refuses_what_it_cannot_be_asked(name: str, models: dict[str, improviser.Model]) -> None:
    model, tune = models[name], line(TUNE)
    wrong: list[dict[str, Any]] = [
        {"onset_seconds": float("nan")},
        {"onset_seconds": "soon"},
        {"onset_seconds": 1.0, "candidates": []},
        {"onset_seconds": 1.0, "candidates": [60, 128]},
        {"onset_seconds": 1.0, "candidates": [60.5]},
        {"onset_seconds": 1.0, "player": [60, 62]},
        {"onset_seconds": 1.0, "player": [tune[0], "x"]},
    ]
    for arguments in wrong:
        refused(lambda arguments=arguments: model.distribution(tune[:2], **arguments), errors.NoteError)  # type: ignore[misc]
    refused(lambda: model.distribution([(60, 0.0, 1.0)], onset_seconds=1.0), errors.NoteError)  # type: ignore[list-item]
    refused(lambda: model.session().learn("x"), errors.NoteError)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["nowhere", "folder/nowhere.safetensors", "", "x\x1b[2J\n", 5, None, b"echo"])
def test_what_is_no_model_is_refused(wrong: Any) -> None:
    refused(lambda: improviser.load_model(wrong), errors.ModelError)


# Parameters.


def test_the_parameters_are_those_of_a_performer() -> None:
    performer = improviser.Performer([])
    assert {name: one.default for name, one in PARAMETERS.items()} == performer.parameters
    for name, one in PARAMETERS.items():
        assert one.name == name
        assert one.help.endswith(".")
        assert one.allowed
        if one.low is not None and one.high is not None:
            assert one.low <= one.default <= one.high
            for value in (one.low - 1, one.high + 1, float("nan"), "x", None):
                refused(lambda name=name, value=value: performer.change(name, value, 0.0), errors.ConfigError)  # type: ignore[misc]
        if one.choices:
            assert one.default in one.choices
            for choice in one.choices:
                performer.change(name, choice, 0.0)
                assert performer.parameters[name] == choice
            refused(lambda name=name: performer.change(name, "x", 0.0), errors.ConfigError)  # type: ignore[misc]
        assert improviser.Performer([], **{name: one.default}).parameters[name] == one.default


# Performing.


class Synth:
    """What sounds at the other end of the messages."""

    def __init__(self) -> None:
        self.notes: set[tuple[int, int]] = set()
        self.held: dict[tuple[int, int], int] = {}

    def take(self, messages: Iterable[bytes]) -> None:
        for message in messages:
            assert 2 <= len(message) <= 3, message
            assert message[0] >= 0x80
            assert all(byte < 0x80 for byte in message[1:])
            kind, channel = message[0] & 0xF0, message[0] & 0x0F
            if kind == 0x90:
                assert message[2] > 0
                assert (channel, message[1]) not in self.notes, "started twice"
                self.notes.add((channel, message[1]))
            elif kind == 0x80:
                self.notes.discard((channel, message[1]))
            elif kind == 0xB0 and message[1] in (64, 66):
                self.held[channel, message[1]] = message[2]
            elif kind == 0xE0:
                self.held[channel, -1] = (message[2] << 7 | message[1]) - (1 << 13)

    @property
    def at_rest(self) -> bool:
        return not self.notes and not any(self.held.values())


def down(pitch: int, velocity: int = 80, channel: int = 0) -> bytes:
    return bytes((0x90 | channel, pitch, velocity))


def up(pitch: int, channel: int = 0) -> bytes:
    return bytes((0x80 | channel, pitch, 64))


def tune_of(pitches: Sequence[int], seconds: float = 0.4) -> list[tuple[float, bytes]]:
    """Return stamped messages of a line."""
    return [
        stamped
        for place, pitch in enumerate(pitches)
        for stamped in ((place * seconds, down(pitch)), ((place + 0.9) * seconds, up(pitch)))
    ]


def note_ons(messages: Iterable[bytes]) -> list[int]:
    return [message[1] for message in messages if message[0] & 0xF0 == 0x90]


def test_every_note_is_answered_at_once_and_ends_with_its_key(models: dict[str, improviser.Model]) -> None:
    performer = improviser.Performer([models["bach-bass"], models["bach-tenor"]], seed=1, guard=False)
    synth = Synth()
    for now, message in tune_of(TUNE):
        answer = performer.hear(message, now)
        synth.take(answer)
        assert len(answer) == 2
    assert synth.at_rest
    assert performer.deadline is None


def test_the_same_seed_gives_the_same_messages_and_another_does_not(models: dict[str, improviser.Model]) -> None:
    played = []
    for seed in (1, 1, 2):
        performer = improviser.Performer([models["bach-bass"]], seed=seed, temperature=1.5)
        played.append([performer.hear(message, now) for now, message in tune_of(TUNE)])
    assert played[0] == played[1] != played[2]


def test_a_phrase_is_replied_to_when_its_time_has_come(models: dict[str, improviser.Model]) -> None:
    performer = improviser.Performer([models["bach-melody"]], seed=3, mode="answer", guard=False)
    assert not any(performer.hear(message, now) for now, message in tune_of(TUNE))
    synth, starts = Synth(), []
    while (due := performer.deadline) is not None:
        assert not performer.advance(due - 1e-3)
        messages = performer.advance(due)
        synth.take(messages)
        starts += [due] * len(note_ons(messages))
    assert len(starts) >= len(TUNE) // 2
    assert starts == sorted(starts)
    assert starts[0] > len(TUNE) * 0.4 - 0.4
    assert synth.at_rest


@pytest.mark.parametrize("mode", ["answer", "solo"])
def test_how_often_advance_is_called_changes_nothing(mode: str, models: dict[str, improviser.Model]) -> None:
    sent = []
    for step in (0.01, 0.37, 30.0):
        performer = improviser.Performer([models["bach-melody"], models["bach-bass"]], seed=3, mode=mode, guard=False)
        messages = [message for now, heard in tune_of(TUNE) for message in performer.hear(heard, now)]
        for place in range(1, round(30 / step) + 1):
            messages += performer.advance(6.0 + place * step)
        sent.append(messages + performer.advance(36.0))
    assert sent[0] == sent[1] == sent[2]
    assert len(note_ons(sent[0])) > 10


def test_whatever_the_clock_begins_at(models: dict[str, improviser.Model]) -> None:
    """Such as `time.time()`, or a count down to a start: what counts is what lies between."""
    for start in (-2048.0, 0.0, 2.0**30):
        performer = improviser.Performer([models["bach-melody"]], seed=3, mode="answer", guard=False)
        for now, heard in tune_of(TUNE):
            performer.hear(heard, start + now)
        assert performer.deadline is not None
        assert performer.deadline - start < len(TUNE) * 0.4 + 10
        assert len(note_ons(performer.advance(start + 60))) > 5


def test_time_does_not_go_back(models: dict[str, improviser.Model]) -> None:
    ahead, back = (improviser.Performer([models["bach-melody"]], seed=3, mode="answer", guard=False) for _ in range(2))
    for place, (now, heard) in enumerate(tune_of(TUNE)):
        assert ahead.hear(heard, now) == back.hear(heard, now)
        earlier = now - 0.3 if place % 3 else now - 1e6
        assert ahead.advance(now) == back.advance(earlier)
        assert ahead.hear(b"\xb0\x01\x05", now) == back.hear(b"\xb0\x01\x05", earlier)
    assert ahead.deadline == back.deadline
    assert ahead.advance(60.0) == back.advance(60.0) != []


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf"), 1e300, "now", None])
def test_what_is_no_time_is_refused_and_changes_nothing(wrong: Any, models: dict[str, improviser.Model]) -> None:
    performer = improviser.Performer([models["echo"]], seed=1)
    refused(lambda: performer.hear(down(60), wrong), errors.NoteError)
    refused(lambda: performer.advance(wrong), errors.NoteError)
    refused(lambda: performer.change("density", 0.0, wrong), errors.NoteError)
    refused(lambda: performer.swap([], wrong), errors.NoteError)
    assert performer.parameters["density"] == 1
    assert note_ons(performer.hear(down(60), 0.0))


def test_a_long_sleep_is_no_endless_solo(models: dict[str, improviser.Model]) -> None:
    performer = improviser.Performer([models["echo"]], seed=1, mode="solo", guard=False)
    for now, heard in tune_of(TUNE):
        performer.hear(heard, now)
    synth = Synth()
    synth.take(performer.advance(60.0))
    messages = performer.advance(1e9)
    assert len(messages) < 10
    synth.take(messages)
    assert performer.deadline is not None
    assert performer.deadline > 1e9 - 1
    synth.take(performer.panic())
    assert synth.at_rest


def test_a_change_that_cannot_be_changes_nothing(models: dict[str, improviser.Model]) -> None:
    changed, spared = (improviser.Performer([models["bach-melody"]], seed=3, mode="answer") for _ in range(2))
    for now, heard in tune_of(TUNE):
        changed.hear(heard, now)
        spared.hear(heard, now)
    wrong: list[tuple[Any, Any]] = [
        ("temperature", -3),
        ("density", 7),
        ("mode", "dance"),
        ("quantise", "1/5"),
        ("scale", "H major"),
        ("low", 60.5),
        ("high", -1),
        ("controls", {"temperature": 64}),
        ("controls", {"temperature": 21, "density": 21}),
        ("controls", 5),
        ("controls", np.zeros((3, 3))),
        ("nothing", 1),
        ("", 1),
        (None, 1),
        ("mode", ["shadow"]),
        ("mode", np.array(["shadow", "answer"])),
        ("temperature", 10**6000),
        ("temperature", "x\n\x1b[31m" * 100),
    ]
    before = changed.parameters
    for name, value in wrong:
        refused(lambda name=name, value=value: changed.change(name, value, 60.0), errors.ConfigError)  # type: ignore[misc]
        assert changed.parameters == before
    changed.change("high", 80, 6.5)
    spared.change("high", 80, 6.5)
    refused(lambda: changed.change("low", 90, 60.0), errors.ConfigError)
    assert changed.deadline == spared.deadline
    assert changed.advance(60.0) == spared.advance(60.0) != []


def test_a_performer_refuses_what_it_cannot_begin_with(models: dict[str, improviser.Model]) -> None:
    wrong: list[tuple[Any, dict[str, Any], type[errors.ImproviserError]]] = [
        ([], {"seed": -1}, errors.ConfigError),
        ([], {"seed": 1.5}, errors.ConfigError),
        ([], {"seed": None}, errors.ConfigError),
        ([], {"tempo": 120}, errors.ConfigError),
        ([], {"temperature": "hot"}, errors.ConfigError),
        ([], {"low": 90, "high": 30}, errors.ConfigError),
        ("bach-bass", {}, errors.ModelError),
        (["bach-bass"], {}, errors.ModelError),
        (models["bach-bass"], {}, errors.ModelError),
        (None, {}, errors.ModelError),
    ]
    for first, parameters, kind in wrong:
        refused(lambda first=first, more=parameters: improviser.Performer(first, **more), kind)  # type: ignore[misc]
    performer = improviser.Performer([models["echo"]])
    refused(lambda: performer.swap([models["echo"], "bach-bass"], 0.0), errors.ModelError)  # type: ignore[list-item]
    for message in ("\x90\x3c\x40", [0x90, 60, 64], None, 7):
        refused(lambda message=message: performer.hear(message, 0.0), errors.NoteError)  # type: ignore[misc]
    assert note_ons(performer.hear(bytearray(down(60)), 0.0))


def test_knobs_turn_parameters_and_models_are_swapped(models: dict[str, improviser.Model]) -> None:
    performer = improviser.Performer([models["bach-bass"]], seed=1, controls={"density": 20})
    assert note_ons(performer.hear(down(72), 0.0))
    performer.hear(b"\xb0\x14\x00", 0.1)
    assert performer.parameters["density"] == 0
    assert not note_ons(performer.hear(down(74), 0.2))
    performer.change("density", 1, 0.3)
    assert not note_ons(performer.swap([], 0.4))
    assert not note_ons(performer.hear(down(76), 0.5))
    performer.swap([models["bach-tenor"], models["echo"]], 0.6)
    assert len(note_ons(performer.hear(down(77), 0.7))) == 2


def test_bytes_that_came_together_are_heard_one_by_one(models: dict[str, improviser.Model]) -> None:
    whole, parts = (improviser.Performer([models["bach-bass"]], seed=1, follow="every") for _ in range(2))
    together = down(72) + bytes((76, 80)) + b"\xfe\xf8" + up(72)  # with running status, sensing and clock
    heard = [message for part in (down(72), down(76), b"\xfe", up(72)) for message in parts.hear(part, 0.0)]
    assert whole.hear(together, 0.0) == heard
    assert len(note_ons(heard)) == 2


@settings(deadline=None, max_examples=60)
@given(garbage=st.lists(st.binary(max_size=8).filter(lambda data: not any(0x80 <= byte < 0xF0 for byte in data))))
def test_garbage_changes_nothing(garbage: list[bytes]) -> None:
    """What holds no channel message, and none that starts or stops a sequencer."""
    clean, dirty = (improviser.Performer([ECHO], seed=1, temperature=1) for _ in range(2))
    noise = [piece.translate(None, b"\xf2\xfa\xfb\xfc\xfe") for piece in garbage]
    for (now, heard), piece in zip(tune_of(TUNE), itertools.cycle([*noise, b""])):
        dirty.hear(piece, now)
        assert dirty.hear(heard, now) == clean.hear(heard, now)


ECHO, BASS, MELODY = (improviser.load_model(name) for name in ("echo", "bach-bass", "bach-melody"))


def messages() -> SearchStrategy[bytes]:
    """Notes of few keys, other channel messages, and any bytes."""
    status = st.sampled_from([0x90, 0x80, 0x90, 0x80, 0x91, 0x99, 0xB0, 0xE0, 0xC0, 0xD0, 0xA0])
    channel = st.builds(
        lambda first, second, third: bytes((first, second, third)[: 2 if first in (0xC0, 0xD0) else 3]),
        status,
        st.sampled_from([60, 62, 64, 66, 120, 121, 123]),
        st.sampled_from([0, 40, 64, 127]),
    )
    return channel | st.sampled_from([b"\xf8", b"\xfa", b"\xfc", b"\xfe", b"\xf2\x01\x02"]) | st.binary(max_size=6)


def values() -> SearchStrategy[tuple[str, Any]]:
    """Parameters, and what they can be; now and then what they cannot be."""
    found: list[SearchStrategy[tuple[str, Any]]] = [st.tuples(st.sampled_from([*PARAMETERS]), st.just("x"))]
    for name, one in PARAMETERS.items():
        if one.choices:
            found.append(st.tuples(st.just(name), st.sampled_from(one.choices)))
        elif one.low is not None and one.high is not None and one.whole:
            found.append(st.tuples(st.just(name), st.integers(int(one.low), int(one.high))))
        elif one.low is not None and one.high is not None:
            found.append(st.tuples(st.just(name), st.floats(one.low, one.high)))
    found.append(st.tuples(st.just("scale"), st.sampled_from(["off", "auto", "D minor"])))
    found.append(st.tuples(st.just("controls"), st.sampled_from([{}, {"density": 60}, {"mode": 62, "thru": 65}])))
    return st.one_of(found)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.2, 0.7, 3.0, -1.0]),
        messages()
        | st.tuples(st.just("change"), values())
        | st.tuples(st.just("swap"), st.sampled_from([(), (ECHO,), (BASS, ECHO), (MELODY,)]))
        | st.just(("advance", None))
        | st.just(("panic", None)),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=150)
@given(DEEDS, st.sampled_from(["shadow", "answer", "solo", "mute"]), st.booleans())
def test_no_note_is_stuck_whatever_is_done(deeds: list[tuple[float, Any]], mode: str, thru: bool) -> None:
    performer = improviser.Performer([BASS, ECHO], seed=1, mode=mode, thru=thru)
    synth, now = Synth(), 0.0
    for after, deed in deeds:
        now += after
        if isinstance(deed, bytes):
            synth.take(performer.hear(deed, now))
            continue
        kind, value = deed
        if kind == "panic":
            synth.take(performer.panic())
            assert synth.at_rest
        elif kind == "change":
            name, wanted = value
            with contextlib.suppress(errors.ConfigError):
                synth.take(performer.change(name, wanted, now))
        else:
            synth.take(performer.swap(value, now) if kind == "swap" else performer.advance(now))
    synth.take(performer.panic())
    assert synth.at_rest
    assert performer.deadline is None or performer.parameters["mode"] == "solo"
    synth.take(performer.advance(now + 30))
    synth.take(performer.panic())
    assert synth.at_rest


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 1.5]), st.sampled_from([60, 62, 64, 65])), max_size=40))
def test_once_all_keys_are_up_nothing_sounds(notes: list[tuple[float, int]]) -> None:
    for mode in ("shadow", "answer"):
        performer = improviser.Performer([BASS, MELODY], seed=1, mode=mode, thru=True, delay=0.3)
        synth, now, held = Synth(), 0.0, set[int]()
        for after, pitch in notes:
            now += after
            held ^= {pitch}
            synth.take(performer.hear(down(pitch) if pitch in held else up(pitch), now))
        for pitch in sorted(held):
            synth.take(performer.hear(up(pitch), now))
        while (due := performer.deadline) is not None:
            synth.take(performer.advance(due))
        assert synth.at_rest


# Rendering.


def test_every_note_is_answered_off_line() -> None:
    tune = line(TUNE)
    bass = improviser.render(tune, "bach-bass", seed=1)
    assert [(note.onset_seconds, note.duration_seconds, note.velocity) for note in bass] == [
        (note.onset_seconds, note.duration_seconds, note.velocity) for note in tune
    ]
    assert all(note.pitch < 70 for note in bass)
    assert improviser.render(reversed(tune), BASS, seed=1) == bass
    assert improviser.render(tune, BASS, seed=2, temperature=2) != bass
    assert len(improviser.render(tune, "echo")) == len(tune)
    assert improviser.render([], "echo") == []


def test_a_live_session_is_rendered() -> None:
    tune = line(TUNE)
    shadow = improviser.render(tune, ["bach-bass", "bach-tenor"], seed=1, mode="shadow")
    assert len(shadow) == 2 * len(tune)
    assert improviser.render(tune, "bach-melody", seed=1, mode="answer") == []
    reply = improviser.render(tune, "bach-melody", seed=1, mode="answer", tail=30)
    assert len(reply) >= len(tune) // 2
    assert reply[0].onset_seconds >= tune[-1].onset_seconds
    assert reply == improviser.render(tune, "bach-melody", seed=1, mode="answer", tail=30)
    solo = improviser.render(tune, "bach-melody", seed=1, mode="solo", tail=60)
    assert max(note.end_seconds for note in solo) <= tune[-1].end_seconds + 60 + 1e-9
    assert solo[-1].onset_seconds > 45


def test_rendering_refuses_what_cannot_be(tmp_path: Path) -> None:
    tune = line(TUNE)
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    wrong: list[tuple[Any, Any, dict[str, Any], type[errors.ImproviserError]]] = [
        (tune, "nowhere", {}, errors.ModelError),
        (tune, ["bach-bass", "echo"], {}, errors.ConfigError),
        (tune, [], {}, errors.ConfigError),
        (tune, 5, {}, errors.ModelError),
        (tune, "echo", {"density": 0.5}, errors.ConfigError),
        (tune, "echo", {"mode": "dance"}, errors.ConfigError),
        (tune, "echo", {"tempo": 1}, errors.ConfigError),
        (tune, "echo", {"temperature": -1}, errors.ConfigError),
        (tune, "echo", {"seed": -1}, errors.ConfigError),
        (tune, "echo", {"mode": "answer", "tail": -1}, errors.ConfigError),
        (tune, "echo", {"mode": "answer", "tail": float("inf")}, errors.ConfigError),
        ([60, 62], "echo", {}, errors.NoteError),
        (5, "echo", {}, errors.NoteError),
        (tmp_path / "nowhere.mid", "echo", {}, errors.MidiFileError),
        (tmp_path / "broken.mid", "echo", {}, errors.MidiFileError),
    ]
    for source, model, more, kind in wrong:
        refused(lambda source=source, model=model, more=more: improviser.render(source, model, **more), kind)  # type: ignore[misc]


# Training.


def asked(model: improviser.Model) -> list[float]:
    """Return what shows that two models are the same: what they think along a tune."""
    tune = line(TUNE)
    thoughts = [model.distribution([], onset_seconds=place * 0.5, player=tune[: place + 1]) for place in range(16)]
    return [float(chance) for chances in thoughts for chance in chances]


def executors() -> list[Executor | None]:
    return [None, ThreadPoolExecutor(2), ProcessPoolExecutor(2, mp_context=get_context("spawn"))]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["echo", "melody"])
def test_a_model_is_evolved_the_same_wherever(task: str, tmp_path: Path) -> None:
    more: dict[str, Any] = {"choir": 2, "layers": (4,)} if task == "melody" else {}
    trained: list[list[float]] = []
    for executor in executors():
        file = tmp_path / f"{len(trained)}.safetensors"
        model = improviser.train(
            "demo-tune", task=task, seed=2, generations=4, population=120, executor=executor, output=file, **more
        )
        assert model.task == task
        assert model.name == file.stem
        trained.append(asked(model))
        assert asked(improviser.load_model(file)) == trained[-1]
        if executor is not None:
            assert executor.submit(abs, -1).result() == 1, "it is still its owner's"
            executor.shutdown()
    assert trained[0] == trained[1] == trained[2]
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".safetensors"]
    other = improviser.train("demo-tune", task=task, seed=3, generations=4, population=120, **more)
    assert asked(other) != trained[0]


def test_training_on_files_and_several_sources(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "tune.mid").write_bytes(midi_file(TUNE * 3))
    several = improviser.train([tmp_path, "demo-tune"], task="echo", generations=2, population=20)
    assert several.task == "echo"
    assert re.search(r"broken\.mid", caplog.text), "what is left out is said"
    one = improviser.train(str(tmp_path / "tune.mid"), task="echo", generations=2, population=20, lookback=3)
    assert len(improviser.render(tmp_path / "tune.mid", one)) == 3 * len(TUNE)


def midi_file(pitches: Sequence[int]) -> bytes:
    """Return a MIDI file of one line, a quarter each."""
    events = b"".join(b"\x00" + down(pitch) + b"\x83\x60" + up(pitch) for pitch in pitches) + b"\x00\xff\x2f\x00"
    return b"MThd\0\0\0\x06\0\0\0\x01\x01\xe0MTrk" + len(events).to_bytes(4, "big") + events


def test_training_refuses_what_cannot_be(tmp_path: Path) -> None:
    taken = tmp_path / "mine.safetensors"
    taken.write_bytes(b"two minutes of work")
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    wrong: list[tuple[Any, dict[str, Any], type[errors.ImproviserError]]] = [
        ("demo-tune", {"task": "dance"}, errors.ConfigError),
        ("demo-tune", {"task": None}, errors.ConfigError),
        ("demo-tune", {"seed": -1}, errors.ConfigError),
        ("demo-tune", {"seed": "x"}, errors.ConfigError),
        ("demo-tune", {"generations": 0}, errors.ConfigError),
        ("demo-tune", {"generations": 1.5}, errors.ConfigError),
        ("demo-tune", {"minutes": float("nan")}, errors.ConfigError),
        ("demo-tune", {"minutes": "long"}, errors.ConfigError),
        ("demo-tune", {"populaton": 20}, errors.ConfigError),
        ("demo-tune", {"population": "many"}, errors.ConfigError),
        ("demo-tune", {"layers": "20,20"}, errors.ConfigError),
        ("demo-tune", {"layers": [20.5]}, errors.ConfigError),
        ("demo-tune", {"strategy": "luck"}, errors.ConfigError),
        ("demo-tune", {"voice": "bass"}, errors.ConfigError),
        ("demo-tune", {"strict": 1}, errors.ConfigError),
        ("demo-tune", {"executor": 2}, errors.ConfigError),
        ("demo-tune", {"executor": closed}, errors.ImproviserError),
        ("demo-tune", {"output": taken}, errors.OutputError),
        ("demo-tune", {"output": tmp_path / "no" / "where.safetensors"}, errors.OutputError),
        ("demo-tune", {"output": tmp_path}, errors.OutputError),
        ("demo-tune", {"output": 5}, errors.OutputError),
        (tmp_path / "nowhere.mid", {}, errors.CorpusError),
        ([], {}, errors.CorpusError),
        (5, {}, errors.CorpusError),
        ([5], {}, errors.CorpusError),
    ]
    for source, changes, kind in wrong:
        settings_ = {"task": "echo", "generations": 2, "population": 20, **changes}
        said = refused(lambda source=source, more=settings_: improviser.train(source, **more), kind)  # type: ignore[misc]
        assert "--" not in said
    assert taken.read_bytes() == b"two minutes of work"


def test_a_dead_worker_is_one_line() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        dying = executor.submit(sys.exit)  # a SystemExit ends the process of a pool
        assert dying.exception() is not None
        executor.submit(_die)
        refused(
            lambda: improviser.train("demo-tune", task="echo", generations=9, population=60, executor=executor),
            errors.ImproviserError,
        )


def _die() -> None:
    import os

    os._exit(1)
