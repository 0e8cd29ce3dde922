"""How good the improviser is to play with, for people who are not Bach's sopranos: figures of many players.

Run it from the repository's folder (two minutes on one core; or only some of the tables)::

    OPENBLAS_NUM_THREADS=1 uv run python -m tests.benchmarks.ear
    OPENBLAS_NUM_THREADS=1 uv run python -m tests.benchmarks.ear hands lines --seeds 1

The players are those of `ear_players`, `unusual_players` and `composed_players`; one row each, means over seeds, and an
asterisk where a figure misses its target. A performer is given stamped messages, as in a replay, so no time passes.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import improviser
from improviser.core.music.counterpoint import CONSONANT
from improviser.core.music.note import Note
from improviser.core.music.scales import STEPS
from tests.benchmarks.composed_players import COMPOSED, TWO_HANDS, composed
from tests.benchmarks.ear_players import CAST, Player
from tests.benchmarks.unusual_players import UNUSUAL

TOGETHER_SECONDS = 0.06
"""Notes that begin within so much are one chord."""
MUD_BELOW, MUD_INTERVAL = 52, 5
LONG_SECONDS = 0.7
PATIENCE_SECONDS = 7.0
SOLO_SECONDS, SOLO_NOTES = 180.0, 500


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: how it is called, and between what it should be."""

    name: str
    least: float = -np.inf
    most: float = np.inf

    def shown(self, value: float) -> str:
        """Return it as a cell of a table."""
        miss = not np.isnan(value) and not self.least <= round(value, 3) <= self.most
        return ("–" if np.isnan(value) else f"{value:.2f}") + ("*" if miss else " ")


HANDS = (
    Figure("struck", most=1.05),
    Figure("mud", most=0.03),
    Figure("semitone", most=0.08),
    Figure("consonant", least=0.90),
    Figure("same key", most=0.03),
    Figure("above", most=0.05),
    Figure("root", least=0.80),
    Figure("moved"),
    Figure("ms before"),
)
MOVES = (
    Figure("of chords"),
    Figure("median ms"),
    Figure("nine in ten"),
    Figure("longest"),
    Figure("were wrong"),
)
HAND_REPLIES = (Figure("register", -4, 4), Figure("voices", least=2), Figure("stable end", least=0.75))
LINES = (
    Figure("consonant", least=0.94),
    Figure("semitone", most=0.01),
    Figure("in scale", least=0.9),
    Figure("home", least=0.70),
    Figure("same again", least=0.60),
)
REPLIES = (
    Figure("foreign", most=0.05),
    Figure("distance", most=0.12),
    Figure("figures", 0.35, 0.70),
    Figure("stable end", least=0.75),
)
FAST = (Figure("busiest", most=4),)
WALKING = (Figure("of notes", most=0.6), Figure("on one"), Figure("root", least=0.80), Figure("semitone", most=0.08))
MODULATIONS = (Figure("first 8", most=0.20), Figure("after 16", most=0.08))
SOLOS = (Figure("again", most=0.35), Figure("player's", least=0.30), Figure("range", least=19))


class Room:
    """A performer, its clock, and all that it sent."""

    def __init__(self, models: Sequence[str], seed: int, mode: str, **parameters: Any) -> None:
        loaded = [improviser.load_model(name) for name in models]
        self.performer = improviser.Performer(loaded, seed=seed, mode=mode, **parameters)
        self.now = 0.0
        self.sent: list[tuple[float, bytes]] = []

    def wait(self, until: float) -> None:
        """Let it play on."""
        while (due := self.performer.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.sent += [(self.now, message) for message in self.performer.advance(self.now)]
        self.now = max(self.now, until)

    def hear(self, notes: Sequence[Note]) -> None:
        """Play notes to it."""
        stamped = [(note.onset_seconds, 1, bytes((0x90, note.pitch, note.velocity))) for note in notes]
        stamped += [(note.end_seconds, 0, bytes((0x80, note.pitch, 64))) for note in notes]
        for seconds, _, message in sorted(stamped):
            self.wait(seconds)
            self.sent += [(seconds, answer) for answer in self.performer.hear(message, seconds)]

    def played(self, since: int = 0) -> list[Note]:
        """Return the notes that it has played, those of a message `since` on."""
        found, sounding = [], dict[int, tuple[float, int]]()
        for seconds, message in self.sent[since:]:
            kind = message[0] & 0xF0
            if kind in (0x80, 0x90) and message[1] in sounding:
                onset, velocity = sounding.pop(message[1])
                found.append(Note(message[1], onset, max(1e-4, seconds - onset), velocity))
            if kind == 0x90 and message[2]:
                sounding[message[1]] = seconds, message[2]
        found += [Note(pitch, on, max(1e-4, self.now - on), loud) for pitch, (on, loud) in sounding.items()]
        return sorted(found, key=lambda note: note.onset_seconds)


def accompanied(player: Player, models: Sequence[str], seed: int, **parameters: Any) -> list[Note]:
    """Return what is played to a player in shadow."""
    room = Room(models, seed, "shadow", **parameters)
    room.hear(player.notes)
    room.wait(room.now + 5)
    return room.played()


def chords_of(notes: Sequence[Note]) -> list[list[Note]]:
    """Return notes, those that begin together in one list."""
    found: list[list[Note]] = []
    for note in notes:
        if found and note.onset_seconds - found[-1][0].onset_seconds < TOGETHER_SECONDS:
            found[-1].append(note)
        else:
            found.append([note])
    return found


def held_at(notes: Sequence[Note], seconds: float) -> list[int]:
    """Return the pitches that sound, those that begin in a moment included."""
    return [
        note.pitch
        for note in notes
        if note.onset_seconds < seconds + TOGETHER_SECONDS and note.end_seconds > seconds + 0.005
    ]


def timed(player: Sequence[Note], own: Sequence[Note]) -> tuple[float, float]:
    """Return the shares of the time that answers sound: in close low intervals, and a semitone from the player."""
    moments = sorted({moment for note in (*player, *own) for moment in (note.onset_seconds, note.end_seconds)})
    total = mud = semitone = 0.0
    for begins, ends in pairwise(moments):
        middle = (begins + ends) / 2
        answers, others = (
            sorted(note.pitch for note in notes if note.onset_seconds <= middle < note.end_seconds)
            for notes in (own, player)
        )
        if answers:
            low = [pitch for pitch in answers if pitch <= MUD_BELOW]
            total += ends - begins
            mud += (ends - begins) * any(after - before <= MUD_INTERVAL for before, after in pairwise(low))
            semitone += (ends - begins) * any((one - other) % 12 in (1, 11) for one in answers for other in others)
    return mud / max(total, 1e-9), semitone / max(total, 1e-9)


def hands(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures HANDS."""
    notes = player.notes
    own = accompanied(player, models, seed)
    chords = [chord for chord in chords_of(notes) if len(chord) > 1]
    struck = [
        len({
            note.pitch
            for note in own
            if note.onset_seconds >= chord[0].onset_seconds - 0.001
            and note.onset_seconds <= chord[-1].onset_seconds + 0.03
        })
        for chord in chords
    ]  # fmt: skip
    held = [(note.pitch, held_at(notes, note.onset_seconds)) for note in own]
    held = [(pitch, others) for pitch, others in held if others]
    roots = []
    for seconds, root in player.roots:
        own_now = held_at(own, seconds)
        if own_now:
            roots.append(min(own_now + held_at(notes, seconds)) % 12 == root)
    moved = [1000 * waited(before, chords) for before in moved_answers(notes, own)]
    return [
        float(np.mean(struck)) if struck else np.nan,
        *timed(notes, own),
        float(np.mean([all((other - pitch) % 12 in CONSONANT for other in others) for pitch, others in held])),
        float(np.mean([pitch in others for pitch, others in held])),
        float(np.mean([pitch > min(others) for pitch, others in held])),
        float(np.mean(roots)),
        len(moved) / max(1, len(own)),
        float(np.mean(moved)) if moved else np.nan,
    ]


def moved_answers(notes: Sequence[Note], own: Sequence[Note]) -> list[Note]:
    """Return the answers that were taken back for others when a chord was complete."""
    onsets = {round(note.onset_seconds, 6) for note in notes}
    return [
        before
        for before, note in pairwise(own)
        if round(note.onset_seconds, 6) not in onsets and abs(before.end_seconds - note.onset_seconds) < 1e-6
    ]


def waited(answer: Note, chords: Sequence[Sequence[Note]]) -> float:
    """Return for how many seconds of the chord that it ended in an answer sounded; it may have begun before that."""
    onsets = [chord[0].onset_seconds for chord in chords]
    begun = max((onset for onset in onsets if onset < answer.end_seconds), default=0.0)
    return answer.end_seconds - max(answer.onset_seconds, begun)


def moves(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures MOVES: how often the answer to the first note of a chord is moved, and how long it sounded.

    Wrong is an answer a semitone from something in the chord, or on one of its keys.
    """
    notes, own = player.notes, accompanied(player, models, seed)
    moved = moved_answers(notes, own)
    wrong = [
        any(
            (other - answer.pitch) % 12 in (1, 11) or other == answer.pitch
            for other in held_at(notes, answer.end_seconds)
        )
        for answer in moved
    ]
    chords = [chord for chord in chords_of(notes) if len(chord) > 1]
    lasted = [1000 * waited(answer, chords) for answer in moved]
    if not lasted:
        return [0.0, *[np.nan] * 4]
    return [len(moved) / max(1, len(chords)), *np.percentile(lasted, [50, 90, 100]).tolist(), float(np.mean(wrong))]


def lines(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures LINES."""
    notes, own = player.notes, accompanied(player, models, seed)
    at = {round(note.onset_seconds, 4): note.pitch for note in own}
    held = [(note.pitch, held_at(notes, note.onset_seconds)) for note in own]
    held = [(pitch, others) for pitch, others in held if others]
    homes = [
        (at[round(note.onset_seconds, 4)] - note.pitch) % 12 in (0, 7)
        for note in notes
        if note.pitch % 12 == player.home
        and note.duration_seconds > LONG_SECONDS
        and round(note.onset_seconds, 4) in at
    ]
    again: dict[tuple[int, ...], list[list[int]]] = {}
    for phrase in player.phrases:
        answers = [at.get(round(note.onset_seconds, 4), -1) % 12 for note in phrase]
        again.setdefault(tuple(note.pitch for note in phrase), []).append(answers)
    same = [
        float(np.mean([one == other for one, other in zip(before, after, strict=True)]))
        for answers in again.values()
        for before, after in pairwise(answers[1:])
    ]
    wide = player.scale
    if len(wide) < 7 and player.home is not None:
        wider = "major" if (player.home + 4) % 12 in wide else "minor"
        wide = wide | {(player.home + step) % 12 for step in STEPS[wider]}
    return [
        float(np.mean([all((other - pitch) % 12 in CONSONANT for other in others) for pitch, others in held])),
        float(np.mean([any((other - pitch) % 12 in (1, 11) for other in others) for pitch, others in held])),
        float(np.mean([note.pitch % 12 in wide for note in own])),
        float(np.mean(homes)) if homes else np.nan,
        float(np.mean(same)) if same else np.nan,
    ]


def busiest(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures FAST."""
    onsets = [note.onset_seconds for note in accompanied(player, models, seed)]
    return [float(max(sum(begins <= onset < begins + 1 for onset in onsets) for begins in onsets))]


def walking(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures WALKING: bass notes to one of the left hand's, and how many of them begin with a harmony."""
    own, border = accompanied(player, models, seed), player.border or 0
    begins = [min(abs(note.onset_seconds - seconds) for seconds, _ in player.roots) < TOGETHER_SECONDS for note in own]
    found = dict(zip((figure.name for figure in HANDS), hands(player, models, seed), strict=True))
    share = len(own) / sum(note.pitch < border for note in player.notes)
    return [share, float(np.mean(begins)), found["root"], found["semitone"]]


def modulations(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures MODULATIONS."""
    own, first, later = accompanied(player, models, seed), list[bool](), list[bool]()
    ends = [*(seconds for seconds, _ in player.sections[1:]), np.inf]
    for (begins, tonic), until in list(zip(player.sections, ends, strict=True))[1:]:
        foreign = [
            (note.pitch - tonic) % 12 not in player.scale for note in own if begins <= note.onset_seconds < until
        ]
        first += foreign[:8]
        later += foreign[16:]
    return [float(np.mean(first)), float(np.mean(later))]


def conversation(player: Player, models: Sequence[str], seed: int) -> Iterator[tuple[Sequence[Note], list[Note]]]:
    """Yield each phrase, and the reply to it: the player waits for the end of that."""
    room, start = Room(models, seed, "answer"), 0.5
    for phrase in player.phrases:
        shift = start - phrase[0].onset_seconds
        heard = [Note(n.pitch, n.onset_seconds + shift, n.duration_seconds, n.velocity) for n in phrase]
        room.hear(heard)
        since, began = len(room.sent), room.now
        limit = room.now + PATIENCE_SECONDS
        while (due := room.performer.deadline) is not None and due <= limit and room.now - began < 60:
            before = len(room.sent)
            room.wait(due)
            limit = due + 4.5 if len(room.sent) > before else limit
        yield heard, room.played(since)
        start = room.now + 0.8


def tune_of(notes: Sequence[Note]) -> list[int]:
    """Return the highest of the notes that begin together."""
    return [max(note.pitch for note in chord) for chord in chords_of(notes)]


def skyline(notes: Sequence[Note]) -> list[int]:
    """Return the notes over which nothing sounds as they begin: of two hands, the right one's tune."""
    return [note.pitch for note in notes if note.pitch >= max(held_at(notes, note.onset_seconds), default=0)]


def figures_of(pitches: Sequence[int]) -> Counter[tuple[int, ...]]:
    """Return all rows of three intervals."""
    steps = [after - before for before, after in pairwise(pitches)]
    return Counter(tuple(steps[place : place + 3]) for place in range(len(steps) - 2))


def shared(some: Counter[tuple[int, ...]], others: Counter[tuple[int, ...]]) -> float:
    """Return the share of figures that are among others."""
    return sum(count for each, count in some.items() if each in others) / max(1, some.total())


def distance(some: Sequence[int], others: Sequence[int]) -> float:
    """Return the Jensen-Shannon divergence of the pitch classes, in bits."""
    one, other = (
        np.bincount([pitch % 12 for pitch in each], minlength=12) / max(1, len(each)) for each in (some, others)
    )
    middle = (one + other) / 2
    parts = [float(np.sum(each[each > 0] * np.log2(each[each > 0] / middle[each > 0]))) for each in (one, other)]
    return sum(parts) / 2


def hand_replies(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures HAND_REPLIES."""
    registers, voices, ends = [], [], []
    for phrase, reply in conversation(player, models, seed):
        if reply:
            registers.append(np.mean(skyline(reply)) - np.mean(skyline(phrase)))
            together = [
                sum(other.onset_seconds <= note.onset_seconds + TOGETHER_SECONDS < other.end_seconds for other in reply)
                for note in reply
            ]
            voices.append(max(together))
            ends.append(tune_of(reply)[-1] % 12 in player.stable)
    return [float(np.mean(some)) if some else np.nan for some in (registers, voices, ends)]


def replies(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures REPLIES."""
    heard: Counter[tuple[int, ...]] = Counter()
    found, kin, ends = [], [], []
    for phrase, reply in conversation(player, models, seed):
        heard += figures_of(tune_of(phrase))
        tune = tune_of(reply)
        found.append(tune)
        if len(tune) > 5:
            kin.append(shared(figures_of(tune), heard))
        if tune:
            ends.append(tune[-1] % 12 in player.stable)
    last = [pitch for tune in found[2 * len(found) // 3 :] for pitch in tune]
    own = [note.pitch for note in player.notes]
    return [
        float(np.mean([pitch % 12 not in {each % 12 for each in own} for pitch in last])),
        distance(last, own),
        float(np.mean(kin)) if kin else np.nan,
        float(np.mean(ends)),
    ]


def both_replies(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures HAND_REPLIES and REPLIES."""
    return [*hand_replies(player, models, seed), *replies(player, models, seed)]


def solos(player: Player, models: Sequence[str], seed: int) -> list[float]:
    """Return the figures SOLOS: three minutes after four phrases."""
    room, phrases = Room(models, seed, "solo"), player.phrases[:4]
    said = [note for phrase in phrases for note in phrase]
    room.hear(said)
    since = len(room.sent)
    room.wait(room.now + SOLO_SECONDS)
    own = [message[1] for _, message in room.sent[since:] if message[0] & 0xF0 == 0x90 and message[2]][:SOLO_NOTES]
    if len(own) < 50:
        return [np.nan] * 3
    rows = Counter(tuple(own[place : place + 6]) for place in range(len(own) - 5))
    again = sum(count for count in rows.values() if count > 1) / rows.total()
    return [again, shared(figures_of(own), figures_of(tune_of(said))), float(max(own) - min(own))]


Measure = Callable[[Player, Sequence[str], int], list[float]]
Players = Mapping[str, Callable[[], Player]]
TABLES: Mapping[str, tuple[Players, tuple[Figure, ...], Measure, bool]] = {
    "hands": (CAST.hands, HANDS, hands, False),
    "moves": (CAST.hands, MOVES, moves, False),
    "hand-replies": (CAST.hands, HAND_REPLIES, hand_replies, True),
    "lines": (CAST.lines, LINES, lines, False),
    "fast": (CAST.fast, FAST, busiest, False),
    "walking": (CAST.walking, WALKING, walking, False),
    "modulations": (CAST.modulating, MODULATIONS, modulations, False),
    "replies": (CAST.lines, REPLIES, replies, True),
    "unusual": (UNUSUAL, REPLIES, replies, True),
    "composed": (COMPOSED, REPLIES, replies, True),
    "composed-again": (composed(1), REPLIES, replies, True),
    "composed-hands": (TWO_HANDS, (*HAND_REPLIES, *REPLIES), both_replies, True),
    "composed-solos": (COMPOSED, SOLOS, solos, True),
    "solos": ({**CAST.lines, **CAST.sparse, **CAST.fast}, SOLOS, solos, True),
}
"""By name: the players, the figures, how they are had, and whether the singer plays, or else the bass."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", nargs="*", default=[*TABLES], help=f"some of {', '.join(TABLES)}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bass", nargs="+", default=["bach-bass"])
    parser.add_argument("--singer", nargs="+", default=["bach-melody"])
    parser.add_argument("--player", default="", help="only players with this in their names")
    options = parser.parse_args()
    for table in options.tables:
        players, figures, measure, sings = TABLES[table]
        print(f"{table:<32}" + "".join(f"{figure.name:>12}" for figure in figures), flush=True)
        rows = []
        for name, create in players.items():
            if options.player in name:
                models = options.singer if sings else options.bass
                row = np.mean([measure(create(), models, seed) for seed in range(options.seeds)], axis=0)
                rows.append(row)
                cells = "".join(f"{each.shown(value):>12}" for each, value in zip(figures, row, strict=True))
                print(f"{name:<32}{cells}", flush=True)
        means = np.nanmean(rows, axis=0)
        print(f"{'mean':<32}" + "".join(f"{value:>11.2f} " for value in means) + "\n", flush=True)


if __name__ == "__main__":
    main()
