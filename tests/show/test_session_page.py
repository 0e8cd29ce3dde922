"""Sessions read back, drawn, and written as a page."""

import base64
import io
import os
import re
import wave
from html.parser import HTMLParser
from pathlib import Path

import pytest

from improviser.core.midi.codec import encode
from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, TimedEvent
from improviser.core.midi.tempo import TempoMap
from improviser.core.music.note import Note
from improviser.engine.protocol import Applied, Loaded, Lost, Played, Ready, Report, Step
from improviser.errors import LogError, MidiFileError
from improviser.midifile import MidiPiece, TimedNote, write_midi
from improviser.recordings.log import FORMAT, VERSION, End, Header
from improviser.recordings.log import encode as line
from improviser.recordings.midi_recording import write_session
from improviser.recordings.reading import bar_lines, read_session
from improviser.shell import quoted
from improviser.show.session_page import LONGEST_SOUND_SECONDS, session_report

HEARD: list[TimedEvent] = [
    (0.0, NoteOn(0, 72, 80)),
    (0.5, NoteOff(0, 72)),
    (0.5, NoteOn(0, 74, 90)),
    (1.0, NoteOff(0, 74)),
]
PLAYED: list[TimedEvent] = [(0.0, NoteOn(0, 48, 80)), (0.5, NoteOff(0, 48))]


def write_log(path: Path, *reports: Report) -> Path:
    header = Header(format=FORMAT, version=VERSION, program="1", numpy="2", began="2026-01-01T00:00:00")
    path.write_bytes(b"".join(map(line, (header, *reports, End()))))
    return path


def log_of(path: Path) -> Path:
    parameters = {"mode": "shadow", "temperature": 0.7, "scale": "off", "low": 0}
    return write_log(
        path,
        Ready("jack", "virtual", "virtual", [Loaded("bach-bass", "0" * 64)], parameters, 7),
        Played(3.0, []),
        Step(10.0, encode(NoteOn(0, 72, 80)), [encode(NoteOn(0, 48, 80))], 0.0002),
        Step(10.2, encode(ControlChange(0, 64, 127)), [], 0.00001),
        Step(10.5, encode(NoteOff(0, 72)), [encode(NoteOff(0, 48))], 0.0001),
        Lost(2),
        Applied("temperature", 0.5, None, 11.0),
        Applied("temperature", 9, "no", 11.0),
        Step(12.0, encode(ControlChange(0, 64, 0)), [], 0.00001),
        Played(13.0, []),
    )


def test_a_log_is_read_from_its_first_note_on(tmp_path: Path) -> None:
    session = read_session(log_of(tmp_path / "session.jsonl"))
    player, improviser = session.notes()
    assert [(note.pitch, note.onset_seconds, note.duration_seconds) for note in player] == [(72, 0.0, 2.0)]
    assert [(note.pitch, note.duration_seconds) for note in improviser] == [(48, 0.5)]
    assert [*session.latencies] == [0.0002, 0.0001]
    assert dict(session.facts) == {
        "model": "bach-bass", "mode": "shadow", "temperature": "0.7", "scale": "off", "seed": "7",
        "MIDI system": "jack", "changes while playing": "1",
    }  # fmt: skip


def test_beside_a_recording_its_log_is_found(tmp_path: Path) -> None:
    write_session(tmp_path / "session.mid", HEARD, PLAYED)
    assert read_session(tmp_path / "session.mid").log is None
    log_of(tmp_path / "session.jsonl")
    assert read_session(tmp_path / "session.mid").log == tmp_path / "session.jsonl"
    (tmp_path / "session.jsonl").write_text("something else\n")
    session = read_session(tmp_path / "session.mid")
    assert session.log is None
    assert [note.pitch for part in session.notes() for note in part] == [72, 74, 48]


def piece(signatures: tuple[tuple[int, int, int], ...], tempo: int, beats: int = 8) -> MidiPiece:
    notes = tuple(TimedNote(0, 0, 480 * beat, 480 * (beat + 1), Note(60, 0.0, 0.0)) for beat in range(beats))
    return MidiPiece("piece", TempoMap(480, ((0, tempo),)), signatures, ("",), notes)


@pytest.mark.parametrize(
    ("signatures", "tempo", "lines"),
    [
        ((), 500_000, []),
        ((), 600_000, [0.0, 2.4, 4.8]),
        (((0, 3, 4),), 500_000, [0.0, 1.5, 3.0]),
        (((0, 3, 4), (1440, 4, 4)), 1_000_000, [0.0, 3.0, 7.0]),
        (((1920, 2, 8),), 500_000, [0.0, 2.0, 2.5, 3.0, 3.5, 4.0]),
        (((0, 1, 128),), 500_000, []),
    ],
)
def test_bar_lines(signatures: tuple[tuple[int, int, int], ...], tempo: int, lines: list[float]) -> None:
    beats = 400 if signatures == ((0, 1, 128),) else 8
    assert bar_lines(piece(signatures, tempo, beats)) == pytest.approx(lines)


def test_other_files_have_a_player_too(tmp_path: Path) -> None:
    write_midi(tmp_path / "song.mid", piece(((0, 4, 4),), 500_000))
    session = read_session(tmp_path / "song.mid")
    assert len(session.notes()[0]) == 8
    assert session.notes()[1] == ()
    assert session.bars == (0.0, 2.0, 4.0)


@pytest.mark.parametrize(("name", "error"), [("none.mid", MidiFileError), ("none.jsonl", LogError)])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_session(tmp_path / name)


class Page(HTMLParser):
    """What a page says, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "rect", "line", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "rect", "line", "path"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data.strip())


def test_the_page_needs_nothing_else_and_says_all(tmp_path: Path) -> None:
    name = "my & session" if os.name == "nt" else "my <session>"
    page = Page(session_report(read_session(log_of(tmp_path / f"{name}.jsonl"))))
    assert page.open == []
    (sound,) = page.loads
    assert sound.startswith("data:audio/wav;base64,")
    with wave.open(io.BytesIO(base64.b64decode(sound.partition(",")[2]))) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 22050)
        assert 3.0 < file.getnframes() / file.getframerate() < 8.0
    command = f"improviser replay {quoted(f'{name}.jsonl')}"
    for phrase in (name, "100%", "0.15 ms", command, "bach-bass", "0:02"):
        assert phrase in page.said


def test_a_recording_without_a_log_has_a_page_too(tmp_path: Path) -> None:
    write_session(tmp_path / "take.mid", HEARD, PLAYED)
    text = session_report(read_session(tmp_path / "take.mid"))
    said = Page(text).said
    assert "50%" in said
    assert any(words.startswith("There is no log") for words in said)
    assert not re.search(r"https?://(?!www\.w3\.org)", text)


def test_long_sessions_go_without_sound(tmp_path: Path) -> None:
    write_session(tmp_path / "long.mid", HEARD, PLAYED, end_seconds=LONGEST_SOUND_SECONDS + 1)
    late: list[TimedEvent] = [(LONGEST_SOUND_SECONDS + 1, NoteOn(0, 60, 1))]
    write_session(tmp_path / "long.mid", [*HEARD, *late], PLAYED)
    page = Page(session_report(read_session(tmp_path / "long.mid")))
    assert page.loads == []
    assert any(words.startswith("Sound is left out") for words in page.said)
