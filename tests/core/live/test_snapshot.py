"""The tally of a session."""

from hypothesis import given
from hypothesis import strategies as st

from improviser.core.live.snapshot import ANSWERS_KEPT, NOTES_KEPT, WARNINGS_KEPT, Answer, Part, Setup, Sounded, Tally
from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn

SETUP = Setup(("bach-bass",))


def test_an_answer_is_counted_and_sounds_until_its_note_off() -> None:
    tally = Tally()
    answer = tally.step(1.0, NoteOn(0, 72, 80), [NoteOn(0, 48, 76)], 0.0002)
    assert answer == Answer(1.0, NoteOn(0, 72, 80), (NoteOn(0, 48, 76),), 0.0002)
    now = tally.snapshot(1.1, SETUP)
    assert (now.heard, now.played, now.answers) == (1, 1, (answer,))
    assert now.sounding(Part.PLAYER) == {72}
    assert now.sounding(Part.IMPROVISER) == {48}
    assert tally.step(1.5, NoteOff(0, 72), [NoteOff(0, 48)], 0.0001) is None
    later = tally.snapshot(2.0, SETUP)
    assert later.sounding(Part.PLAYER) == later.sounding(Part.IMPROVISER) == set()
    assert set(later.roll) == {Sounded(Part.PLAYER, 72, 1.0, 1.5), Sounded(Part.IMPROVISER, 48, 1.0, 1.5)}
    assert now.sounding(Part.PLAYER) == {72}, "a snapshot does not change"


def test_a_retrigger_ends_the_note_before() -> None:
    tally = Tally()
    tally.play(1.0, [NoteOn(0, 48, 9)])
    tally.play(2.0, [NoteOff(0, 48), NoteOn(0, 48, 9)])
    tally.play(3.0, [NoteOn(0, 48, 9)])
    assert tally.snapshot(4.0, SETUP).roll == (
        Sounded(Part.IMPROVISER, 48, 1.0, 2.0),
        Sounded(Part.IMPROVISER, 48, 2.0, 3.0),
        Sounded(Part.IMPROVISER, 48, 3.0),
    )


def test_unanswered_notes_are_answers_without_notes() -> None:
    tally = Tally()
    answer = tally.step(0.0, NoteOn(0, 60, 1), [], 0.0)
    assert answer is not None
    assert answer.played == ()


def test_pedal() -> None:
    tally = Tally()
    tally.step(0.0, ControlChange(0, 64, 127), [], 0.0)
    assert tally.snapshot(0.0, SETUP).pedal
    tally.step(1.0, ControlChange(0, 64, 0), [], 0.0)
    assert not tally.snapshot(1.0, SETUP).pedal


def test_latency_is_of_the_last_thousand() -> None:
    tally = Tally()
    assert tally.snapshot(0.0, SETUP).latency is None
    for index in range(2000):
        tally.step(float(index), NoteOn(0, 60, 1), [], 1.0 if index < 1000 else (index - 999) / 1000)
    latency = tally.snapshot(0.0, SETUP).latency
    assert latency is not None
    assert (latency.median, latency.p99, latency.worst) == (0.5, 0.99, 1.0)


def test_silence_ends_everything() -> None:
    tally = Tally()
    tally.hear(0.0, NoteOn(0, 60, 1))
    tally.hear(0.0, ControlChange(3, 64, 127))
    tally.play(0.5, [NoteOn(1, 40, 1)])
    tally.silence(2.0)
    now = tally.snapshot(2.0, SETUP)
    assert not now.pedal
    assert {note.end_seconds for note in now.roll} == {2.0}


EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(0, 15), st.integers(0, 127), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(0, 15), st.integers(0, 127)),
)


@given(st.lists(st.tuples(EVENTS, st.lists(EVENTS, max_size=3)), max_size=40))
def test_what_sounds_is_what_was_not_ended(steps: list[tuple[Event, list[Event]]]) -> None:
    tally = Tally()
    keys: set[tuple[int, int]] = set()
    for at, (heard, played) in enumerate(steps):
        tally.step(float(at), heard, played, 0.001)
        if isinstance(heard, NoteOn):
            keys.add((heard.channel, heard.pitch))
        elif isinstance(heard, NoteOff):
            keys.discard((heard.channel, heard.pitch))
    now = tally.snapshot(99.0, SETUP)
    assert now.sounding(Part.PLAYER) == {pitch for _, pitch in keys}
    assert now.heard == sum(isinstance(heard, NoteOn) for heard, _ in steps)
    assert [note.start_seconds for note in now.roll] == sorted(note.start_seconds for note in now.roll)


def test_an_endless_session_stays_small() -> None:
    tally = Tally()
    for index in range(5000):
        tally.step(float(index), NoteOn(0, index % 128, 1), [NoteOn(0, 5, 1)], 0.0)
        tally.warn(str(index))
    now = tally.snapshot(5000.0, SETUP)
    assert len(now.answers) == ANSWERS_KEPT
    assert len(now.roll) <= NOTES_KEPT + 16 * 128 * 2
    assert now.warnings[-1] == "4999"
    assert len(now.warnings) == WARNINGS_KEPT
    assert now.played == 5000


def test_the_key_is_the_players_and_takes_some_notes() -> None:
    tally = Tally()
    keys = []
    for number, pitch in enumerate((63, 67, 70, 70, 72, 70, 75)):
        tally.hear(float(number), NoteOn(0, pitch, 80))
        tally.play(float(number), [NoteOn(0, 41, 80)])
        keys.append(tally.snapshot(float(number), SETUP).key)
    assert keys[:4] == [""] * 4
    assert keys[-1] == "E♭ major"
    tally = Tally()
    for pitch in (69, 72, 76, 68, 69, 71, 72, 76, 69):
        tally.hear(0.0, NoteOn(0, pitch, 80))
    assert tally.snapshot(1.0, SETUP).key == "A minor"


def test_the_key_has_a_mode_and_drums_have_none() -> None:
    tally, now = Tally(), 0.0
    for _ in range(4):
        for pitch in (62, 65, 69, 71, 72, 71, 69, 67, 65, 64, 62):
            tally.hear(now, NoteOn(0, pitch, 80))
            tally.hear(now, NoteOn(9, 42, 80))
            now += 0.3
        now += 0.9
    assert tally.snapshot(now, SETUP).key == "D dorian"


def test_whose_turn_it_is() -> None:
    tally = Tally()
    assert tally.snapshot(0.0, SETUP).turn == "waits"
    tally.hear(0.0, NoteOn(0, 60, 80))
    assert tally.snapshot(0.1, SETUP).turn == "listens"
    tally.hear(0.2, NoteOff(0, 60))
    tally.play(1.0, [NoteOn(0, 48, 80)])
    assert tally.snapshot(1.0, SETUP).turn == "plays"


def test_what_ends_the_notes_of_a_channel_ends_them_in_the_picture() -> None:
    tally = Tally()
    for channel in (0, 1):
        tally.hear(1.0, NoteOn(channel, 60, 80))
    tally.play(1.0, [NoteOn(0, 48, 80)])
    tally.hear(2.0, ControlChange(0, 123, 0))
    assert [note.end_seconds for note in tally._ended] == [2.0]
    tally.lose_player(3.0)
    assert [note.end_seconds for note in tally._ended] == [2.0, 3.0]
    assert len(tally._sounding) == 1


def test_who_is_listened_to_is_said_the_loudest_first() -> None:
    tally = Tally()
    assert tally.snapshot(0.0, Setup(("auto",))).listens_to == ""
    tally.weights = {"bach-melody": 0.02, "this session": 0.3, "folk-celtic": 0.68}
    assert tally.snapshot(0.0, Setup(("auto",))).listens_to == "folk-celtic 68 %, this session 30 %"
