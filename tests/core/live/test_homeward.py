"""Home, live: replies end on a stable note of the player's mode, and the bass goes home under long home notes."""

from collections.abc import Sequence

import numpy as np
import pytest

import improviser
from improviser.core.live.answering.homeward import (
    CONTEXT,
    REMEMBERED_CONTEXTS,
    SHARE,
    SURELY_LONG_FROM,
    Lengths,
    homeward,
)
from improviser.core.live.player.pulse import Pulse
from improviser.core.music.home import MODES
from improviser.core.music.note import Note
from tests.home_players import STABLE, played

Sent = list[tuple[float, bytes]]


class Desk:
    """A performer, its clock and what it has sent."""

    def __init__(self, model: str, mode: str, seed: int) -> None:
        self.performer = improviser.Performer([improviser.load_model(model)], seed=seed, mode=mode)
        self.now = 0.0

    def wait(self, until: float) -> Sent:
        sent: Sent = []
        while (due := self.performer.deadline) is not None and due <= until:
            sent += [(due, message) for message in self.performer.advance(due)]
        self.now = max(self.now, until)
        return sent

    def play(self, notes: list[Note], start: float) -> Sent:
        sent: Sent = []
        moments = [(note.onset_seconds, 1, bytes((0x90, note.pitch, 80))) for note in notes]
        moments += [(note.end_seconds, 0, bytes((0x80, note.pitch, 64))) for note in notes]
        for seconds, _, message in sorted(moments):
            sent += self.wait(start + seconds)
            sent += [(self.now, answer) for answer in self.performer.hear(message, self.now)]
        return sent


def onsets(sent: Sent) -> list[tuple[float, int]]:
    return [(seconds, message[1]) for seconds, message in sent if message[0] & 0xF0 == 0x90 and message[2]]


@pytest.mark.parametrize("mode", [mode.name for mode in MODES])
def test_replies_end_on_a_stable_note_of_the_players_mode(mode: str) -> None:
    ends = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        tonic, bpm = int(rng.integers(12)), float(rng.uniform(80, 140))
        desk = Desk("bach-melody", "answer", seed)
        for notes in played(mode, tonic, 40 + seed, bpm=bpm, phrases=8):
            first = notes[0].onset_seconds
            phrase = [Note(note.pitch, note.onset_seconds - first, note.duration_seconds) for note in notes]
            desk.play(phrase, desk.now + 1.0)
            reply: Sent = []
            while (due := desk.performer.deadline) is not None and due <= desk.now + 10:
                reply += desk.wait(due)
            if onsets(reply):
                ends.append((onsets(reply)[-1][1] - tonic) % 12 in STABLE)
    assert len(ends) > 18
    assert np.mean(ends) >= 0.7, ends


@pytest.mark.parametrize("mode", ["major", "dorian", "blues", "phrygian", "mixolydian"])
def test_the_bass_goes_home_under_home_notes_that_have_been_long(mode: str) -> None:
    long: list[bool] = []
    for seed in range(3):
        phrases = played(mode, 5, 70 + seed, bpm=110, phrases=16, home_share=1.0)
        usual = float(np.median([note.duration_seconds for notes in phrases for note in notes]))
        desk = Desk("bach-bass", "shadow", seed)
        answers = dict(onsets(desk.play([note for notes in phrases for note in notes], 0.0)))
        for notes in phrases[8:]:
            homes = [note for note in notes if note.pitch % 12 == 5 and note.duration_seconds > 1.6 * usual]
            struck = [answers[note.onset_seconds] for note in homes if note.onset_seconds in answers]
            long += [(answer - 5) % 12 in (0, 7) for answer in struck]
    assert len(long) > 10
    assert np.mean(long) >= 0.65


def test_a_riff_says_which_of_its_notes_will_be_long() -> None:
    lengths, now = Lengths(), 0.0
    for _ in range(5):
        for pitch, gap in ((60, 0.3), (64, 0.3), (67, 0.3), (64, 0.3), (62, 0.3), (60, 1.5)):
            lengths.hear(pitch, now)
            now += gap
    assert lengths.likely_long(60) < 0.4  # as its first note
    for pitch in (60, 64, 67, 64, 62):
        lengths.hear(pitch, now)
        now += 0.3
    assert lengths.likely_long(60) > 0.75


def test_what_is_known_of_lengths_is_bounded() -> None:
    rng = np.random.default_rng(1)
    lengths = Lengths()
    for number in range(3000):
        lengths.hear(int(rng.integers(128)), 0.2 * number)
    assert len(lengths._counts) <= REMEMBERED_CONTEXTS + CONTEXT


def test_only_a_home_note_that_may_be_long_draws_home() -> None:
    logs = np.linspace(-9, -1, 128)
    assert homeward(logs, 61, 0.1, 1.0) is logs
    assert homeward(logs, 60, 1.0, 0.1) is logs
    drawn = homeward(logs, 60, 1.0, 0.9)
    assert {pitch % 12 for pitch in np.flatnonzero(drawn > logs)} == {0}
    chances = np.exp(drawn) / np.exp(drawn).sum()
    assert chances[::12].sum() == pytest.approx(SHARE)
    sure = np.full(128, -np.inf)
    sure[48] = 0.0
    assert homeward(sure, 60, 1.0, 1.0) is sure


class Arriving:
    """Foresees that the line rests on C, a fifth of a second after B."""

    @staticmethod
    def comes_to_rest(pitch: int) -> bool:
        return pitch == 60

    @staticmethod
    def rests_after(pitch: int) -> float | None:
        return 0.2 if pitch == 59 else None


def strokes_of(pitches: Sequence[int], gap: float) -> list[bool]:
    """Return with which notes of an even line a bass strikes."""
    pulse = Pulse(Arriving())
    return [pulse.strikes(1.0 + gap * number, pitch) for number, pitch in enumerate(pitches)]


def test_what_a_fast_passage_comes_to_rest_on_is_struck() -> None:
    for length in range(10, 16):
        assert strokes_of([*range(61, 61 + length), 60], 0.15)[-1]


def test_a_stroke_is_left_out_that_would_leave_none_for_what_the_line_comes_to_rest_on() -> None:
    assert strokes_of([65, 64, 62, 59, 60], 0.23) == [True, True, True, False, True]
    assert strokes_of([65, 64, 62, 61, 60], 0.23) == [True, True, True, True, False]
    assert strokes_of([65, 64, 62, 59, 60], 0.4) == [True] * 5


def test_how_soon_a_long_note_comes_is_remembered() -> None:
    lengths, now = Lengths(), 0.0
    for _ in range(4):
        for pitch, gap in ((64, 0.25), (62, 0.25), (60, 1.5)):
            lengths.hear(pitch, now)
            now += gap
    lengths.hear(64, now)
    chance, seconds = lengths.next_long(62)
    assert chance > SURELY_LONG_FROM
    assert seconds == pytest.approx(0.25)
