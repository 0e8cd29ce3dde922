"""How well a chorale model knows a corpus in four voices, and how what it plays by itself compares with it."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from improviser.core.chorale.figures import ChoralFigures, Chords, distance
from improviser.core.chorale.model import ChoraleModel
from improviser.core.chorale.session import DOUBT, ChoraleSession, Opinions, alone, combine, normalised
from improviser.core.chorale.terms import SOPRANO
from improviser.core.chorale.voices import ChoraleVoices
from improviser.core.evolution.randomness import generator
from improviser.core.live.answering.chords import draw_chord
from improviser.core.live.answering.decoding import spin, wheel
from improviser.core.music.note import Note
from improviser.core.music.parts import NAMES
from improviser.core.music.piece import Piece
from improviser.errors import CorpusError
from improviser.training.chorale_classifier import can_tell, told_apart
from improviser.training.chorale_fitting import Setting, setting_of
from improviser.training.chorale_grade import Grader

Progress = Callable[[int, int], None]
TEMPERATURES = (0.7, 1.0)


def answered(
    model: ChoraleVoices, tune: Sequence[Note], rng: np.random.Generator, temperature: float, *, together: bool = True
) -> Iterator[tuple[Opinions, tuple[int, ...]]]:
    """Yield what the model thinks of each note of the voice that it answers, and what it plays to it, by itself.

    :param together: else each part is drawn alone.
    """
    session = ChoraleSession(model)
    for note in tune:
        opinions = session.look(note.pitch, note.onset_seconds)
        if together:
            found = combine(model, opinions)
            sums = wheel(found.scores, temperature)
            played = draw_chord(found, opinions, sums, temperature, rng.random())
        else:
            played = tuple(spin(wheel(logs, temperature), rng.random()) for logs in opinions.logs)
        yield opinions, played
        session.learn(note.pitch, note.onset_seconds, played)


def harmonised(
    model: ChoraleVoices, tune: Sequence[Note], rng: np.random.Generator, temperature: float, *, together: bool = True
) -> Chords:
    """Return what the model plays by itself, see `answered`, with the tune: shape (notes, 4), the soprano first."""
    chords = np.empty((len(tune), 4), np.int64)
    played = answered(model, tune, rng, temperature, together=together)
    for number, (note, (_, parts)) in enumerate(zip(tune, played, strict=True)):
        chords[number] = (*parts[: model.given], note.pitch, *parts[model.given :])
    return chords


def figures_of(settings: Iterable[tuple[Setting, Chords]]) -> dict[str, float]:
    """Return the figures of tunes, each with what sounds at its notes."""
    figures = ChoralFigures()
    for setting, chords in settings:
        figures.add(chords, setting.tonic, minor=setting.minor, ends=setting.ends)
    return figures.figures()


@dataclass(frozen=True, slots=True)
class ChordScore:
    """One piece: its name, its chords that were scored, their mean bits, and how many were the first choice."""

    name: str
    chords: int
    bits: float
    hits: int


def chord_score(model: ChoraleVoices, setting: Setting) -> ChordScore:
    """Return how well the model foresees the chords of a piece, given those before; rests are not scored."""
    session = ChoraleSession(model)
    bits, hits, count = 0.0, 0, 0
    for number, note in enumerate(setting.tune):
        came = setting.chords[number, [*model.others]]
        if not setting.rests[number]:
            chance, hit = chance_of(model, session.look(note.pitch, note.onset_seconds), came.tolist())
            bits, hits, count = bits - math.log2(chance), hits + hit, count + 1
        session.learn(note.pitch, note.onset_seconds, came.tolist())
    return ChordScore(setting.name, count, bits / count if count else math.nan, hits)


def chance_of(model: ChoraleVoices, opinions: Opinions, came: Sequence[int]) -> tuple[float, bool]:
    """Return the probability of a chord, of the three parts' pitches, and whether it is the likeliest."""
    found = combine(model, opinions)
    by_itself = math.exp(sum(logs[pitch] for logs, pitch in zip(alone(opinions), came, strict=True)))
    number = found.number_of(came)
    if number is None:
        return DOUBT * by_itself, False
    joint = math.exp(normalised(found.scores)[number])
    return (1 - DOUBT) * joint + DOUBT * by_itself, int(found.scores.argmax()) == number


def evaluate_together(
    model: ChoraleModel,
    pieces: Sequence[Piece],
    *,
    given: int = SOPRANO,
    seed: int = 0,
    temperatures: Sequence[float] = TEMPERATURES,
    progress: Progress = lambda _done, _total: None,
) -> dict[str, Any]:
    """Return, as JSON values, how well the model foresees the chords of pieces, and figures of what it plays itself.

    :param given: the voice that it answers, 0 (the soprano) to 3 (the bass).
    :raises CorpusError: if no piece has four voices.
    """
    voices = model.answering(given)
    settings = [setting for piece in pieces if (setting := setting_of(piece, given)) is not None]
    if not settings:
        raise CorpusError("no piece has four voices; give MIDI files of four tracks")
    scores: list[ChordScore] = []
    played: dict[float, list[tuple[Setting, Chords]]] = {temperature: [] for temperature in temperatures}
    for number, setting in enumerate(settings):
        progress(number, len(settings))
        scores.append(chord_score(voices, setting))
        for temperature, found in played.items():
            found.append((setting, harmonised(voices, setting.tune, generator(seed, number), temperature)))
    progress(len(settings), len(settings))
    theirs = figures_of((setting, setting.chords) for setting in settings)
    own = {temperature: figures_of(found) for temperature, found in played.items()}
    grader = Grader(settings)
    told = [told_apart(settings, [chords for _, chords in found]) for found in played.values()] if can_tell() else None
    counted = [score for score in scores if score.chords]
    chords = sum(score.chords for score in counted)
    bits = sorted(score.bits for score in counted)
    return {
        "part": NAMES[given],
        "notes": chords,
        "pieces": len(counted),
        "bits_per_onset": sum(score.bits * score.chords for score in counted) / chords,
        "top_1": sum(score.hits for score in counted) / chords,
        "per_piece": {
            "lowest": bits[0],
            "median": float(np.median(bits)),
            "highest": bits[-1],
            "deviation": float(np.std(bits)),
        },
        "temperatures": list(temperatures),
        "distance": [distance(figures, theirs) for figures in own.values()],
        "told_apart": None if told is None else [_number(share) for share in told],
        "grade": {
            "model": [_number(grader.median(found)) for found in played.values()],
            "corpus": _number(grader.median((setting, setting.chords) for setting in settings)),
        },
        "left_to_itself": {
            name: {
                "model": [_number(figures.get(name, math.nan)) for figures in own.values()],
                "corpus": _number(value),
            }
            for name, value in theirs.items()
        },
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
