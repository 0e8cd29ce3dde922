"""Players with ten fingers or one line, in many keys, modes, tempi and textures, for `tests.benchmarks.ear`.

Their harmony is a row of chords, one to a bar; the left hand plays them in a texture (`ear_textures`), and the right
hand a tune whose notes on the beat belong to the chord. Players of one line are those of `tests.home_players`, and
some who play runs, trills, or next to nothing. All have human timing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from improviser.core.music.note import Note
from improviser.core.music.scales import STEPS
from tests.benchmarks.ear_textures import TEXTURES, Chord
from tests.home_players import played

LATEST_SECONDS = 0.02
"""No note is further from its time."""
STABLE = (0, 3, 4, 7)


@dataclass(frozen=True, slots=True)
class Player:
    """What somebody plays.

    :param phrases: the notes, phrase by phrase.
    :param home: the pitch class of the home note; None where there is none.
    :param scale: the pitch classes of the scale.
    :param roots: where each harmony begins (seconds), and the pitch class of its root.
    :param border: the lowest pitch of the right hand, if there are two.
    :param sections: of a player who modulates, where each key begins (seconds), and its tonic.
    """

    phrases: tuple[tuple[Note, ...], ...]
    home: int | None = None
    scale: frozenset[int] = frozenset()
    roots: tuple[tuple[float, int], ...] = ()
    border: int | None = None
    sections: tuple[tuple[float, int], ...] = ()

    @property
    def notes(self) -> list[Note]:
        """All notes, in order of onset."""
        return sorted((note for notes in self.phrases for note in notes), key=lambda note: note.onset_seconds)

    @property
    def stable(self) -> frozenset[int]:
        """The pitch classes of the tonic triads."""
        return frozenset() if self.home is None else frozenset((self.home + step) % 12 for step in STABLE)


MAJOR, MINOR, SEVENTH, MINOR_SEVENTH, MAJOR_SEVENTH = (0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 3, 7, 10), (0, 4, 7, 11)
Row = tuple[tuple[int, tuple[int, ...]], ...]
PROGRESSIONS: Mapping[str, Row] = {
    "pop": ((0, MAJOR), (7, MAJOR), (9, MINOR), (5, MAJOR)),
    "doo-wop": ((0, MAJOR), (9, MINOR), (5, MAJOR), (7, MAJOR)),
    "cadence": ((0, MAJOR), (5, MAJOR), (7, MAJOR), (0, MAJOR)),
    "minor": ((0, MINOR), (5, MINOR), (7, MAJOR), (0, MINOR)),
    "aeolian": ((0, MINOR), (8, MAJOR), (3, MAJOR), (10, MAJOR)),
    "dorian": ((0, MINOR), (5, MAJOR), (0, MINOR), (10, MAJOR)),
    "mixolydian": ((0, MAJOR), (10, MAJOR), (5, MAJOR), (0, MAJOR)),
    "phrygian": ((0, MINOR), (1, MAJOR), (10, MINOR), (0, MINOR)),
    "blues": ((0, SEVENTH), (5, SEVENTH), (7, SEVENTH), (0, SEVENTH)),
    "jazz": ((2, MINOR_SEVENTH), (7, SEVENTH), (0, MAJOR_SEVENTH), (9, SEVENTH)),
    "modal": ((0, MINOR), (0, MINOR), (0, MINOR), (0, MINOR)),
}
SCALES = {
    "pop": "major", "doo-wop": "major", "cadence": "major", "minor": "minor", "aeolian": "minor", "dorian": "dorian",
    "mixolydian": "mixolydian", "phrygian": "phrygian", "blues": "mixolydian", "jazz": "major", "modal": "dorian",
}  # fmt: skip
RHYTHMS: Mapping[int, tuple[tuple[float, ...], ...]] = {
    3: ((1.0, 1.0, 1.0), (2.0, 1.0), (1.5, 0.5, 1.0), (3.0,), (1.0, 0.5, 0.5, 1.0)),
    4: ((1.0, 1.0, 1.0, 1.0), (1.0, 0.5, 0.5, 2.0), (0.5, 0.5, 1.0, 0.5, 0.5, 1.0), (1.5, 0.5, 2.0), (2.0, 1.0, 1.0)),
}


@dataclass(frozen=True, slots=True)
class Hands:
    """A player with two hands.

    :param spread: how far apart the notes of a chord are, in seconds, from the lowest on.
    :param legato: how much of its written length a note of the tune sounds.
    :param thick: whether the right hand plays a sixth or third below its tune as well.
    """

    texture: str
    progression: str
    tonic: int
    bpm: float
    beats: int = 4
    rounds: int = 4
    lowest: int = 40
    spread: float = 0.0
    legato: float = 0.92
    swing: bool = False
    rubato: float = 0.0
    thick: bool = False
    height: int = 67
    seed: int = 1
    rest_beats: int = 0

    def play(self) -> Player:
        """Return what is played: a phrase to each round of the chords."""
        rng = np.random.default_rng((self.seed, self.tonic))
        scale = {(self.tonic + step) % 12 for step in STEPS[SCALES[self.progression]]}
        second, phrases, roots, latest = 0.5, [], [], self.height + 5
        tunes: dict[tuple[int, int], list[tuple[float, float, int]]] = {}
        for number in range(self.rounds):
            notes: list[Note] = []
            for bar, (degree, steps) in enumerate(PROGRESSIONS[self.progression]):
                root = self.lowest + (self.tonic + degree - self.lowest) % 12
                chord, beat = Chord(root, steps), 60 / self.bpm * float(np.exp(rng.normal(0.0, self.rubato)))
                kind = bar, number % 2
                if kind not in tunes:
                    tunes[kind], latest = self._tune(rng, chord, scale, latest)
                roots.append((second, root % 12))
                for onset, length, pitches in TEXTURES[self.texture](chord, self.beats):
                    for place, pitch in enumerate(sorted(pitches)):
                        late = place * self.spread + self._jitter(rng)
                        notes.append(self._note(rng, pitch, second, onset, length * 0.92, beat, late, 66))
                for onset, length, pitch in tunes[kind]:
                    below = [pitch - step for step in (3, 4, 8, 9) if (pitch - step) % 12 in chord_classes(chord)]
                    for each in (pitch, *below[: self.thick]):
                        late = self._jitter(rng)
                        notes.append(self._note(rng, each, second, onset, length * self.legato, beat, late, 88))
                second += self.beats * beat
            phrases.append(tuple(without_overlaps(notes)))
            second += self.rest_beats * 60 / self.bpm
        return Player(tuple(phrases), self.tonic, frozenset(scale), tuple(roots), border=min(60, self.height - 8))

    def _note(
        self, rng: np.random.Generator, pitch: int, start: float, onset: float, length: float, beat: float,
        late: float, velocity: int,
    ) -> Note:  # fmt: skip
        swung = onset + 0.16 if self.swing and abs(onset % 1 - 0.5) < 0.01 else onset
        loud = int(np.clip(rng.normal(velocity, 5), 30, 120))
        return Note(pitch, max(0.0, start + swung * beat + late), max(0.03, length * beat), loud)

    @staticmethod
    def _jitter(rng: np.random.Generator) -> float:
        return float(np.clip(rng.normal(0, 0.008), -LATEST_SECONDS, LATEST_SECONDS))

    def _tune(
        self, rng: np.random.Generator, chord: Chord, scale: set[int], latest: int
    ) -> tuple[list[tuple[float, float, int]], int]:
        """Return a bar of tune: onset and length in beats, pitch; and its last pitch."""
        rhythms, onset, tune = RHYTHMS[self.beats], 0.0, []
        for length in rhythms[int(rng.integers(len(rhythms)))]:
            classes = chord_classes(chord) if onset % 1 == 0 else scale
            near = [
                pitch
                for pitch in range(max(self.height, latest - 5), min(self.height + 17, latest + 6))
                if pitch % 12 in classes and pitch != latest
            ]
            if not near:
                near = [pitch for pitch in range(self.height, self.height + 17) if pitch % 12 in classes]
            latest = int(rng.choice(near))
            tune.append((onset, length, latest))
            onset += length
        return tune, latest


def chord_classes(chord: Chord) -> set[int]:
    """Return the pitch classes of a chord."""
    return {(chord.root + step) % 12 for step in chord.steps}


def without_overlaps(notes: Sequence[Note]) -> list[Note]:
    """Return notes in order; of those with the same key each ends before the next begins."""
    ordered, following, found = sorted(notes, key=lambda note: note.onset_seconds), dict[int, float](), []
    for note in reversed(ordered):
        ends = min(note.end_seconds, following.get(note.pitch, np.inf) - 0.015)
        if ends > note.onset_seconds:
            found.append(Note(note.pitch, note.onset_seconds, ends - note.onset_seconds, note.velocity))
            following[note.pitch] = note.onset_seconds
    return found[::-1]


def line(mode: str, tonic: int, bpm: float, seed: int = 1, phrases: int = 16) -> Player:
    """Return a player of one line: four riffs in a mode, in any order."""
    scale = frozenset((tonic + step) % 12 for step in STEPS[mode])
    own = tuple(tuple(notes) for notes in played(mode, tonic, seed, bpm=bpm, phrases=phrases))
    return Player(own, tonic, scale)


def moved_by(player: Player, semitones: int) -> Player:
    """Return a player who plays the same, higher or lower."""
    phrases = tuple(
        tuple(Note(note.pitch + semitones, note.onset_seconds, note.duration_seconds, note.velocity) for note in notes)
        for notes in player.phrases
    )
    home = None if player.home is None else (player.home + semitones) % 12
    return Player(phrases, home, frozenset((each + semitones) % 12 for each in player.scale))


def fast(
    pattern: str, tonic: int, per_second: float, seed: int = 1, lasts: float = 0.9, jitter: float = 0.004
) -> Player:
    """Return a player of fast passages: scales, broken chords, trills, tremolo, or repeated notes.

    :param lasts: how long a note sounds, against the time to the next.
    """
    rng, second, phrases = np.random.default_rng(seed), 0.5, []
    steps = [36 + tonic % 12 + 12 * octave + step for octave in range(6) for step in STEPS["major"]]
    for _ in range(8):
        place, up, notes = int(rng.integers(14, 20)), 1, []
        for number in range(24):
            offset = {
                "scales": number if number < 12 else 24 - number,
                "broken": (0, 2, 4, 7)[number % 4] + number // 8,
                "trills": number % 2,
                "tremolo": 7 * (number % 2),
                "repeated": number // 6,
            }[pattern]
            late = float(np.clip(rng.normal(0, jitter), -2.5 * jitter, 2.5 * jitter))
            notes.append(Note(steps[place + up * offset], max(0.0, second + late), lasts / per_second, 80))
            second += 1 / per_second
        phrases.append(tuple(without_overlaps(notes)))
        second += 1.4
    return Player(tuple(phrases), tonic, frozenset((tonic + step) % 12 for step in STEPS["major"]))


def sparse(tonic: int, mode: str = "major", seed: int = 1, notes: int = 12, size: int = 1) -> Player:
    """Return a player of single notes, or two, some seconds apart."""
    rng, second, phrases = np.random.default_rng(seed), 0.5, []
    scale = [pitch for pitch in range(53, 82) if (pitch - tonic) % 12 in STEPS[mode]]
    for _ in range(notes):
        some = []
        for _ in range(size):
            some.append(Note(int(rng.choice(scale)), second, 0.9, 72))
            second += 1.0
        phrases.append(tuple(some))
        second += float(rng.uniform(2.2, 4.2))
    return Player(tuple(phrases), tonic, frozenset(pitch % 12 for pitch in scale))


def rubato(mode: str, tonic: int, seed: int = 1) -> Player:
    """Return a player of one line without a steady beat."""
    rng, second, phrases = np.random.default_rng(seed), 0.5, []
    for notes in played(mode, tonic, seed, bpm=60.0, phrases=10, riffs=False):
        some = []
        for note in notes:
            length = float(np.exp(rng.normal(-0.6, 0.5)))
            some.append(Note(note.pitch, second, 0.93 * length, int(np.clip(rng.normal(72, 12), 30, 110))))
            second += length
        phrases.append(tuple(some))
        second += 2.0
    return Player(tuple(phrases), tonic, frozenset((tonic + step) % 12 for step in STEPS[mode]))


def modulating(tonics: Sequence[int], bpm: float, seed: int = 1, mode: str = "major", riffs: int = 3) -> Player:
    """Return a player of one line in one key of a mode after the other, so many riffs each.

    Its `scale` is that of the mode, in semitones above a tonic; a minor key has its leading note as well.
    """
    phrases: list[tuple[Note, ...]] = []
    sections, second = [], 0.0
    for tonic in tonics:
        sections.append((second, tonic))
        own = played(mode, tonic, seed, bpm=bpm, phrases=riffs, riffs=False)
        phrases += [
            tuple(Note(note.pitch, note.onset_seconds + second, note.duration_seconds, 80) for note in notes)
            for notes in own
        ]
        second = phrases[-1][-1].end_seconds
    leading = (11,) if mode == "minor" else ()
    return Player(tuple(phrases), scale=frozenset((*STEPS[mode], *leading)), sections=tuple(sections))


@dataclass(frozen=True, slots=True)
class Cast:
    """All players, by what they are asked for."""

    hands: Mapping[str, Callable[[], Player]] = field(default_factory=dict)
    lines: Mapping[str, Callable[[], Player]] = field(default_factory=dict)
    fast: Mapping[str, Callable[[], Player]] = field(default_factory=dict)
    walking: Mapping[str, Callable[[], Player]] = field(default_factory=dict)
    sparse: Mapping[str, Callable[[], Player]] = field(default_factory=dict)
    modulating: Mapping[str, Callable[[], Player]] = field(default_factory=dict)


CAST = Cast(
    hands={
        "block, D minor": Hands("block", "minor", 2, 84).play,
        "block, A flat, low": Hands("block", "pop", 8, 100, lowest=36, seed=2).play,
        "block, E minor, legato": Hands("block", "aeolian", 4, 76, legato=1.05, seed=3).play,
        "inverted, F": Hands("inverted", "doo-wop", 5, 92, seed=4).play,
        "inverted, B minor, rolled": Hands("inverted", "aeolian", 11, 66, spread=0.018, seed=5).play,
        "hymn, E flat": Hands("hymn", "cadence", 3, 72, thick=True, seed=6).play,
        "hymn, G minor": Hands("hymn", "minor", 7, 66, thick=True, seed=7).play,
        "waltz, G": Hands("waltz", "cadence", 7, 150, beats=3, lowest=38, seed=8).play,
        "waltz, C minor": Hands("waltz", "minor", 0, 126, beats=3, lowest=36, seed=9).play,
        "stride, F": Hands("stride", "doo-wop", 5, 116, lowest=36, seed=10).play,
        "ragtime, C": Hands("ragtime", "cadence", 0, 88, lowest=43, seed=11).play,
        "boogie, C": Hands("boogie", "blues", 0, 138, lowest=36, swing=True, seed=12).play,
        "alberti, C": Hands("alberti", "cadence", 0, 112, lowest=48, seed=13).play,
        "alberti, A minor": Hands("alberti", "minor", 9, 96, lowest=45, seed=14).play,
        "arpeggio, D": Hands("arpeggio", "pop", 2, 70, lowest=38, seed=15).play,
        "arpeggio, F sharp minor, rubato": Hands("arpeggio", "aeolian", 6, 60, rubato=0.12, seed=16).play,
        "repeated, E minor": Hands("repeated", "aeolian", 4, 120, lowest=40, seed=17).play,
        "drone, D dorian": Hands("drone", "modal", 2, 96, lowest=38, seed=18).play,
        "drone, G mixolydian": Hands("drone", "mixolydian", 7, 108, lowest=41, seed=19).play,
        "block, E phrygian": Hands("block", "phrygian", 4, 88, lowest=40, seed=20).play,
        "shell, B flat": Hands("shell", "jazz", 10, 132, lowest=41, swing=True, seed=21).play,
        "block sevenths, F": Hands("block", "jazz", 5, 108, lowest=43, swing=True, seed=22).play,
        "counterpoint, G": Hands("counterpoint", "cadence", 7, 100, lowest=43, seed=23).play,
        "counterpoint, D minor": Hands("counterpoint", "minor", 2, 84, lowest=40, seed=24).play,
        "shuffle, E": Hands("shuffle", "blues", 4, 112, lowest=40, swing=True, seed=25).play,
        "rootless, E flat": Hands("rootless", "jazz", 3, 126, lowest=46, swing=True, seed=26).play,
        "fourths, D dorian": Hands("fourths", "dorian", 2, 104, lowest=45, seed=27).play,
        "tango, G minor": Hands("tango", "minor", 7, 112, lowest=36, seed=28).play,
        "crossing, A minor": Hands("crossing", "aeolian", 9, 80, lowest=40, seed=29).play,
        "tenths, B flat": Hands("tenths", "doo-wop", 10, 63, lowest=36, seed=30).play,
        "octaves, C sharp minor, thick": Hands("octaves", "aeolian", 1, 92, lowest=44, thick=True, seed=31).play,
        "block, E, high": Hands("block", "doo-wop", 4, 96, lowest=55, height=74, seed=32).play,
        "block, F minor, high": Hands("block", "minor", 5, 84, lowest=54, height=71, seed=33).play,
        "block, B flat, very low": Hands("block", "pop", 10, 70, lowest=29, seed=34).play,
        "hymn, A, slow": Hands("hymn", "cadence", 9, 52, thick=True, legato=1.02, seed=35).play,
        "waltz, A flat, rubato": Hands("waltz", "cadence", 8, 138, beats=3, lowest=40, rubato=0.1, seed=36).play,
        "gospel, A flat": Hands("gospel", "doo-wop", 8, 76, lowest=44, swing=True, thick=True, seed=37).play,
        "comping, B flat": Hands("comping", "jazz", 10, 126, lowest=41, swing=True, seed=38).play,
        "voiced, C": Hands("voiced", "jazz", 0, 112, lowest=43, swing=True, seed=39).play,
        "voiced, G": Hands("voiced", "jazz", 7, 126, lowest=43, swing=True, seed=40).play,
    },
    lines={
        "major, E flat": lambda: line("major", 3, 104, 1),
        "major, A, fast": lambda: line("major", 9, 168, 2),
        "minor, F sharp": lambda: line("minor", 6, 92, 3),
        "dorian, G": lambda: line("dorian", 7, 116, 4),
        "phrygian, B": lambda: line("phrygian", 11, 84, 5),
        "lydian, F": lambda: line("lydian", 5, 100, 6),
        "mixolydian, D": lambda: line("mixolydian", 2, 126, 7),
        "pentatonic, G": lambda: line("pentatonic", 7, 88, 8),
        "pentatonic minor, C": lambda: line("minor-pentatonic", 0, 112, 9),
        "blues, E": lambda: line("blues", 4, 120, 10),
        "low minor, D": lambda: moved_by(line("minor", 2, 96, 11), -17),
        "high major, C": lambda: moved_by(line("major", 0, 96, 12), 12),
        "rubato, A minor": lambda: rubato("minor", 9, 13),
    },
    fast={
        "scales, 12 a second": lambda: fast("scales", 0, 12, 1),
        "scales, 7 a second": lambda: fast("scales", 9, 7, 2),
        "scales, 16 a second": lambda: fast("scales", 4, 16, 3),
        "broken chords, 9 a second": lambda: fast("broken", 7, 9, 4),
        "trills, 11 a second": lambda: fast("trills", 2, 11, 5),
        "tremolo, 10 a second": lambda: fast("tremolo", 5, 10, 6),
        "repeated, 8 a second": lambda: fast("repeated", 10, 8, 7),
        "scales, 5 a second": lambda: fast("scales", 3, 5, 8),
        "broken chords, 13 a second, legato": lambda: fast("broken", 9, 13, 11, lasts=1.15, jitter=0.008),
        "broken chords, 15 a second, legato": lambda: fast("broken", 4, 15, 12, lasts=1.02, jitter=0.006),
        "broken chords, 17 a second, legato": lambda: fast("broken", 0, 17, 13, lasts=1.3, jitter=0.003),
        "tremolo, 14 a second, legato": lambda: fast("tremolo", 2, 14, 14, lasts=1.15, jitter=0.006),
        "trills, 13 a second, uneven": lambda: fast("trills", 7, 13, 15, jitter=0.012),
    },
    walking={
        "walking, F, 132": Hands("walking", "jazz", 5, 132, lowest=40, swing=True, seed=71).play,
        "walking, B flat, 150": Hands("walking", "jazz", 10, 150, lowest=38, swing=True, seed=72).play,
        "walking, D minor, 168": Hands("walking", "minor", 2, 168, lowest=41, swing=True, seed=73).play,
        "walking in three, E aeolian, 144": Hands("walking", "aeolian", 4, 144, beats=3, lowest=39, seed=74).play,
        "counterpoint, G, 138": Hands("counterpoint", "cadence", 7, 138, lowest=43, seed=75).play,
        "counterpoint, C minor, 160": Hands("counterpoint", "minor", 0, 160, lowest=41, seed=76).play,
        "alberti, A flat, 72": Hands("alberti", "pop", 8, 72, lowest=44, seed=77).play,
    },
    sparse={
        "sparse, G": lambda: sparse(7, "major", 1),
        "sparse, D dorian": lambda: sparse(2, "dorian", 2),
        "sparse, A minor, twos": lambda: sparse(9, "minor", 3, size=2),
    },
    modulating={
        "near keys": lambda: modulating((0, 7, 2, 9, 4, 11), 104, 1),
        "far keys": lambda: modulating((5, 9, 1, 8, 0, 6), 112, 2),
        "a semitone up": lambda: modulating((3, 4, 5, 6, 7, 8), 96, 3),
        "minor, thirds": lambda: modulating((9, 0, 4, 7, 3, 11), 108, 4, "minor"),
        "dorian, tones": lambda: modulating((2, 4, 6, 8, 10, 0), 92, 5, "dorian"),
        "mixolydian, fourths": lambda: modulating((7, 0, 5, 10, 3, 8), 120, 6, "mixolydian"),
        "major, two riffs a key": lambda: modulating((0, 4, 9, 1, 6, 2, 10), 126, 7, riffs=2),
    },
)
