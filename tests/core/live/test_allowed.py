"""What a live parameter may be: whatever cannot be is refused and changes nothing; all else can be borne."""

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.live.parameters.allowed import check, check_order, in_order
from improviser.core.live.parameters.kinds import Bindings, Range
from improviser.core.live.parameters.table import DEFAULTS, TABLE, Parameters
from improviser.core.live.performer import Performer
from improviser.core.midi.clock import GRIDS
from improviser.core.midi.event import ControlChange, KeyPressure, PitchBend, Start, Tick
from improviser.errors import ConfigError
from improviser.settings.checking import validate
from improviser.settings.schema import LIVE_KEYS
from tests.core.live.desk import Desk
from tests.core.live.responders import RuleModel, SingerModel

NUMBERS = [
    0,
    1,
    -1,
    -3,
    7,
    17,
    60,
    128,
    129,
    1.5,
    0.5,
    -0.0,
    5e-324,
    1e9,
    1e308,
    10**400,
    math.nan,
    math.inf,
    -math.inf,
]
WORDS = [
    "",
    "off",
    "auto",
    "dance",
    "shadow",
    "solo",
    "1/5",
    "1/8",
    "D minor",
    "H major",
    "both",
    "\x1b[31m",
    "x" * 999,
]
TABLES: list[Any] = [
    *(
        {},
        {"mode": 20},
        {"mode": None},
        {"mode": True},
        {"mode": 1.5},
        {"warmth": 20},
        {"mode": 64},
        {5: 20},
        {"low": -1},
    ),
    *({"mode": {"control": 20, "channel": 1}}, {"mode": {"control": 20, "channel": 0}}, {"mode": {"channel": 3}}),
    *({"mode": {"control": 20, "colour": 1}}, {"mode": {"control": "20"}}, {"low": 20, "high": 20}, {"mode": [20]}),
]
OTHERS = [None, True, False, b"", (), [], [1], {1}, object(), complex(1, 1), np.float64(0.5), np.int64(3), np.zeros(3)]
VALUES = st.one_of(st.sampled_from([*NUMBERS, *WORDS, *TABLES, *OTHERS]), st.floats(), st.integers(), st.text())
NAMES = st.sampled_from([*TABLE, *TABLE, "volume", "", "__class__", None, 3])

NO_TABLES: list[Any] = [None, [], "mode", {"mode": None}, {"mode": 1.5}, {5: 3}, {"mode": 64}]
REFUSED: list[tuple[str, Any]] = [
    *[("temperature", value) for value in (-3, math.nan, math.inf, 1e9, "0.5", True, None, 4.01, [1])],
    *[("density", value) for value in (7, -0.1, math.nan, True)],
    *[("mode", value) for value in ("dance", "", "SOLO", 1, None, ["solo"])],
    *[("quantise", value) for value in ("1/5", 4, None)],
    *[("delay", value) for value in (-1, 2.1, math.nan, math.inf, "1")],
    *[("channel", value) for value in (-1, 17, 1.5, True, "1")],
    *[("input_channel", value) for value in (-1, 17, 1.5)],
    *[(name, value) for name in ("low", "high", "input_low", "input_high", "split") for value in (-1, 128, 60.5, True)],
    *[("transpose", value) for value in (-49, 49, 0.5, math.nan)],
    *[(name, value) for name in ("thru", "bend", "guard", "programs", "pickup") for value in (1, 0, "on", None)],
    *[("velocity_scale", value) for value in (-0.1, 2.1, math.nan)],
    *[("velocity_curve", value) for value in (0, 0.24, 4.1, math.inf)],
    *[("release_after", value) for value in (-1, math.nan, 3601, True)],
    *[("side", value) for value in ("left", 0)],
    *[("scale", value) for value in ("H major", "", 3, "D " + "minor" * 30)],
    *[("controls", value) for value in NO_TABLES],
]


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=repr)
def test_what_cannot_be_is_refused_and_changes_nothing(name: str, value: Any) -> None:
    desk, plain = Desk(temperature=2.0, seed=3), Desk(temperature=2.0, seed=3)
    desk.down(60)
    plain.down(60)
    with pytest.raises(ConfigError):
        desk.change(name, value)
    assert desk.performer.parameters == plain.performer.parameters
    assert desk.down(62) == plain.down(62)
    with pytest.raises(ConfigError):
        Desk(**{name: value})


def test_what_cannot_be_together_is_refused() -> None:
    for low, high in (("low", "high"), ("input_low", "input_high")):
        apart: dict[str, Any] = {low: 40, high: 50}
        crossed: dict[str, Any] = {low: 51, high: 50}
        desk = Desk(**apart)
        for name, value in ((low, 51), (high, 39)):
            with pytest.raises(ConfigError, match=f"{low} must not be above {high}"):
                desk.change(name, value)
        desk.change(low, 50)
        with pytest.raises(ConfigError, match="not be above"):
            Desk(**crossed)


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=4), st.sampled_from(["rule", "singer"]), st.booleans())
def test_any_change_is_refused_or_borne(changes: list[tuple[Any, Any]], model: str, thru: bool) -> None:
    desks = [Desk(RuleModel() if model == "rule" else SingerModel(), seed=5, thru=thru) for _ in range(2)]
    changed, spared = desks
    refused = True
    for name, value in changes:
        before = changed.performer.parameters
        try:
            changed.change(name, value)
        except ConfigError:
            assert changed.performer.parameters == before
        else:
            refused = False
    for desk in desks:
        desk.hear(Start())
        for number in range(12):
            desk.hear(Tick(), 0.02)
            desk.down(50 + 3 * number, 1 + 11 * number, channel=number % 3, after=0.05)
            for event in (PitchBend(0, number), KeyPressure(0, 50, 9), ControlChange(0, 64, 127 * (number % 2))):
                desk.hear(event, 0.01)
            if number % 2:
                desk.up(50 + 3 * number, channel=number % 3)
        desk.wait(4.0)
        desk.panic()
        assert desk.synth.at_rest
    if refused:
        assert changed.sent == spared.sent


@settings(deadline=None)
@given(NAMES, VALUES)
def test_a_performer_begins_only_with_what_can_be(name: Any, value: Any) -> None:
    values = {"low": 20, "high": 90} | ({name: value} if name in Parameters.__slots__ else {})
    try:
        performer = Performer([RuleModel()], Parameters(**values), np.random.default_rng(1))
    except ConfigError:
        return
    assert asdict(performer.parameters).keys() == TABLE.keys()


KEYS = st.tuples(st.integers(0, 127), st.integers(0, 127)).map(sorted)


@given(KEYS, KEYS, KEYS, KEYS, st.booleans())
def test_changes_that_can_be_together_can_be_made_one_after_the_other(
    before: list[int], after: list[int], heard: list[int], hears: list[int], both: bool
) -> None:
    desk = Desk(low=before[0], high=before[1], input_low=heard[0], input_high=heard[1])
    changes = {"high": after[1], "delay": 0.5, "input_high": hears[1], "input_low": hears[0], "low": after[0]}
    if not both:
        del changes["input_low"]
        changes["input_high"] = max(heard[0], hears[1])
    order = in_order(changes, desk.performer.parameters)
    assert sorted(order) == sorted(changes)
    for name in order:
        desk.change(name, changes[name])
    assert {name: getattr(desk.performer.parameters, name) for name in changes} == changes


def test_a_table_of_controls_that_is_changed_afterwards_changes_nothing() -> None:
    controls = {"mode": {"control": 20}}
    desk = Desk()
    desk.change("controls", controls)
    controls["mode"]["control"] = 99
    assert desk.performer.parameters.controls == {"mode": {"control": 20}}


@pytest.mark.parametrize("name", TABLE)
def test_an_entry_holds_together(name: str) -> None:
    described, default = TABLE[name], DEFAULTS[name]
    plain = get_type_hints(Parameters)[name]
    assert plain == described.type or (described.type is dict and get_origin(plain) is Mapping)
    assert (check(name, default), type(default)) == (default, described.type)
    assert described.help.endswith(".")
    assert not described.note.endswith(".")
    assert "\n" not in described.help + described.note
    assert not described.unit or isinstance(described.kind, Range)
    assert not (isinstance(described.kind, Bindings) and (described.knob or described.option))
    if isinstance(described.kind, Range):
        assert 0 < described.kind.step <= described.kind.high - described.kind.low
        assert not described.kind.whole or all(
            number == int(number) for number in (described.kind.low, described.kind.high, described.kind.step)
        )
    if described.not_above:
        other = TABLE[described.not_above]
        assert (other.kind, other.not_above) == (described.kind, "")


@given(st.sampled_from([name for name, described in TABLE.items() if described.knob]), st.data())
def test_steps_stay_within_what_is_allowed(name: str, data: st.DataObject) -> None:
    described, value = TABLE[name], DEFAULTS[name]
    for steps in data.draw(st.lists(st.integers(-9, 9), max_size=9)):
        value = described.stepped(value, steps)
        assert check(name, value) == value
    if isinstance(described.kind, Range):
        assert described.stepped(described.kind.high, 1) == described.kind.high
        assert described.stepped(described.kind.low, -1) == described.kind.low
    else:
        assert described.stepped(described.stepped(value, 1), -1) == value
        assert described.stepped("nothing that there is", 1) == described.way[0]  # type: ignore[index]


def test_each_parameter_is_described_and_the_settings_agree() -> None:
    assert {field.name for field in fields(Parameters)} == set(TABLE) == set(LIVE_KEYS) - {"model"}
    for name, described in TABLE.items():
        kind = described.kind
        samples = [*NUMBERS, *GRIDS, *WORDS, *(kind if isinstance(kind, tuple) else ())]
        if isinstance(kind, Range):
            samples += [kind.low, kind.high, kind.low - 1, kind.high + 1, kind.high + 0.01]
        value: Any
        for value in samples:
            if isinstance(value, str) and (isinstance(kind, Range) or name == "controls" or kind == (False, True)):
                continue  # the settings understand text, as it comes from MQTT
            if str(value) == "-0.0":
                continue  # nothing that anybody says
            assert _allows(check, name, value) == _allows(validate, name, value), (name, value)


def _allows(judge: Any, name: str, value: Any) -> bool:
    try:
        judge(name, value)
    except ConfigError:
        return False
    return True


def test_a_bound_stays_on_its_side() -> None:
    playing = Parameters(low=40, high=60, input_low=50, input_high=70)
    for parameter, value in (("low", 60), ("high", 40), ("input_low", 70), ("input_high", 50), ("split", 127)):
        check_order(parameter, value, playing)
    for parameter, value, said in (
        ("low", 61, "low must not be above high; they are 61 and 60"),
        ("high", 39, "low must not be above high; they are 40 and 39"),
        ("input_low", 100, "input_low must not be above input_high; they are 100 and 70"),
        ("input_high", 49, "input_low must not be above input_high; they are 50 and 49"),
    ):
        with pytest.raises(ConfigError) as raised:
            check_order(parameter, value, playing)
        assert str(raised.value) == said
