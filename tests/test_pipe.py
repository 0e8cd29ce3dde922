"""The pipe between daemon and engine: frames survive any cutting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.pipe import (
    LENGTH,
    MAX_FRAME,
    Change,
    FrameReader,
    Hear,
    Step,
    Swap,
    decode_command,
    decode_report,
    frame,
)

commands = st.one_of(
    st.builds(Hear, st.floats(allow_nan=False), st.binary(max_size=8)),
    st.builds(Change, st.text(max_size=9), st.one_of(st.booleans(), st.integers(-9, 9), st.text(max_size=9))),
    st.builds(Swap, st.lists(st.text(max_size=9), max_size=3)),
)


@given(st.lists(commands, max_size=9), st.integers(1, 40))
def test_frames_survive_any_cutting(sent: list[Hear | Change | Swap], piece: int) -> None:
    stream = b"".join(map(frame, sent))
    reader = FrameReader()
    pieces = (stream[start : start + piece] for start in range(0, len(stream), piece))
    assert [decode_command(body) for data in pieces for body in reader.feed(data)] == sent


def test_a_report_survives() -> None:
    step = Step(1.5, b"\x90\x3c\x40", [b"\x90\x30\x40"], 0.0001)
    (body,) = FrameReader().feed(frame(step))
    assert decode_report(body) == step


def test_a_frame_out_of_all_proportion_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        list(FrameReader().feed(LENGTH.pack(MAX_FRAME + 1)))
