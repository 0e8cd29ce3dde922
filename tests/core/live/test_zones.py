"""MPE, live: each note's expression is its own, and answers go where no bend of the player's goes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import improviser
from improviser.core.midi.event import ControlChange
from tests.core.live.desk import Desk
from tests.core.live.responders import RuleModel

Messages = list[bytes]


def configured(manager: int, members: int) -> Messages:
    """Return what configures a zone: registered parameter 6."""
    return [bytes((0xB0 | manager, control, value)) for control, value in ((101, 0), (100, 6), (6, members))]


def performer(*zones: tuple[int, int], **parameters: object) -> improviser.Performer:
    playing = improviser.Performer([improviser.load_model("bach-bass")], seed=1, **parameters)
    for manager, members in zones:
        for message in configured(manager, members):
            playing.hear(message, 0.0)
    return playing


def expression(channel: int) -> Messages:
    return [bytes((0xE0 | channel, 0, 80)), bytes((0xD0 | channel, 90)), bytes((0xB0 | channel, 74, 100))]


def channels(messages: Messages, kind: int) -> set[int]:
    return {message[0] & 0x0F for message in messages if message[0] & 0xF0 == kind}


@pytest.mark.parametrize(
    ("zones", "answered_on"),
    [
        (((0, 7),), {1: 8, 7: 8, 0: 8, 9: None, 12: 12}),
        (((0, 8),), {1: 10, 8: 10}),  # the ninth is taken, the tenth would be drums
        (((15, 5),), {14: 0, 11: 0, 3: 3}),
        (((0, 15),), {1: 0, 9: 0, 15: 0}),
        (((0, 7), (15, 7)), {1: 0, 7: 0, 8: 15, 9: 15, 14: 15}),
        (((0, 7), (0, 0)), {1: 1, 7: 7}),
        (((0, 15), (15, 14)), {1: 0, 14: 0, 0: 0}),
    ],
)
def test_answers_go_to_a_channel_of_no_players_note(
    zones: tuple[tuple[int, int], ...], answered_on: dict[int, int | None]
) -> None:
    for channel, wanted in answered_on.items():
        playing = performer(*zones)
        sent = playing.hear(bytes((0x90 | channel, 64, 80)), 1.0)
        assert channels(sent, 0x90) == (set() if wanted is None else {wanted}), channel


@pytest.mark.parametrize("zones", [((0, 7),), ((0, 15),), ((15, 10),), ((0, 7), (15, 7))])
def test_no_bend_pressure_or_timbre_of_a_note_reaches_an_answer(zones: tuple[tuple[int, int], ...]) -> None:
    playing = performer(*zones, thru=True)
    members = [channel for channel in range(1, 15) if _is_member(channel, zones)]
    answers: set[int] = set()
    for number, channel in enumerate(members):
        now = 1.0 + number
        sent = playing.hear(bytes((0x90 | channel, 50 + number, 80)), now)
        assert sent[0] == bytes((0x90 | channel, 50 + number, 80))  # thru, on its own channel
        answers |= channels(sent[1:], 0x90)
        for message in expression(channel):
            assert playing.hear(message, now + 0.1) == [message]
    assert answers
    assert not answers & set(members)


def _is_member(channel: int, zones: tuple[tuple[int, int], ...]) -> bool:
    return any(
        channel in (range(1, members + 1) if manager == 0 else range(15 - members, 15)) for manager, members in zones
    )


def test_without_thru_the_expression_of_notes_goes_nowhere() -> None:
    playing = performer((0, 15))
    playing.hear(bytes((0x92, 60, 80)), 1.0)
    assert [playing.hear(message, 1.1) for message in expression(2)] == [[], [], []]


def test_where_a_zone_is_configured_a_bend_that_answers_had_is_taken_back() -> None:
    playing = performer()
    playing.hear(bytes((0x92, 60, 80)), 0.5)
    assert playing.hear(bytes((0xE2, 0, 80)), 0.6) == [bytes((0xE2, 0, 80))]
    sent = [message for part in configured(0, 7) for message in playing.hear(part, 0.7)]
    assert sent == [bytes((0xE2, 0, 64))]


def test_a_channel_that_is_asked_for_is_used() -> None:
    playing = performer((0, 7), channel=4)
    assert channels(playing.hear(bytes((0x92, 60, 80)), 1.0), 0x90) == {3}


def test_the_managers_pedal_sustains_answers() -> None:
    playing = performer((0, 7))
    assert playing.hear(bytes((0xB0, 64, 127)), 1.0) == [bytes((0xB8, 64, 127))]
    assert playing.hear(bytes((0xB0, 64, 0)), 2.0) == [bytes((0xB8, 64, 0))]


def test_a_line_on_either_half_of_a_split_keyboard_is_answered_there() -> None:
    playing = performer()
    left, right = (playing.hear(bytes((0x90 | channel, 60, 80)), 1.0 + channel) for channel in (0, 1))
    assert (channels(left, 0x90), channels(right, 0x90)) == ({0}, {1})
    assert channels(playing.hear(bytes((0xE1, 0, 80)), 2.2), 0xE0) == {1}
    assert channels(playing.hear(bytes((0x81, 60, 64)), 2.3), 0x80) == {1}
    assert channels(playing.hear(bytes((0x80, 60, 64)), 2.4), 0x80) == {0}


@pytest.mark.parametrize(
    ("zones", "right", "left", "answered_on"),
    [
        ((), (1,), (0, 0, 0), {0}),
        ((), (0,), (3, 3, 3), {3}),
        (((0, 7), (15, 7)), (14,), (1, 2, 3), {0}),
        (((0, 7), (15, 6)), (14,), (1, 2, 3), {8}),
        ((), (4,), (1, 2, 3), {1, 2, 3}),  # as an MPE keyboard that has not said so
    ],
)
def test_hands_on_channels_of_their_own_get_one_bass(
    zones: tuple[tuple[int, int], ...], right: tuple[int], left: tuple[int, int, int], answered_on: set[int]
) -> None:
    playing = performer(*zones)
    keys = [*zip((*right, *left), (76, 48, 52, 55), strict=True)]
    for number in range(4):
        now, sounding, struck = 1.0 + number, set[tuple[int, int]](), list[bytes]()
        for place, (channel, pitch) in enumerate(keys):
            struck += playing.hear(bytes((0x90 | channel, pitch, 80)), now + 0.005 * place)
        struck += playing.advance(now + 0.1)
        for message in struck:
            key = message[0] & 15, message[1]
            (sounding.add if message[0] & 0xF0 == 0x90 else sounding.discard)(key)
        assert len(sounding) == 1
        if number:
            assert channels(struck, 0x90) <= answered_on
        for channel, pitch in keys:
            playing.hear(bytes((0x80 | channel, pitch, 64)), now + 0.9)


CHANNELS = st.integers(0, 15)
PITCHES = st.integers(40, 52)
STREAMS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from((0, 15)), st.integers(0, 15)).map(lambda zone: configured(*zone)),
        st.tuples(CHANNELS, PITCHES).map(lambda key: [bytes((0x90 | key[0], key[1], 80))]),
        st.tuples(CHANNELS, PITCHES).map(lambda key: [bytes((0x80 | key[0], key[1], 64))]),
        CHANNELS.map(expression),
        st.tuples(CHANNELS, st.sampled_from((0, 127))).map(lambda foot: [bytes((0xB0 | foot[0], 64, foot[1]))]),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(STREAMS, st.booleans(), st.sampled_from(("shadow", "answer", "solo")), st.sampled_from(("pulse", "ignore")))
def test_no_note_sticks_whatever_the_zones_do(stream: list[Messages], thru: bool, mode: str, drums: str) -> None:
    playing = performer(thru=thru, mode=mode, drums=drums)
    sounding: set[tuple[int, int]] = set()
    held: set[tuple[int, int]] = set()
    now = 0.0

    def take(sent: Messages) -> None:
        for message in sent:
            key = message[0] & 0x0F, message[1]
            if message[0] & 0xF0 == 0x90 and message[2]:
                sounding.add(key)
            elif message[0] & 0xF0 in (0x80, 0x90):
                sounding.discard(key)

    for messages in stream:
        for message in messages:
            now += 0.05
            while (due := playing.deadline) is not None and due <= now:
                take(playing.advance(due))
            take(playing.hear(message, now))
            key = message[0] & 0x0F, message[1]
            if message[0] & 0xF0 == 0x90:
                held.add(key)
            elif message[0] & 0xF0 == 0x80:
                held.discard(key)
    for channel, pitch in sorted(held):
        take(playing.hear(bytes((0x80 | channel, pitch, 64)), now))
    take(playing.change("mode", "mute", now))
    assert not sounding


@pytest.mark.parametrize("pedal", [0, 1, 2], ids=["manager's", "member's", "another's"])
def test_all_sound_off_ends_what_the_pedal_of_a_zone_keeps(pedal: int) -> None:
    desk = Desk(RuleModel(), mode="shadow")
    for control, value in ((101, 0), (100, 6), (6, 1)):
        desk.hear(ControlChange(0, control, value))
    desk.hear(ControlChange(pedal, 64, 127))
    desk.down(60, channel=1)
    for channel in range(16):
        desk.hear(ControlChange(channel, 120, 0))
    assert not desk.synth.sounding


def bent(channel: int, value: int = 80) -> bytes:
    return bytes((0xE0 | channel, 0, value))


def rotating(playing: improviser.Performer, *played: int) -> None:
    """Strike and release a note on each of these channels, and bend each while it sounds."""
    for number, channel in enumerate(played):
        playing.hear(bytes((0x90 | channel, 60 + number, 80)), 1.0 + number)
        playing.hear(bent(channel), 1.2 + number)
        playing.hear(bytes((0x80 | channel, 60 + number, 0)), 1.5 + number)
        playing.hear(bent(channel, 64), 1.6 + number)


def test_a_keyboard_that_bends_each_note_on_a_channel_of_its_own_needs_no_configuration() -> None:
    playing = performer()
    rotating(playing, 1, 2, 3)
    for channel in (1, 4, 9, 15):  # the tenth is no drum there
        answer = playing.hear(bytes((0x90 | channel, 64, 80)), 10.0 + channel)
        assert channels(answer, 0x90) == {0}, channel
        assert not channels(playing.hear(bent(channel), 10.1 + channel), 0xE0)
        playing.hear(bytes((0x80 | channel, 64, 0)), 10.5 + channel)


def test_where_the_first_channel_plays_too_the_last_answers() -> None:
    playing = performer()  # as a guitar does, string by string
    rotating(playing, 0, 1, 2)
    assert channels(playing.hear(bytes((0x92, 64, 80)), 10.0), 0x90) == {15}


@pytest.mark.parametrize("played", [(0, 0, 0), (0, 1), (0,)])
def test_a_wheel_of_an_ordinary_keyboard_bends_its_answers(played: tuple[int, ...]) -> None:
    playing = performer()
    rotating(playing, *played)
    assert channels(playing.hear(bytes((0x90, 64, 80)), 10.0), 0x90) == {0}
    assert channels(playing.hear(bent(0), 10.1), 0xE0) == {0}


def test_who_has_said_that_there_are_no_zones_is_believed() -> None:
    playing = performer((0, 0))
    rotating(playing, 1, 2, 3)
    assert channels(playing.hear(bytes((0x92, 64, 80)), 10.0), 0x90) == {2}
