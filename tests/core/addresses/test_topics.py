"""The topics of a session: what is published where, and what a message on one of them asks for."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.addresses.topics import Topics

TOPICS = Topics("left hand")


def test_all_are_below_the_name() -> None:
    names = [TOPICS.status, TOPICS.state, TOPICS.heard, TOPICS.played, TOPICS.reply, TOPICS.command, TOPICS.requests]
    below = ("status", "state", "event/in", "event/out", "reply", "cmd", "set/#")
    assert names == [f"improviser/left hand/{name}" for name in below]


@given(st.text())
def test_a_wish_is_found_again(parameter: str) -> None:
    assert TOPICS.requested(TOPICS.set(parameter)) == parameter


def test_other_topics_wish_nothing() -> None:
    assert TOPICS.requested("improviser/left hand/set") == ""
    others = ("improviser/left hand/settle", "improviser/left/set/mode", "set/mode", TOPICS.command, TOPICS.state, "")
    assert [TOPICS.requested(topic) for topic in others] == [None] * len(others)
