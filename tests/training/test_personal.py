"""A personal model: tunes out of recordings, and what is kept of what is bred on them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from improviser.cli import app
from improviser.core.melody.model import MelodyModel
from improviser.core.music.note import Note
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError, OutputError
from improviser.library.catalogue import bundled_folder, load_model
from improviser.library.model_file import read
from improviser.training import personal
from improviser.training.personal import Personal, learn
from improviser.training.recorded_tunes import held_out, is_named, read_tunes, sessions, tunes_in
from tests.melodies import write_melody


def leaps(seed: int, count: int = 24, start: float = 0.0) -> tuple[Note, ...]:
    """Return a tune that leaps about a pentatonic scale."""
    scale = [pitch for pitch in range(57, 82) if pitch % 12 in (1, 4, 6, 8, 11)]
    places = np.random.default_rng(seed).integers(0, len(scale), count)
    return tuple(Note(scale[place], start + 0.4 * number, 0.3) for number, place in enumerate(places))


def pieces(count: int) -> list[Piece]:
    return [Piece(str(seed), (leaps(seed),), ("soprano",)) for seed in range(count)]


def test_tunes_end_where_the_player_pauses_and_chords_have_their_highest_note() -> None:
    first, second = leaps(1, 12), leaps(2, 9, start=12.0)
    chord = [Note(40, note.onset_seconds + 0.01, 0.3) for note in first]
    assert [len(tune) for tune in tunes_in([*first, *chord, *second])] == [12, 9]
    assert [note.pitch for note in next(tunes_in([*chord, *first]))] == [note.pitch for note in first]
    assert list(tunes_in([])) == []
    assert max(len(tune) for tune in tunes_in(leaps(3, 2000))) == 400


def test_what_is_held_out_stays_so_in_any_key() -> None:
    shares = [held_out(leaps(seed)) for seed in range(300)]
    assert 0.1 < np.mean(shares) < 0.3
    moved = [
        held_out([Note(note.pitch - 5, note.onset_seconds + 9, 0.1) for note in leaps(seed)]) for seed in range(50)
    ]
    assert moved == shares[:50]


def test_recordings_lie_in_folders_of_folders_whatever_their_names(tmp_path: Path) -> None:
    odd = "a/-dash [x]" if os.name == "nt" else "a/-dash [x]*?"
    names = (f"{odd}/session-1.jsonl", f"{odd}/session-1.mid", "b/session-1.mid", "guests/take.MID")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = sessions([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [names[0], *names[2:]]
    assert [path.name for path in found if is_named(path, "guests/*")] == ["take.MID"]
    assert not any(is_named(path, "guests") for path in found)


def test_others_are_left_out(tmp_path: Path) -> None:
    names = ("session-1.jsonl", "session-2.jsonl", "guest.jsonl", "session-1.mid", "take.mid")
    for name in names:
        (tmp_path / name).touch()
    found = [path for path in sessions([tmp_path]) if not (is_named(path, "session-2") or is_named(path, "gu*"))]
    assert [path.name for path in found] == ["session-1.jsonl", "take.mid"]
    assert len(sessions([tmp_path, tmp_path / "session-1.mid"])) == 5
    with pytest.raises(CorpusError, match="no recording"):
        sessions([tmp_path / "nowhere"])
    tunes, skipped = read_tunes([tmp_path / "guest.jsonl"])
    assert (tunes, len(skipped)) == ([], 1)


def test_who_plays_otherwise_gets_a_model_that_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "GENERATIONS", 20)
    bundled = [load_model("bach-melody")]
    learned = learn(pieces(14), bundled, minutes=0.1)
    assert learned.is_better
    assert learned.bred["bach-melody, adapted"] < learned.scores["bach-melody"] - 0.2
    assert learned.model.name == "me"
    base = bundled[0]
    assert isinstance(base, MelodyModel)
    assert not np.array_equal(learned.model.genomes, base.genomes)


def test_too_few_notes_are_refused() -> None:
    with pytest.raises(CorpusError, match="too few"):
        learn(pieces(3), [load_model("bach-melody")], minutes=0.1)


@pytest.fixture
def takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return MIDI files to learn a little from."""
    monkeypatch.setenv("IMPROVISER_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(personal, "GENERATIONS", 20)
    monkeypatch.setattr(personal, "FEWEST", 20)
    monkeypatch.setattr("improviser.library.catalogue.mixed", lambda: ("bach-melody",))
    for number in range(10):
        write_melody(tmp_path / f"{number}.mid", [note.pitch for note in leaps(number, 16)])
    return [str(path) for path in sorted(tmp_path.glob("*.mid"))]


def learned_from(*arguments: str) -> str:
    """Run the command; return what it prints."""
    ran = CliRunner().invoke(app, ["learn", *arguments])
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_what_was_learned_from_others_as_well_does_not_stay(takes: list[str], tmp_path: Path) -> None:
    file = tmp_path / "models" / "me.safetensors"
    learned_from(*takes)
    first = file.read_bytes()
    assert "stays as it is" in learned_from(*takes), "it is as good"
    assert file.read_bytes() == first
    assert "recording is named 'guest'" in learned_from(*takes, "--except", "9", "--except", "guest").replace("\n", " ")
    sources = [source["name"] for source in read(file).provenance["sources"]]
    assert sources == [str(number) for number in range(9)]


def test_no_other_file_is_written_over(takes: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_text("mine")
    assert CliRunner().invoke(app, ["learn", *takes, "-o", str(out)]).exit_code == 2
    assert out.read_text() == "mine"
    learned_from(*takes, "-o", str(out), "--force")
    assert read(out).task == "melody"
    (tmp_path / "models").mkdir()
    own = tmp_path / "models" / "me.safetensors"
    own.write_bytes((bundled_folder() / "echo.safetensors").read_bytes())
    assert CliRunner().invoke(app, ["learn", *takes]).exit_code == 2
    assert read(own).task == "echo"


def test_the_command_keeps_what_is_better_and_nothing_else(
    takes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = takes
    ran = CliRunner().invoke(app, ["learn", *files, "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["kept"] == str(tmp_path / "models" / "me.safetensors")
    assert load_model("me").name == "me"
    assert min(told["bred"].values()) < min(told["bundled"].values())
    monkeypatch.setattr(Personal, "is_better", False)
    out = tmp_path / "worse.safetensors"
    ran = CliRunner().invoke(app, ["learn", *files, "-o", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "nothing is kept" in ran.output
    assert not out.exists()


def test_what_is_wrong_is_said_before_anything_is_bred(takes: list[str], tmp_path: Path) -> None:
    def refused(*arguments: str) -> str:
        ran = CliRunner().invoke(app, ["learn", *arguments])
        assert ran.exit_code == 2, ran.output
        return " ".join(ran.output.split())

    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no music")
    assert "no logs and no MIDI files" in refused(str(tmp_path / "empty"))
    assert "leaves out all 10 recordings" in refused(*takes, "--except", "*")
    assert "is not a MIDI file" in refused(str(tmp_path / "notes.txt"))
    assert "no recording is named 'guest'" in refused(takes[0], "--except", "guest")


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_who_stops_it_is_told_that_nothing_is_changed(
    takes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise end

    monkeypatch.setattr("improviser.commands.learn_run.breed", stop)
    ran = CliRunner().invoke(app, ["learn", *takes])
    assert "nothing is changed" in ran.output
    assert ran.exit_code == (130 if end is KeyboardInterrupt else 0)
    assert not (tmp_path / "models").exists()


def test_where_the_disk_is_full_the_scores_are_told(takes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OutputError("cannot write me: No space left on device")

    monkeypatch.setattr("improviser.library.model_file.write", fill)
    ran = CliRunner().invoke(app, ["learn", *takes])
    assert ran.exit_code == 2
    assert "bach-melody, adapted" in ran.output
    assert "free some room" in " ".join(ran.output.split())
    assert "No space left" in " ".join(ran.output.split())
