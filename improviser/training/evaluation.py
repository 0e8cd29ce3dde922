"""How well a model knows a corpus: bits per note, and what it plays when left to itself against what the corpus has."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from improviser.core.evolution.randomness import generator
from improviser.core.harmony.corpus import TOLERANCE_SECONDS
from improviser.core.music.counterpoint import Chances, Counterpoint, key_of
from improviser.core.music.note import PITCHES, Note
from improviser.core.music.piece import Piece, sounding_at
from improviser.core.networks.choir import normalised
from improviser.core.networks.responder import LogProbabilities, Model
from improviser.core.tasks.registry import describe, singer_of
from improviser.errors import CorpusError
from improviser.training.held_over import HeldOver
from improviser.training.voices import duets

WORST_BITS = 64.0
"""What a pitch costs that a model holds to be impossible."""

OPENING = 8
"""Notes of a tune that a model that plays alone is given before it goes on by itself: they say in which key."""

Step = tuple[LogProbabilities, int]
"""What a model expected, and the pitch that came."""


@dataclass(frozen=True, slots=True)
class PieceScore:
    """One piece: its name, its notes, their mean bits, and how many were the model's first choice."""

    name: str
    notes: int
    bits: float
    hits: int


@dataclass(slots=True)
class Evaluation:
    """What came out.

    :param pieces: one score for each piece that has something to score.
    :param model: what the model plays when left to itself.
    :param corpus: what the corpus has there.
    :param held: how well it knows which notes are held over, of a voice that can hold them.
    """

    pieces: list[PieceScore] = field(default_factory=list)
    model: Counterpoint = field(default_factory=Counterpoint)
    corpus: Counterpoint = field(default_factory=Counterpoint)
    held: HeldOver = field(default_factory=HeldOver)

    @property
    def notes(self) -> int:
        """Notes scored."""
        return sum(piece.notes for piece in self.pieces)

    def values(self) -> dict[str, Any]:
        """Return everything as JSON values; null where there was nothing to count."""
        bits = sorted(piece.bits for piece in self.pieces)
        own, theirs = self.model.figures(), self.corpus.figures()
        return {
            "notes": self.notes,
            "pieces": len(self.pieces),
            "bits_per_note": sum(piece.bits * piece.notes for piece in self.pieces) / self.notes,
            "top_1": sum(piece.hits for piece in self.pieces) / self.notes,
            "per_piece": {
                "lowest": bits[0],
                "median": float(np.median(bits)),
                "highest": bits[-1],
                "deviation": float(np.std(bits)),
            },
            "left_to_itself": {name: {"model": _number(own[name]), "corpus": _number(theirs[name])} for name in own},
            "held_over": {name: _number(value) for name, value in self.held.figures().items()},
        }


def evaluate(
    model: Model,
    pieces: Sequence[Piece],
    *,
    seed: int = 0,
    temperature: float = 1.0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Evaluation:
    """Score every note of `pieces`, given Bach's (or whoever's) notes before it; then let the model play by itself.

    What it is scored on depends on its task: the top voice, or the voice that it plays to that (see `TaskDescriptor`).
    Bits are over all 128 pitches; rests are not scored.

    :param temperature: of the model's own play; 1 draws from its distribution as it is.
    :raises CorpusError: if no piece has anything to score.
    """
    found = Evaluation()
    lines = _lines(model, pieces)
    for done, (piece, player, own) in enumerate(lines):
        progress(done, len(lines))
        steps = list(expectations(model, player, own))
        if not steps:
            continue
        found.pieces.append(_score(piece.name, steps))
        _compare(found, model, piece, player, own, (seed, done), temperature)
    progress(len(lines), len(lines))
    if (voices := describe(model.task).voices) is not None:
        for number, (_, player, notes) in enumerate(duets(pieces, *voices(model))):
            found.held.add(model, player, notes, generator(seed, number, 1), temperature)
    if not found.pieces:
        raise CorpusError("there are no notes to score in these pieces; give others")
    return found


def _lines(model: Model, pieces: Sequence[Piece]) -> list[tuple[Piece, Sequence[Note], Sequence[int | None]]]:
    """Return each piece with the player's notes, and the pitches the model should play to them."""
    if (voices := describe(model.task).voices) is None:
        return [(piece, piece.voices[0], [note.pitch for note in piece.voices[0]]) for piece in pieces]
    return [(piece, player, answers(player, own)) for piece, player, own in duets(pieces, *voices(model))]


def answers(player: Sequence[Note], own: Sequence[Note]) -> list[int | None]:
    """Return what the voice has sounding at each of the player's notes; None where it rests."""
    return sounding_at(own, [note.onset_seconds for note in player], tolerance_seconds=TOLERANCE_SECONDS)


def expectations(model: Model, player: Sequence[Note], own: Sequence[int | None]) -> Iterator[Step]:
    """Yield what the model expects of each note, and the note; its past is the corpus's."""
    if (singer := singer_of(model)) is not None:
        for note in player:
            yield singer.proceed(note.onset_seconds), note.pitch
            singer.follow(note.pitch, note.onset_seconds)
        return
    responder = model.responder()
    for note, answer in zip(player, own, strict=True):
        if answer is not None:
            yield normalised(responder.propose(note.pitch, note.onset_seconds)), answer
        responder.learn(note.pitch, note.onset_seconds, answer)


def bits_of(steps: Iterable[Step]) -> list[float]:
    """Return what each note costs that came."""
    return [min(-float(logs[pitch]) / math.log(2), WORST_BITS) for logs, pitch in steps]


def _score(name: str, steps: Sequence[Step]) -> PieceScore:
    bits = bits_of(steps)
    hits = sum(int(logs.argmax()) == pitch for logs, pitch in steps)
    return PieceScore(name, len(steps), sum(bits) / len(bits), hits)


def _compare(
    found: Evaluation,
    model: Model,
    piece: Piece,
    player: Sequence[Note],
    own: Sequence[int | None],
    seed: tuple[int, int],
    temperature: float,
) -> None:
    """Let the model play to the piece by itself, and count both: of the model, what it could have played each time."""
    heard = [note.pitch for note in player]
    if piece.context is not None:
        tonic, minor = piece.context.tonic, piece.context.minor
    else:
        tonic, minor = key_of([note.pitch for voice in piece.voices for note in voice])
    alone = describe(model.task).alone
    against = () if alone else heard
    played = list(improvised(model, player, generator(*seed), temperature))
    start = OPENING if alone else 0
    found.corpus.add(own[start:], tonic, minor=minor, player=against)
    pitches, chances = [pitch for pitch, _ in played], [its for _, its in played]
    found.model.expect(pitches, chances, tonic, minor=minor, player=against)


def play_along(model: Model, player: Sequence[Note], rng: np.random.Generator, temperature: float = 1.0) -> list[int]:
    """Return what the model plays to the player's notes, hearing itself.

    One that plays alone follows the first notes, OPENING of them, and of the others takes only the rhythm.
    """
    given = [note.pitch for note in player[:OPENING]] if describe(model.task).alone else []
    return given + [pitch for pitch, _ in improvised(model, player, rng, temperature)]


def improvised(
    model: Model, player: Sequence[Note], rng: np.random.Generator, temperature: float = 1.0
) -> Iterator[tuple[int, Chances]]:
    """Yield each pitch that the model plays by itself, see `play_along`, and by what chances, shape (128,)."""
    if (singer := singer_of(model)) is not None:
        for number, note in enumerate(player):
            pitch = note.pitch
            if number >= OPENING:
                pitch, chances = _draw(singer.proceed(note.onset_seconds), rng, temperature)
                yield pitch, chances
            singer.follow(pitch, note.onset_seconds, own=True)
        return
    responder = model.responder()
    for note in player:
        pitch, chances = _draw(responder.propose(note.pitch, note.onset_seconds), rng, temperature)
        yield pitch, chances
        responder.learn(note.pitch, note.onset_seconds, pitch)


def _draw(logs: LogProbabilities, rng: np.random.Generator, temperature: float) -> tuple[int, Chances]:
    if temperature <= 0:
        best = int(logs.argmax())
        return best, one_hot(best)
    weights = np.exp((logs - logs.max()) / temperature)
    weights /= weights.sum()
    return int(rng.choice(len(weights), p=weights)), weights


def one_hot(pitch: int) -> Chances:
    """Return the chances of each pitch, shape (128,), where it is certain."""
    chances = np.zeros(PITCHES)
    chances[pitch] = 1.0
    return chances


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
