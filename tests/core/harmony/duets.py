"""Made-up duets and models for the tests of harmony: a tune that wanders through keys, and a voice below it."""

import numpy as np

from improviser.core.harmony.model import HarmonyModel
from improviser.core.harmony.session import EXPERTS, VIEWPOINTS
from improviser.core.music.note import Note
from improviser.core.networks.choir import ChoirSettings
from improviser.core.networks.network import first_genomes
from improviser.core.networks.viewpoints import Inputs

BASS = ChoirSettings("bass", "live", tuple(VIEWPOINTS), hidden=6, low=36, high=64, reach=12, rest=True, experts=EXPERTS)
MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])


def a_tune(length: int, seed: int = 0, *, seconds: float = 0.5) -> list[Note]:
    """Return a tune in quarters, eighths and halves."""
    rng = np.random.default_rng(seed)
    place, onset, notes = 14, 0.0, []
    for _ in range(length):
        place = int(np.clip(place + rng.integers(-2, 3), 7, 24))
        duration = seconds * float(rng.choice([0.5, 1.0, 1.0, 1.0, 2.0]))
        notes.append(Note(int(48 + 12 * (place // 7) + MAJOR[place % 7]), onset, duration))
        onset += duration
    return notes


def a_bass(tune: list[Note], seed: int = 0, *, rests: float = 0.0) -> list[Note]:
    """Return a voice below the tune, some of its notes held, some left out."""
    rng = np.random.default_rng(seed)
    notes: list[Note] = []
    for note in tune:
        if notes and rng.random() < 0.2:
            held = notes.pop()
            notes.append(Note(held.pitch, held.onset_seconds, note.end_seconds - held.onset_seconds))
        elif rng.random() >= rests:
            notes.append(Note(int(36 + rng.integers(0, 29)), note.onset_seconds, note.duration_seconds))
    return notes


def a_model(settings: ChoirSettings = BASS, members: int = 3, seed: int = 0) -> HarmonyModel:
    """Return a model with random genomes of some temperament."""
    rng = np.random.default_rng(seed)
    shape = settings.shape(Inputs(settings.viewpoints, VIEWPOINTS).size, vertical=True)
    genomes = first_genomes(shape, rng, members)
    genomes += 0.3 * rng.standard_normal(genomes.shape, dtype=np.float32)
    return HarmonyModel("a-bass", settings, genomes)
