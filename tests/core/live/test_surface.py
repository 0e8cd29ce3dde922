"""What is heard of a reply to two hands: the tune, and between its notes the left hand's highest."""

from collections.abc import Sequence

from improviser.core.live.replying.reply import reply_to
from improviser.core.live.replying.surface import surface_of
from improviser.core.midi.event import NoteOn
from improviser.core.music.phrase import Heard, Phrase
from improviser.core.replies.brief import Surface
from improviser.core.replies.fitness import Fitness
from improviser.core.replies.line import steps_of
from improviser.core.replies.vocabulary import grams
from tests.core.replies.briefs import brief_of, line

BORDER = 60
SCALE = frozenset((0, 2, 4, 5, 7, 9, 11))
TUNE = (76, 79, 77, 74, 76, 72)


def waltz() -> Phrase:
    """Return a tune of a note to each bar, and below it a bass and two chords."""
    notes = []
    for bar, pitch in enumerate(TUNE):
        notes.append(Heard(NoteOn(0, pitch, 80), 0.9 * bar, 0.9 * bar + 0.85))
        low = (48, (52, 55)) if bar % 2 == 0 else (43, (53, 59))
        notes.append(Heard(NoteOn(0, low[0], 70), 0.9 * bar + 0.01, 0.9 * bar + 0.3))
        notes += [
            Heard(NoteOn(0, each, 60), 0.9 * bar + 0.3 * beat, 0.9 * bar + 0.3 * beat + 0.2)
            for beat in (1, 2)
            for each in low[1]
        ]
    return Phrase(tuple(sorted(notes, key=lambda heard: heard.onset_seconds)), 0.9 * len(TUNE), 0.3)


def test_what_is_heard_is_the_highest_of_what_begins_together() -> None:
    phrase = waltz()
    surface = surface_of(reply_to(phrase, border=BORDER), [phrase], SCALE)
    said = [heard.note.pitch for heard in phrase.melody()]
    assert surface.figures == set(grams(steps_of(said), 3))
    heard = surface.of(TUNE)
    assert len(heard) == len(said)
    assert heard[::3] == said[::3] == list(TUNE)


def test_the_left_hand_goes_with_the_tune() -> None:
    phrase = waltz()
    heard = surface_of(reply_to(phrase, border=BORDER), [phrase], SCALE).of(tuple(pitch - 12 for pitch in TUNE))
    assert heard[::3] == [pitch - 12 for pitch in TUNE]
    assert all(low <= tune for tune, *lows in zip(heard[::3], heard[1::3], heard[2::3], strict=True) for low in lows)


def test_what_is_heard_is_to_have_figures_of_the_players_and_to_end_well() -> None:
    theirs, other = [60, 64, 62, 65, 64, 60], [60, 61, 71, 66, 50, 60]
    figures = frozenset(grams(steps_of(theirs), 3))

    def rated(heard: Sequence[int]) -> float:
        """Return the points of one and the same tune, where this is heard of it."""
        return Fitness(brief_of(line(TUNE, 0.9), surface=Surface(lambda _: heard, figures)), None).rate(line(TUNE, 0.9))

    assert rated(theirs) > rated(other) + 1
    assert rated(theirs) > rated([*theirs[:-1], 62]) + 1
