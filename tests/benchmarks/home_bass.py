"""How often the bass goes home under long home notes, and what that costs under Bach's sopranos.

Run it from the repository's folder (a minute on one core)::

    OPENBLAS_NUM_THREADS=1 uv run --extra corpus python -m tests.benchmarks.home_bass

First for random players in every mode (`tests.home_players`): how often the bass that is played has the root or the
fifth of home under home notes that last long (those of riffs that are heard for the first time too, which nobody could
foresee), and how many of its notes are foreign to the key, the first eight after a modulation and those after sixteen.
Then on the 186 chorales: how often Bach's bass, and `bach-bass` given Bach's past, has root or fifth under long and
under other home notes; and the bits a note as `core.live.answering.homeward` draws it there, by strength.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import improviser
from improviser.core.live.answering import homeward as live
from improviser.core.live.answering.tonality import Tonality
from improviser.core.music.home import MODES, WIDER, Home
from improviser.core.music.note import Note
from improviser.core.music.scales import STEPS
from improviser.core.networks.choir import normalised
from improviser.core.networks.responder import LogProbabilities
from improviser.training.chorales import load_chorales
from improviser.training.evaluation import answers
from tests.home_players import played

STRENGTHS = (1e-6, 0.5, 0.7, 0.8, 0.9, 0.95)
LONG = live.LONG


@dataclass(frozen=True, slots=True)
class Moment:
    """A note of a chorale's soprano, and what the bass thinks of it."""

    logs: LogProbabilities
    departing: LogProbabilities
    """The same after a note that does not belong to the key, see `core.live.answering.departing`."""
    home: Home
    chance: float
    pitch: int
    likely_long: float
    long: bool
    bass: int


def moments() -> Iterator[Moment]:
    """Yield the notes of all chorales that have a bass note."""
    model = improviser.load_model("bach-bass")
    for piece in load_chorales():
        player, own = piece.voices[0], piece.voice("bass") or ()
        responder, tonality, lengths = model.responder(), Tonality(), live.Lengths()
        usual = float(np.median([note.duration_seconds for note in player]))
        for note, bass in zip(player, answers(player, own), strict=True):
            if bass is not None:
                logs = normalised(responder.propose(note.pitch, note.onset_seconds))
                likely = lengths.likely_long(note.pitch)
                long = note.duration_seconds > LONG * usual
                chance = tonality.home_chance(note.pitch)
                departing = tonality.departing(logs, note.pitch)
                yield Moment(logs, departing, tonality.home, chance, note.pitch, likely, long, bass)
            responder.learn(note.pitch, note.onset_seconds, bass)
            tonality.count()
            tonality.hear(note.pitch, note.onset_seconds)
            tonality.renew(tonics=True)
            lengths.hear(note.pitch, note.onset_seconds)


def chorales() -> None:
    """Print the figures of the chorales."""
    found = list(moments())
    at_home = [moment for moment in found if moment.pitch % 12 == moment.home.tonic]
    for long in (True, False):
        some = [moment for moment in at_home if moment.long == long]
        bach = np.mean([(moment.bass - moment.home.tonic) % 12 in (0, 7) for moment in some])
        name = "long" if long else "short"
        print(f"root or fifth under {len(some)} {name} home notes: Bach {bach:.2f}, bach-bass {_share(some):.2f}")
    for strength in STRENGTHS:
        live.SHARE = strength
        drawn = [live.homeward(each.logs, each.pitch, each.chance, each.likely_long) for each in found]
        bits = _bits(drawn, found)
        print(f"drawn to a share of {strength:.2f}: {bits:.4f} bits a note")
    print(f"with the key left after foreign notes: {_bits([each.departing for each in found], found):.4f} bits a note")


def _bits(opinions: list[LogProbabilities], moments: list[Moment]) -> float:
    """Return the bits a note of Bach's basses by opinions on them."""
    pairs = zip(opinions, moments, strict=True)
    return float(np.mean([(np.logaddexp.reduce(logs) - logs[each.bass]) / np.log(2) for logs, each in pairs]))


def _share(some: list[Moment]) -> float:
    chances = []
    for moment in some:
        pitches = [pitch for pitch in range(128) if (pitch - moment.home.tonic) % 12 in (0, 7)]
        chances.append(float(np.exp(np.logaddexp.reduce(moment.logs[pitches]))))
    return float(np.mean(chances))


def answered(notes: list[Note], seed: int) -> dict[float, int]:
    """Return the bass's note to each note of a player, by onset."""
    performer = improviser.Performer([improviser.load_model("bach-bass")], seed=seed, mode="shadow", guard=False)
    stamped = [(note.onset_seconds, 1, bytes((0x90, note.pitch, 80))) for note in notes]
    stamped += [(note.end_seconds, 0, bytes((0x80, note.pitch, 64))) for note in notes]
    found = {}
    for seconds, _, message in sorted(stamped):
        for sent in performer.hear(message, seconds):
            if sent[0] & 0xF0 == 0x90 and sent[2]:
                found[seconds] = sent[1]
    return found


def players(seeds: range) -> None:
    """Print the figures of random players, by mode."""
    print(f"{'mode':<18} root or fifth under long home notes; foreign after a modulation: first 8, after 16")
    for mode in MODES:
        went: list[bool] = []
        first: list[bool] = []
        later: list[bool] = []
        for seed in seeds:
            rng = np.random.default_rng(seed)
            tonic, bpm = int(rng.integers(12)), float(rng.uniform(70, 150))
            there = (tonic + int(rng.integers(1, 12))) % 12
            before = [note for notes in played(mode.name, tonic, seed, bpm=bpm) for note in notes]
            start = before[-1].end_seconds + 0.2
            after = [
                Note(note.pitch, note.onset_seconds + start, note.duration_seconds)
                for notes in played(mode.name, there, seed + 1, bpm=bpm, phrases=6)
                for note in notes
            ]
            bass = answered([*before, *after], seed)
            usual = float(np.median([note.duration_seconds for note in before]))
            homes = [note for note in before if note.pitch % 12 == tonic and note.duration_seconds > LONG * usual]
            went += [(bass.get(note.onset_seconds, -1) - tonic) % 12 in (0, 7) for note in homes]
            scale = {*STEPS[WIDER.get(mode.name, mode.name)], *mode.visitors}
            foreign = [
                (bass[at] - there) % 12 not in scale for at in (note.onset_seconds for note in after) if at in bass
            ]
            first += foreign[:8]
            later += foreign[16:]
        print(f"{mode.name:<18} {np.mean(went):.2f}; {np.mean(first):.2f}, {np.mean(later):.2f}", flush=True)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    players(range(options.seeds))
    chorales()


if __name__ == "__main__":
    main()
