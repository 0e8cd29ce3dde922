"""Folk sessions: what a player's notes cost a melody model, tune after tune, in bits; the table of RESULTS-learn.md.

    uv run python -m tests.benchmarks.folk_sessions [MODEL...] [--sessions 2] [--skip 2] [--tunes 30]

A session is 30 tunes of one style, none of which anything was trained on, each cut at 80 notes, 120 quarters a minute,
three seconds apart. Each note is scored over all 128 pitches, before anything learns from it. `UNBRED` are styles that
no bundled model was bred on, and no constant was chosen on.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from improviser.core.music.note import Note
from improviser.core.networks.responder import Model, Singer
from improviser.library.catalogue import load_model
from improviser.training.folk_tunes import ESSEN_TERMS, NO_TERMS_STATED, STYLES, FolkStyle, kept_out, load_folk
from improviser.training.named_sources import load_named
from improviser.training.progress import silent

LONGEST, PAUSE_SECONDS = 80, 3.0
FLOOR = 2.0**-20
"""What a pitch has at least, of all 128: none may be impossible."""

UNBRED = {
    "lorraine": FolkStyle("essenFolksong", ("lot*.abc",), "songs of Lorraine (Essen collection)", ESSEN_TERMS),
    "luxembourg": FolkStyle("essenFolksong", ("lux*.abc",), "songs of Luxembourg (Essen collection)", ESSEN_TERMS),
    "ballads": FolkStyle("essenFolksong", ("ballad*.abc",), "German ballads (Essen collection)", ESSEN_TERMS),
    "northumbrian": FolkStyle("miscFolk", ("north*.abc",), "Northumbrian Minstrelsy (1882)", NO_TERMS_STATED),
}
"""Styles to test with alone."""


def sessions(style: str, count: int, tunes: int, skip: int = 0) -> list[list[tuple[Note, ...]]]:
    """Return so many sessions of so many tunes of a style, which nothing was trained on, after the first few."""
    if style in UNBRED:
        pieces = [piece for piece in load_folk(style, silent, UNBRED) if kept_out(piece.voices[0])]
    else:
        pieces = load_named([style], silent, for_training=False)
    order = np.random.default_rng(1).permutation(len(pieces))
    chosen = [pieces[number].voices[0][:LONGEST] for number in order[skip * tunes : (skip + count) * tunes]]
    return [chosen[start : start + tunes] for start in range(0, len(chosen) - tunes + 1, tunes)]


def notes_of(tunes: Sequence[Sequence[Note]]) -> Iterator[tuple[int, float, bool]]:
    """Yield pitch and onset of every note of a session, and whether a tune begins with it."""
    start = 0.0
    for tune in tunes:
        for number, note in enumerate(tune):
            yield note.pitch, start + note.onset_seconds - tune[0].onset_seconds, number == 0
        start += tune[-1].end_seconds - tune[0].onset_seconds + PAUSE_SECONDS


def bits(model: Model, tunes: Sequence[Sequence[Note]], *, anew: bool) -> list[float]:
    """Return the bits of every note; with `anew`, a new session begins with each tune, which nobody could know."""
    responder = model.responder()
    assert isinstance(responder, Singer), f"{model.name} does not sing by itself"
    costs = []
    for pitch, onset, first in notes_of(tunes):
        if first and anew:
            responder.reset()
        chances = (1 - 128 * FLOOR) * np.exp(responder.proceed(onset)) + FLOOR
        costs.append(-float(np.log2(chances[pitch])))
        responder.follow(pitch, onset)
    return costs


def main() -> None:
    """Print a row for each model and style."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="*", default=["bach-melody"])
    parser.add_argument("--sessions", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0, help="sessions")
    parser.add_argument("--tunes", type=int, default=30)
    parser.add_argument("--styles", nargs="*", default=[*STYLES])
    given = parser.parse_args()
    print(f"{'model':24} {'style':14} carried  anew   last five")
    for name in given.models:
        model = load_model(name)
        means = []
        for style in given.styles:
            some = sessions(style, given.sessions, given.tunes, given.skip)
            carried = np.concatenate([bits(model, session, anew=False) for session in some])
            anew = np.concatenate([bits(model, session, anew=True) for session in some])
            last = np.concatenate([bits(model, session, anew=False)[-5 * LONGEST :] for session in some])
            means.append((carried.mean(), anew.mean(), last.mean()))
            print(f"{name:24} {style:14} {carried.mean():.3f}    {anew.mean():.3f}  {last.mean():.3f}", flush=True)
        print(f"{name:24} {'mean':14} " + "  ".join(f"{value:.3f}" for value in np.mean(means, axis=0)), flush=True)


if __name__ == "__main__":
    main()
