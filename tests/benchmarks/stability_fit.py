"""Breeds the constants by which replies come home (`core.live.replying.stability`), and prints how often they do.

Run it from the repository's folder (a quarter of an hour on one core, or 0 generations for the figures alone)::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus python -m tests.benchmarks.stability_fit --generations 60

Bred on composed players of four seeds, players in nine modes, players in scales drawn by lot, players of two hands, and
folk tunes whose home is their last note. Shown for other seeds, for the players of `ear`, for other tunes, and for
players who modulate: the share of ends that would be on the home triad, if an end were drawn among the stable notes.
No reply is made, and no model is asked.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from improviser.core.evolution.cma import SepCma
from improviser.core.live.replying.evolving import STABLE_GOAL
from improviser.core.live.replying.said_chords import basses_of, left_chords_of
from improviser.core.live.replying.stability import BASS_PHRASES, BRED, Judgement, Said, stability
from improviser.core.midi.event import NoteOn
from improviser.core.music.functional_keys import Chord
from improviser.core.music.home import MODES, HomeTracker
from improviser.core.music.note import Note
from improviser.core.music.phrase import CHORD_SECONDS, Heard, Phrase
from improviser.training.folk_tunes import STYLES, load_folk
from tests.benchmarks.composed_players import COMPOSED, TWO_HANDS, composed
from tests.benchmarks.ear_players import CAST, PROGRESSIONS, STABLE, Hands, Player
from tests.benchmarks.ear_textures import TEXTURES
from tests.benchmarks.unusual_players import UNUSUAL, Habit
from tests.home_players import played

SHARP = 8.0
"""How sharply the most stable notes are preferred while breeding: there a threshold would hide what gets better."""
DEGREES: Sequence[tuple[str, Sequence[int]]] = (
    *(("ends", degrees) for degrees in ([0], [2], [3, 4], [5], [7], [10], [11])),
    *(("begins", degrees) for degrees in ([0], [3, 4], [7])),
    *(("notes", degrees) for degrees in ([0], [3, 4], [7])),
    *(("bass_begins", degrees) for degrees in ([0], [7], [8, 9])),
    *(("bass_ends", degrees) for degrees in ([0], [7], [10])),
    *(("two_hands_end", degrees) for degrees in ([0], [2], [3, 4], [7])),
)
"""What is bred besides the weights of the key finder: tables of the judgement, by degrees that have one value."""
GAP_SECONDS, REPLY_SECONDS = 0.45, 0.8


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said when it is the improviser's turn; where home is, and the pitch classes that it may end on."""

    said: Said
    home: int
    used: NDArray[np.bool_]


def chords_of(notes: Sequence[Note]) -> list[list[int]]:
    """Return the pitches that begin together."""
    found: list[list[int]] = []
    onset = -1.0
    for note in notes:
        if note.onset_seconds - onset >= CHORD_SECONDS:
            found.append([])
            onset = note.onset_seconds
        found[-1].append(note.pitch)
    return found


def phrase_of(notes: Sequence[Note]) -> Phrase:
    """Return notes as a phrase of the player's that is over."""
    heard = [Heard(NoteOn(0, note.pitch, note.velocity), note.onset_seconds, note.end_seconds) for note in notes]
    return Phrase(tuple(heard), max(note.end_seconds for note in notes), 0.5)


def turns(phrases: Sequence[Sequence[Note]], homes: Sequence[int], border: int | None = None) -> list[Turn]:
    """Return the turns of a player who waits for a reply as long as the phrase, which is not heard here."""
    tracker, now, heard = HomeTracker(), 0.5, list[NDArray[np.float64]]()
    tunes, basses, found = list[tuple[int, ...]](), list[list[int]](), list[Turn]()
    chords = list[list[Chord]]()
    for phrase, home in zip(phrases, homes, strict=True):
        notes = sorted(phrase, key=lambda note: note.onset_seconds)
        first = notes[0].onset_seconds
        for note in notes:
            tracker.hear(note.pitch, now + note.onset_seconds - first)
        end = now + max(note.end_seconds for note in notes) - first
        heard.append(tracker.chances(end + GAP_SECONDS))
        right = [note for note in notes if border is None or note.pitch >= border] or notes
        tunes.append(tuple(max(chord) for chord in chords_of(right)))
        said = Said(heard[-24:], tunes[:])
        if border is not None:
            basses.append(basses_of(phrase_of(notes)))
            chords.append(left_chords_of(phrase_of(notes), border))
            said = replace(said, basses=basses[-BASS_PHRASES:], chords=chords[-BASS_PHRASES:])
        there = {pitch % 12 for tune in tunes for pitch in tune}
        found.append(Turn(said, home, np.array([each in there for each in range(12)])))
        now = end + GAP_SECONDS + (end - now) + REPLY_SECONDS
    return found


def of(player: Player) -> list[Turn]:
    """Return the turns of a player of the tables of `ear`."""
    homes = [0 if player.home is None else player.home] * len(player.phrases)
    if player.sections:
        begins = [phrase[0].onset_seconds for phrase in player.phrases]
        homes = [[tonic for since, tonic in player.sections if since <= onset + 1e-6][-1] for onset in begins]
    return turns(player.phrases, homes, player.border)


def folk(style: str, skip: int, count: int = 20) -> Iterator[list[Turn]]:
    """Yield the turns of folk tunes, each played twice, cut into phrases of eight quarters or at a long note."""
    pieces = load_folk(style)
    for number in np.random.default_rng(1).permutation(len(pieces))[skip : skip + count]:
        notes, phrases, start = pieces[number].voices[0], list[list[Note]]([[]]), 0.0
        for note in notes:
            phrases[-1].append(note)
            seconds = note.end_seconds - start
            if seconds >= 4.0 or (seconds >= 2.0 and note.duration_seconds >= 0.5):
                phrases.append([])
                start = note.end_seconds
        phrases = [phrase for phrase in phrases if len(phrase) > 2] * 2
        if len(phrases) >= 8:
            yield turns(phrases, [notes[-1].pitch % 12] * len(phrases))


def sevenths(rng: np.random.Generator, count: int) -> Iterator[list[Turn]]:
    """Yield the turns of players of ii V I VI, with and without roots, in any key and tempo."""
    for number in range(count):
        texture, tonic = ("voiced", "block", "rootless", "shell", "comping")[number % 5], int(rng.integers(12))
        bpm, lowest = float(rng.integers(80, 150)), int(rng.integers(40, 46))
        yield of(Hands(texture, "jazz", tonic, bpm, 4, 8, lowest, swing=True, seed=600 + number, rest_beats=4).play())


def bred_on() -> Mapping[str, list[list[Turn]]]:
    """Return the players to breed on, by kind."""
    rng, hands, scales = np.random.default_rng(5), list[list[Turn]](), list[list[Turn]]()
    for number in range(90):
        texture, progression = str(rng.choice([*TEXTURES])), str(rng.choice([*PROGRESSIONS]))
        if texture in {"voiced", "shell", "rootless", "comping"}:
            progression = "jazz"
        tonic, bpm, lowest = int(rng.integers(12)), float(rng.integers(70, 140)), int(rng.integers(38, 46))
        beats = 3 if texture == "waltz" else 4
        player = Hands(texture, progression, tonic, bpm, beats, 8, lowest, seed=100 + number, rest_beats=4)
        hands.append(of(player.play()))
    for number in range(36):
        others = rng.choice(np.arange(1, 12), int(rng.integers(4, 8)), replace=False)
        habit = Habit(int(rng.integers(12)), (0, *sorted(others.tolist())), 100.0, 200 + number, phrases=20)
        scales.append(of(habit.play()))
    modes = [
        turns(played(mode.name, tonic, 100 + tonic, bpm=100.0, phrases=20), [tonic] * 20)
        for mode in MODES
        for tonic in (0, 3, 7, 10)
    ]
    tunes = [each for style in STYLES for each in folk(style, 0)]
    people = [of(play()) for seed in (2, 3, 4, 5) for play in composed(seed).values()]
    return {"composed": people, "two hands": hands, "scales by lot": scales, "modes": modes, "folk tunes": tunes}


def shown_for() -> Mapping[str, list[list[Turn]]]:
    """Return other players, by kind."""
    kinds = {
        "composed": COMPOSED, "composed again": composed(1), "composed, two hands": TWO_HANDS, "lines": CAST.lines,
        "hands": CAST.hands, "unusual": UNUSUAL, "modulating": CAST.modulating,
    }  # fmt: skip
    found = {name: [of(play()) for play in players.values()] for name, players in kinds.items()}
    found["seventh chords"] = [*sevenths(np.random.default_rng(7), 30)]
    return {**found, "folk tunes": [each for style in STYLES for each in folk(style, 20)]}


def ends(player: Sequence[Turn], judgement: Judgement, *, sharp: bool = False) -> float:
    """Return the share of ends that would be on the home triad."""
    shares = []
    for turn in player:
        stable = np.array(stability(turn.said, judgement)) * turn.used
        stable /= stable.max()
        chances = stable**SHARP if sharp else np.where(stable >= STABLE_GOAL, stable, 0.0)
        shares.append(sum(chances[(turn.home + step) % 12] for step in STABLE) / chances.sum())
    return float(np.mean(shares))


def judgement_of(genome: NDArray[np.float32]) -> Judgement:
    """Return the judgement of a genome: what is added to the constants in the file."""
    now, before, elsewhere, *others = genome.tolist()
    tables = {
        "ends": BRED.ends + elsewhere, "begins": BRED.begins.copy(), "notes": BRED.notes.copy(),
        "bass_begins": BRED.bass_begins.copy(), "bass_ends": BRED.bass_ends.copy(),
        "two_hands_end": BRED.two_hands_end.copy(),
    }  # fmt: skip
    for (name, degrees), gene in zip(DEGREES, others, strict=True):
        tables[name][[*degrees]] += gene
    return Judgement(
        max(0.0, BRED.now + now), max(0.0, BRED.before + before), BRED.doubt, harmony=BRED.harmony, **tables
    )


def show(judgement: Judgement, kinds: Mapping[str, list[list[Turn]]]) -> None:
    """Print the share of ends at home by kind of player, and of players where it is below the target."""
    for name, players in kinds.items():
        shares = np.array([ends(player, judgement) for player in players])
        print(f"{name:<22} {shares.mean():.3f}   below .75: {np.mean(shares < 0.75):.2f}", flush=True)


def main() -> None:
    """Breed, and print the constants and the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--population", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    others = shown_for()
    show(BRED, others)
    if not options.generations:
        return
    size = 3 + len(DEGREES)
    strategy = SepCma(
        np.zeros(size, np.float32), options.population, np.random.default_rng(options.seed), averaging=0.8
    )
    kinds = bred_on()
    for generation in range(options.generations):
        found = [judgement_of(genome) for genome in strategy.ask().copy()]
        shares = [[np.mean([ends(each, one, sharp=True) for each in some]) for some in kinds.values()] for one in found]
        strategy.tell(np.mean(shares, axis=1))
        print(generation + 1, f"{np.max(np.mean(shares, axis=1)):.4f}", flush=True)
    print(judgement_of(strategy.champion))
    show(judgement_of(strategy.champion), others)


if __name__ == "__main__":
    main()
