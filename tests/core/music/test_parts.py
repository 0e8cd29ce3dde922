"""What is said of parts of a choir in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.parameters.allowed import check
from improviser.core.live.parameters.table import Parameters
from improviser.core.music.parts import NAMES, in_one_line, said_of_parts
from improviser.core.music.pitch import OFF
from improviser.errors import ConfigError

NUMBER = st.integers(0, 400).map(lambda number: number / 4)
SAID = st.dictionaries(
    st.integers(0, 3), st.one_of(NUMBER.map(lambda one: (one,)), st.tuples(NUMBER, NUMBER)), max_size=4
)


@given(SAID)
def test_a_line_says_what_it_was_made_of(numbers: dict[int, tuple[float, ...]]) -> None:
    assert said_of_parts(in_one_line(numbers)) == numbers


@given(st.text(max_size=60))
def test_any_text_is_understood_or_not(text: str) -> None:
    found = said_of_parts(text)
    assert found is None or set(found) <= {*range(4)}


@pytest.mark.parametrize(
    "text", ["", "alto", "alto 1 2", "alto 1, alto 2", "horn 1", "alto -1", "alto 1-2-3", "alto x"]
)
def test_what_says_nothing_is_no_line(text: str) -> None:
    assert said_of_parts(text) is None


def test_parameters_take_such_lines() -> None:
    assert check("balance", " Bass 1.20,alto .5") == "alto 0.5, bass 1.2"
    assert check("registers", "bass 36–60") == "bass 36-60"
    assert check("instruments", OFF) == OFF
    for name, wrong in (
        ("balance", "alto 3"),
        ("balance", "alto 1-2"),
        ("registers", "bass 60-36"),
        ("registers", "bass 60"),
        ("instruments", "alto 0"),
        ("instruments", "alto 1.5"),
        ("balance", 1.0),
        ("balance", "alto 1," * 100),
    ):
        with pytest.raises(ConfigError, match=name):
            check(name, wrong)


def test_each_part_has_a_channel_of_its_own_and_none_that_of_the_drums() -> None:
    each = Parameters(channels="each")
    for channel in range(16):
        channels = [each.channel_of_part(channel, part) for part in range(len(NAMES))]
        assert channels[0] == channel
        assert len({*channels}) == 4
        assert 9 not in channels[1:]
    assert Parameters().channel_of_part(3, 2) == each.channel_of_part(3, None) == 3


def test_parts_have_their_balance_program_and_register() -> None:
    parameters = Parameters(
        channels="each", balance="alto 0.5, bass 2", instruments="alto 69", registers="bass 36-60", low=20, high=90
    )
    assert [parameters.loudness(80, part) for part in (None, 0, 1, 3)] == [80, 80, 40, 127]
    assert [parameters.program_of_part(part) for part in (None, 0, 1)] == [None, None, 68]
    assert [parameters.register_of_part(part) for part in (1, 3)] == [(20, 90), (36, 60)]
    assert Parameters(instruments="alto 69").program_of_part(1) is None
