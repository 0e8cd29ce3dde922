"""The gallery is always the same, and shows what it says."""

from pathlib import Path

from improviser.core.live.session_figures import figures_of
from improviser.core.midi.pairing import notes_of
from improviser.core.music.note import Note
from tests.benchmarks.gallery import Exhibit, exhibits, give, show

ROOT = Path(__file__).parents[2]


def parts(exhibit: Exhibit) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    heard, played = give(exhibit)
    end = max(seconds for seconds, _ in (*heard, *played))
    return notes_of(heard, end), notes_of(played, end)


def test_every_note_of_the_chorale_gets_two_voices_and_of_the_echo_one() -> None:
    for exhibit in exhibits()[:2]:
        player, improviser = parts(exhibit)
        assert len(improviser) == len(player) * len(exhibit.models)
        assert figures_of(player, improviser).answered == 1.0


def test_the_folk_tune_is_answered_phrase_by_phrase_and_never_talked_over() -> None:
    player, improviser = parts(exhibits()[2])
    whose = sorted([*((note.onset_seconds, 0) for note in player), *((note.onset_seconds, 1) for note in improviser)])
    turns = [who for index, (_, who) in enumerate(whose) if index == 0 or whose[index - 1][1] != who]
    assert turns == [0, 1] * 4
    for note in improviser:
        assert not any(one.onset_seconds < note.end_seconds and note.onset_seconds < one.end_seconds for one in player)


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    exhibit = exhibits()[0]
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        show(exhibit, folder, folder)
    for name in ("echo.mid", "echo.wav", "echo.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_readme_shows_all_of_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for exhibit in exhibits():
        picture = f".github/gallery-{exhibit.name}.svg"
        assert f"({picture})" in readme
        assert exhibit.title in (ROOT / picture).read_text("utf-8").replace("&quot;", '"').replace("&#x27;", "'")
