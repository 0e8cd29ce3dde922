"""What left hands play, for `tests.benchmarks.ear_players`: a chord of one bar, in many textures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Struck = tuple[float, float, tuple[int, ...]]
"""What a left hand plays: beat, length in beats, pitches."""


@dataclass(frozen=True, slots=True)
class Chord:
    """A harmony of one bar: its root (MIDI, in the left hand's lowest octave) and the steps above it."""

    root: int
    steps: tuple[int, ...]

    def at(self, number: int) -> int:
        """Return the pitch of a tone of the chord, counted from the root upwards, on through the octaves."""
        return self.root + 12 * (number // len(self.steps)) + self.steps[number % len(self.steps)]


def block(chord: Chord, beats: int) -> list[Struck]:
    """Return the chord, close, twice a bar."""
    half = beats / 2
    return [(beat, half, tuple(chord.at(number) for number in range(len(chord.steps)))) for beat in (0.0, half)]


def inverted(chord: Chord, beats: int) -> list[Struck]:
    """Return the chord in the inversion that is nearest to the F below middle C, once a bar."""
    low = min(range(6), key=lambda number: abs(chord.at(number) - 53))
    return [(0.0, beats, tuple(chord.at(low + number) for number in range(3)))]


def hymn(chord: Chord, beats: int) -> list[Struck]:
    """Return bass and tenor on each beat."""
    return [(float(beat), 1.0, (chord.at(0), chord.at((4, 5, 4, 2)[beat % 4]))) for beat in range(beats)]


def waltz(chord: Chord, beats: int) -> list[Struck]:
    """Return the bass, and the chord on the other beats."""
    upper = tuple(chord.at(number) for number in (3, 4, 5))
    return [(0.0, 1.0, (chord.at(0),)), *((float(beat), 0.6, upper) for beat in range(1, beats))]


def stride(chord: Chord, beats: int) -> list[Struck]:
    """Return bass, chord, fifth, chord."""
    upper = tuple(chord.at(number) for number in (3, 4, 5))
    low = (chord.root, chord.root - 5)
    return [(float(beat), 0.7, (low[beat // 2 % 2],) if beat % 2 == 0 else upper) for beat in range(beats)]


def ragtime(chord: Chord, beats: int) -> list[Struck]:
    """Return octaves and chords in quavers."""
    upper = tuple(chord.at(number) for number in (3, 4, 5))
    low = (chord.root - 12, chord.root)
    return [(beat / 2, 0.4, low if beat % 2 == 0 else upper) for beat in range(2 * beats)]


def boogie(chord: Chord, beats: int) -> list[Struck]:
    """Return a walking bass in quavers: root, third, fifth, sixth and back."""
    steps = (0, 4, 7, 9, 10, 9, 7, 4)
    return [(place / 2, 0.45, (chord.root + steps[place % 8],)) for place in range(2 * beats)]


def alberti(chord: Chord, beats: int) -> list[Struck]:
    """Return low, high, middle, high."""
    return [(place / 2, 0.5, (chord.at((0, 2, 1, 2)[place % 4]),)) for place in range(2 * beats)]


def arpeggio(chord: Chord, beats: int) -> list[Struck]:
    """Return the chord broken over an octave and a half, as if a pedal kept it."""
    row = (0, 2, 3, 4, 5, 4, 3, 2)
    return [(place / 2, beats - place / 2, (chord.at(row[place % 8]),)) for place in range(2 * beats) if place < 5]


def repeated(chord: Chord, beats: int) -> list[Struck]:
    """Return the chord in quavers."""
    pitches = tuple(chord.at(number) for number in range(3))
    return [(place / 2, 0.4, pitches) for place in range(2 * beats)]


def drone(chord: Chord, beats: int) -> list[Struck]:
    """Return root and fifth, for a whole bar."""
    return [(0.0, beats, (chord.root, chord.root + 7))]


def shell(chord: Chord, beats: int) -> list[Struck]:
    """Return root and seventh, and then third and seventh off the beat."""
    seventh, third = chord.at(3), chord.at(5)
    return [(0.0, 1.4, (chord.root, seventh)), (1.66, beats - 2.0, (third - 12, seventh))]


def counterpoint(chord: Chord, beats: int) -> list[Struck]:
    """Return a second line of its own."""
    row = (0, 1, 2, 1)
    return [(float(beat), 1.0, (chord.at(row[beat % 4]),)) for beat in range(beats)]


def walking(chord: Chord, beats: int) -> list[Struck]:
    """Return a walking bass: the root, third and fifth, and a step below the root before the next."""
    steps = (0, chord.steps[1], chord.steps[2], 9)
    return [(float(beat), 1.0, (chord.root + (-1 if beat == beats - 1 else steps[beat]),)) for beat in range(beats)]


def shuffle(chord: Chord, beats: int) -> list[Struck]:
    """Return root with fifth, and with sixth, in turns: a blues shuffle."""
    return [(place / 2, 0.45, (chord.root, chord.root + (7, 7, 9, 9)[place % 4])) for place in range(2 * beats)]


def rootless(chord: Chord, beats: int) -> list[Struck]:
    """Return third, fifth, seventh and ninth, which leave the root to a bass."""
    voicing = tuple(sorted((chord.at(1), chord.at(2), chord.at(3), chord.root + 14)))
    return [(0.0, 1.5, voicing), (2.66, beats - 2.8, voicing)]


def fourths(chord: Chord, beats: int) -> list[Struck]:
    """Return fourths on top of each other, off the beat as well."""
    return [(beat, 0.8, (chord.root, chord.root + 5, chord.root + 10)) for beat in (0.0, 1.5, beats - 1.0)]


def tango(chord: Chord, beats: int) -> list[Struck]:
    """Return a habanera: bass, fifth, octave, fifth, and chords between them."""
    low = [(0.0, 1.4, (chord.root,)), (1.5, 0.45, (chord.root + 7,)), (2.0, 0.9, (chord.root + 12,))]
    return [*low, (float(beats - 1), 0.9, (chord.root + 7, *(chord.at(number) for number in (4, 5))))]


def crossing(chord: Chord, beats: int) -> list[Struck]:
    """Return a left hand that leaps from the bass to above the tune, and back."""
    return [
        (float(beat), 0.9, (chord.root,) if beat % 2 == 0 else (chord.at(1) + 36, chord.at(2) + 36))
        for beat in range(beats)
    ]


def tenths(chord: Chord, beats: int) -> list[Struck]:
    """Return root and tenth, and the fifth between them."""
    return [(0.0, beats, (chord.root, chord.at(4))), (beats / 2, beats / 2, (chord.at(2),))]


def octaves(chord: Chord, beats: int) -> list[Struck]:
    """Return the root in octaves on each beat."""
    return [(float(beat), 0.8, (chord.root - 12, chord.root)) for beat in range(beats)]


def gospel(chord: Chord, beats: int) -> list[Struck]:
    """Return octaves on the beat, and chords after them."""
    upper, low = tuple(chord.at(number) for number in (3, 4, 5)), (chord.root - 12, chord.root)
    struck = [(0.0, 0.9, low), (1.0, 0.8, upper), (1.5, 0.4, low[1:]), (2.0, 0.9, low), (2.66, 0.3, upper)]
    return [*struck, (float(beats - 1), 0.8, upper)]


def comping(chord: Chord, beats: int) -> list[Struck]:
    """Return the bass note, and the rest of the chord off the beat."""
    upper = tuple(chord.at(number) for number in range(1, len(chord.steps)))
    return [(0.0, 1.0, (chord.root,)), (1.5, 0.4, upper), (beats - 0.5, 0.4, upper)]


def voiced(chord: Chord, beats: int) -> list[Struck]:
    """Return four notes around G3 as jazz has them, without the root: third, fifth or sixth, seventh, ninth, turned."""
    fifth = 9 if chord.steps == (0, 4, 7, 10) else chord.steps[2]
    third, seventh = chord.steps[1], chord.steps[3]
    turned = ((third, fifth, seventh, 14), (seventh - 12, 2, third, fifth))
    choices = [tuple(sorted(chord.root + step + 12 * octave for step in each)) for each in turned for octave in (0, 1)]
    best = min(choices, key=lambda pitches: abs(sum(pitches) / 4 - 55))
    return [(0.0, 1.5, best), (2.66, beats - 2.8, best)]


TEXTURES: Mapping[str, Callable[[Chord, int], list[Struck]]] = {
    each.__name__: each
    for each in (
        block, inverted, hymn, waltz, stride, ragtime, boogie, alberti, arpeggio, repeated, drone, shell, counterpoint,
        shuffle, rootless, fourths, tango, crossing, tenths, octaves, gospel, comping, voiced, walking,
    )
}  # fmt: skip
