"""Sessions as MIDI files."""

import hashlib
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from improviser.core.midi.codec import encode
from improviser.core.midi.event import (
    ChannelPressure,
    ControlChange,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    ProgramChange,
    TimedEvent,
)
from improviser.core.midi.growing_smf import TICKS_PER_SECOND
from improviser.core.midi.pairing import notes_of
from improviser.engine.protocol import AnyReport, Applied, Played, Step
from improviser.errors import OutputError
from improviser.midifile import part, read_midi
from improviser.recordings.files import SessionFiles
from improviser.recordings.midi_recording import LONGEST_SECONDS, SessionMidi, write_session

HALF_TICK = 0.5 / TICKS_PER_SECOND + 1e-9


def test_two_named_tracks_that_say_what_was_played(tmp_path: Path) -> None:
    player: list[TimedEvent] = [(0.1, NoteOn(0, 60, 80)), (0.6, NoteOff(0, 60)), (0.6, NoteOn(0, 62, 70))]
    improviser: list[TimedEvent] = [(0.1, NoteOn(0, 48, 75)), (0.6, NoteOff(0, 48))]
    write_session(tmp_path / "session.mid", player, improviser, end_seconds=2.0)
    piece = read_midi(tmp_path / "session.mid")
    assert piece.tracks == ("Player", "Improviser")
    heard = [timed.note for timed in part(piece.notes, track=0)]
    assert [(note.pitch, note.velocity) for note in heard] == [(60, 80), (62, 70)]
    assert heard[1].end_seconds == pytest.approx(2.0, abs=HALF_TICK)
    (answer,) = (timed.note for timed in part(piece.notes, track=1))
    assert answer.onset_seconds == heard[0].onset_seconds == pytest.approx(0.1, abs=HALF_TICK)


def test_controls_are_kept_and_return_to_rest(tmp_path: Path) -> None:
    player: list[TimedEvent] = [
        (0.0, ProgramChange(0, 4)),
        (0.0, ControlChange(0, 64, 127)),
        (0.1, PitchBend(0, -5000)),
        (0.2, ControlChange(0, 1, 99)),
        (0.3, ChannelPressure(0, 5)),
        (0.4, KeyPressure(0, 60, 6)),
        (0.5, ControlChange(1, 66, 127)),
        (0.6, ControlChange(1, 66, 0)),
    ]
    write_session(tmp_path / "session.mid", player, [], end_seconds=1.0)
    track = mido.MidiFile(tmp_path / "session.mid").tracks[0]
    said = [message for message in track if not message.is_meta]
    assert [message.type for message in said[:6]] == [
        "program_change", "control_change", "pitchwheel", "control_change", "aftertouch", "polytouch",
    ]  # fmt: skip
    assert said[6:] == [
        mido.Message("control_change", channel=1, control=66, value=127, time=192),
        mido.Message("control_change", channel=1, control=66, value=0, time=192),
        mido.Message("control_change", control=64, value=0, time=768),
        mido.Message("pitchwheel", pitch=0),
    ]


def test_rounding_never_adds_up(tmp_path: Path) -> None:
    onsets = [index * 0.033333 for index in range(3000)]
    player: list[TimedEvent] = []
    for onset in onsets:
        player += [(onset, NoteOn(0, 60, 64)), (onset + 0.03, NoteOff(0, 60))]
    write_session(tmp_path / "session.mid", player, [])
    for timed, onset in zip(read_midi(tmp_path / "session.mid").notes, onsets, strict=True):
        assert timed.note.onset_seconds == pytest.approx(onset, abs=HALF_TICK)


TIMED = st.lists(
    st.tuples(
        st.floats(0, 5),
        st.one_of(
            st.builds(NoteOn, st.integers(0, 3), st.integers(60, 62), st.integers(1, 127)),
            st.builds(NoteOff, st.integers(0, 3), st.integers(60, 62)),
            st.builds(ControlChange, st.integers(0, 3), st.sampled_from([64, 66, 7]), st.integers(0, 127)),
            st.builds(PitchBend, st.integers(0, 3), st.integers(-8192, 8191)),
        ),
    ),
    max_size=30,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(player=TIMED, improviser=TIMED)
def test_whatever_was_played_the_file_is_balanced(
    tmp_path: Path, player: list[TimedEvent], improviser: list[TimedEvent]
) -> None:
    path = tmp_path / "session.mid"
    write_session(path, player, improviser, end_seconds=6.0)
    file = mido.MidiFile(path)
    assert [track.name for track in file.tracks] == ["Player", "Improviser"]
    for track, events in zip(file.tracks, (player, improviser), strict=True):
        sounding: dict[tuple[int, int], int] = {}
        pedals: dict[tuple[int, int], int] = {}
        bends: dict[int, int] = {}
        for message in track:
            if message.type in ("note_on", "note_off"):
                key = message.channel, message.note
                sounding[key] = sounding.get(key, 0) + (1 if message.type == "note_on" else -1)
                assert sounding[key] >= 0
            elif message.type == "control_change" and message.control != 7:
                pedals[message.channel, message.control] = message.value
            elif message.type == "pitchwheel":
                bends[message.channel] = message.pitch
        assert not any((*sounding.values(), *pedals.values(), *bends.values()))
        ordered = sorted(events, key=lambda event: event[0])
        assert sum(message.type == "note_on" for message in track) == len(notes_of(ordered, 6.0))


def test_an_empty_session_is_a_file_too(tmp_path: Path) -> None:
    write_session(tmp_path / "session.mid", [], [])
    assert read_midi(tmp_path / "session.mid").notes == ()


@pytest.mark.parametrize("name", ["no/session.mid", ""])
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="folder"):
        write_session(tmp_path / name, [], [])


def test_endless_sessions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="hours"):
        write_session(tmp_path / "session.mid", [], [], end_seconds=LONGEST_SECONDS + 1)
    assert list(tmp_path.iterdir()) == []


def some_playing(seed: int) -> list[TimedEvent]:
    """Return notes, pedals and bends that never overlap, always the same."""
    events: list[TimedEvent] = []
    for number in range(40):
        start, pitch = 0.25 + number * 0.2, 48 + (number * seed) % 24
        events.append((start, NoteOn(0, pitch, 1 + (number * 31 + seed) % 127)))
        events += [(start + 0.01, ControlChange(0, 64, 127 * (number % 14 == 0)))] * (number % 7 == 0)
        events += [(start + 0.02, PitchBend(0, number * 100 - 2000))] * (number % 11 == 0)
        events.append((start + 0.15, NoteOff(0, pitch)))
    return events


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def test_the_bytes_are_those_of_earlier_versions(tmp_path: Path) -> None:
    write_session(tmp_path / "session.mid", some_playing(7), some_playing(5), end_seconds=20.0)
    assert digest((tmp_path / "session.mid").read_bytes()) == "5ee677126c3a7bec"
    files = SessionFiles(tmp_path, 3.0)
    reports: list[AnyReport] = [
        Step(3.0 + seconds, encode(event), [encode(event)] if isinstance(event, NoteOn | NoteOff) else [], 0.0001)
        for seconds, event in some_playing(7)
    ]
    reports.insert(20, Played(6.0, [], "lost"))
    reports.insert(30, Played(6.5, [bytes((0x90, 60, 64))], "timer"))
    reports += [Applied("mode", "mute", stamp=20.0, played=[bytes((0x80, 60, 64))]), Step(60.0, b"\xf8", [], 0.0)]
    files.log(reports[:50])
    files.draw()
    path = files.path.with_suffix(".mid")
    drawn = [digest(path.read_bytes())]
    files.log(reports[50:])
    files.draw()
    drawn.append(digest(path.read_bytes()))
    files.finish()
    drawn.append(digest(path.read_bytes()))
    files.abandon()
    assert drawn == ["07612a0761e2fc7b", "fe6d0b4ebc413c35", "0180188fcab9069c"]
    replayed = SessionMidi()
    for report in reports:
        replayed.add(report)
    assert read_midi(path).notes
    (tmp_path / "replayed.mid").write_bytes(replayed.image(final=True))
    lengths = [
        [note.note.duration_seconds for note in read_midi(each).notes] for each in (path, tmp_path / "replayed.mid")
    ]
    assert lengths[0] == pytest.approx(lengths[1], abs=2 * HALF_TICK)


def test_a_key_of_one_keyboard_ends_no_note_that_another_holds(tmp_path: Path) -> None:
    midi = SessionMidi()
    on, other = bytes((0x90, 60, 80)), bytes((0x90, 64, 80))
    off = bytes((0x80, 60, 64))
    for report in (
        Step(0.0, on, [], 0.0),
        Step(1.0, on, [], 0.0, input=1),
        Step(1.0, other, [], 0.0, input=1),
        Step(2.0, off, [], 0.0),
        Step(3.0, on, [], 0.0),
        Played(4.0, [], "lost", input=1),
        Step(5.0, off, [], 0.0),
    ):
        midi.add(report)
    path = tmp_path / "both.mid"
    path.write_bytes(midi.image(final=True))
    lengths = [
        (timed.note.pitch, round(timed.note.onset_seconds), round(timed.note.end_seconds))
        for timed in read_midi(path).notes
    ]
    assert lengths == [(60, 0, 1), (60, 1, 3), (64, 1, 4), (60, 3, 5)]
