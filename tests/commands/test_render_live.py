"""`improviser render --mode`: a MIDI file is the player of a live session that is run off line."""

from dataclasses import replace
from pathlib import Path

import pytest

from improviser import render
from improviser.midifile import read_midi, write_midi
from improviser.recordings.midi_recording import IMPROVISER, PLAYER
from tests.command import CommandLine
from tests.melodies import TUNE, write_melody

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    return write_melody(tmp_path / "tune.mid", TUNE)


def rendered(improviser: CommandLine, tune: Path, *options: str, name: str = "out.mid") -> list[tuple[int, int, int]]:
    """Return what is played: ticks of start and end, and pitch."""
    ran = improviser("render", tune, name, "--force", *options)
    assert ran.code == 0, ran.err
    notes = read_midi(improviser.folder / name).notes
    return [(timed.start_tick, timed.end_tick, timed.note.pitch) for timed in notes]


def test_every_note_is_answered_in_its_own_ticks_and_the_seed_decides(improviser: CommandLine, tune: Path) -> None:
    played = rendered(improviser, tune, "--mode", "shadow", "--set", "follow=every", "--seed", "1")
    heard = [(timed.start_tick, timed.end_tick) for timed in read_midi(tune).notes]
    assert [(start, end) for start, end, _ in played] == heard
    assert rendered(improviser, tune, "--mode", "shadow", "--set", "follow=every", "--seed", "1") == played
    assert rendered(improviser, tune, "--mode", "shadow", "--set", "follow=every", "--seed", "2") != played


def test_a_phrase_is_replied_to_behind_its_end_as_long_as_the_tail(improviser: CommandLine, tune: Path) -> None:
    end = max(timed.end_tick for timed in read_midi(tune).notes)
    reply = rendered(improviser, tune, "--mode", "answer", "--model", "bach-melody")
    assert reply
    assert min(start for start, _, _ in reply) > end
    assert rendered(improviser, tune, "--mode", "answer", "--model", "bach-melody", "--tail", "0") == []


def test_several_models_play_a_voice_each_beside_the_input(improviser: CommandLine, tune: Path) -> None:
    options = ("--mode", "shadow", "--model", "bach-bass", "--model", "bach-tenor", "--set", "follow=every")
    assert len(rendered(improviser, tune, *options)) == 2 * len(TUNE)
    both = improviser("render", tune, "both.mid", *options, "--with-input")
    assert f"{2 * len(TUNE)} notes played by bach-bass, bach-tenor to {len(TUNE)}" in both.out
    tracks = [timed.track for timed in read_midi(improviser.folder / "both.mid").notes]
    assert (tracks.count(0), tracks.count(1)) == (len(TUNE), 2 * len(TUNE))


def test_of_a_recorded_session_only_the_players_part_is_heard_by_command_and_function(
    improviser: CommandLine, tune: Path
) -> None:
    options = ("--mode", "shadow", "--seed", "3")
    alone = rendered(improviser, tune, *options)
    piece = read_midi(tune)
    played = tuple(replace(timed, track=1, note=replace(timed.note, pitch=40)) for timed in piece.notes)
    session = tune.with_name("session.mid")
    write_midi(session, replace(piece, tracks=(PLAYER, IMPROVISER), notes=piece.notes + played))
    assert rendered(improviser, session, *options) == alone
    pitches = [note.pitch for note in render(session, seed=3, mode="shadow")]
    assert pitches == [pitch for _, _, pitch in alone]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "low=40"), "--set is for a live session; give a mode as well"),
        (("--tail", "1"), "--tail is for a live session"),
        (("--model", "bach-bass", "--model", "bach-tenor"), "more than one --model is for a live session"),
        (("--mode", "loud"), "--mode: mode must be"),
        (("--mode", "answer", "--set", "lo=3"), "there is no parameter 'lo'; did you mean low?"),
        (("--mode", "answer", "--set", "low=300"), "low must be a whole number"),
        (("--mode", "answer", "--set", "low"), "give a parameter and its value"),
        (("--mode", "answer", "--tail", "-1"), "-1"),
    ],
)
def test_what_cannot_be_is_refused(improviser: CommandLine, tune: Path, options: tuple[str, ...], said: str) -> None:
    ran = improviser("render", tune, "out.mid", *options)
    assert ran.code == 2
    assert said in ran.err
    assert improviser.files() == set()
