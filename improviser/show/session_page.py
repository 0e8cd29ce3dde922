"""A session as a page of HTML: the roll, the sound, the figures, and how to hear it again.

`session_report` is a file that needs nothing else; `write_folder` is the same page with its files beside it, as a live
session's page serves it, where the markup may hold neither style nor script.
"""

import base64
import io
import math
import wave
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from improviser.core.live.session_figures import Figures, figures_of
from improviser.files import write_atomically
from improviser.recordings.midi_recording import write_session
from improviser.recordings.reading import PlayedSession
from improviser.shell import quoted
from improviser.show.picture import session_picture
from improviser.show.sound import SAMPLE_RATE, Synthesiser, render, write_wav

LONGEST_SOUND_SECONDS = 150.0
"""Longer sessions would make pages of more than 18 MB; they go without sound."""
LONGEST_FOLDER_SOUND_SECONDS = 600.0
"""Longer ones would make sound files of more than 106 MB."""
INDEX, STYLE_FILE, ROLL, SOUND, MIDI = FOLDER_FILES = (
    "index.html",
    "report.css",
    "roll.svg",
    "session.wav",
    "session.mid",
)
"""What `write_folder` writes; the sound only of sessions that are not too long."""
ALL_RECORDINGS, SCRIPT, ICON = "../../recordings.html", "../../recording.js", "../../icon.svg"
"""Where the page of a live session has the list of recordings, what its buttons do, and its icon."""

STYLE = """
:root { color-scheme: light dark; --page: #f4f2ec; --ink: #1d2026; --soft: #5d636c; --line: #dcd8cd; --card: #fdfcf9 }
@media (prefers-color-scheme: dark) {
:root { --page: #0f1115; --ink: #eef0f3; --soft: #9aa1ab; --line: #2a2f38; --card: #14171c }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 1rem 3rem }
h1 { font-size: 1.5rem; margin: 0 0 1rem; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
svg { width: 100%; height: auto; display: block }
audio { width: 100%; margin-top: 1rem }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .75rem; margin: 0 }
dl div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .8rem }
dt { color: var(--soft); font-size: .85rem }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem; overflow-x: auto }
p { color: var(--soft) }
img { width: 100%; height: auto; display: block }
a { color: inherit }
button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line) }
button { border-radius: .6rem; padding: .5rem 1rem }
:focus-visible { outline: 3px solid #7a3ff0; outline-offset: 2px }
"""

Cards = Sequence[tuple[str, str]]


def session_report(session: PlayedSession, synthesiser: Synthesiser = render) -> str:
    """Return the page, UTF-8; `synthesiser` makes its sound."""
    sound = f"<p>Sound is left out: the session lasts longer than {LONGEST_SOUND_SECONDS / 60:g} minutes.</p>"
    if session.end_seconds <= LONGEST_SOUND_SECONDS:
        data = base64.b64encode(_wav(session, synthesiser)).decode()
        sound = f'<audio controls src="data:audio/wav;base64,{data}"></audio>'
    return _page(session, f"<style>{STYLE}</style>", [_roll(session), sound], _again(session))


def write_folder(session: PlayedSession, folder: Path, synthesiser: Synthesiser = render) -> None:
    """Write the page of a session into an empty folder, with its picture, sound and MIDI file beside it.

    :raises OutputError: if that is not possible.
    """
    write_session(folder / MIDI, session.heard, session.played, end_seconds=session.end_seconds)
    write_atomically(folder / STYLE_FILE, STYLE.encode())
    write_atomically(folder / ROLL, _roll(session).encode())
    downloads = [f'<a href="{MIDI}" download="{escape(session.name)}.mid">MIDI file</a>']
    sound = f"<p>Sound is left out: the session lasts longer than {LONGEST_FOLDER_SOUND_SECONDS / 60:g} minutes.</p>"
    if session.end_seconds <= LONGEST_FOLDER_SOUND_SECONDS:
        end = session.end_seconds
        write_wav(folder / SOUND, session.heard, session.played, end_seconds=end, synthesiser=synthesiser)
        downloads.append(f'<a href="{SOUND}" download="{escape(session.name)}.wav">sound file (WAV)</a>')
        sound = f'<audio controls preload="metadata" src="{SOUND}"></audio>'
    button = (
        '<p><button id="replay" type="button">Replay and compare</button> <span id="replayed" role="status"></span></p>'
    )
    more = [*_again(session), *([button] if session.log is not None else [])]
    page = _page(
        session,
        f'<link rel="icon" href="{ICON}" type="image/svg+xml">\n<link rel="stylesheet" href="{STYLE_FILE}">\n'
        f'<script type="module" src="{SCRIPT}"></script>',
        [
            f'<p><a href="{ALL_RECORDINGS}">All recordings</a></p>',
            f'<img src="{ROLL}" alt="Piano roll: who played what, and when">',
            sound,
            f"<p>Download: {', '.join(downloads)}</p>",
        ],
        more,
    )
    write_atomically(folder / INDEX, page.encode())


def _roll(session: PlayedSession) -> str:
    player, improviser = session.notes()
    return session_picture(player, improviser, "Who played what, and when", bars_seconds=session.bars)


def _page(session: PlayedSession, head: str, shown: Sequence[str], again: Sequence[str]) -> str:
    """Return the page: what is `shown` first, the figures, and how to play it again."""
    player, improviser = session.notes()
    sections = [
        f"<h1>{escape(session.name)}</h1>",
        *shown,
        "<h2>Figures</h2>",
        _cards(_figure_cards(figures_of(player, improviser), session.end_seconds)),
    ]
    if session.latencies:
        sections += ["<h2>From hearing a note to sending the answer</h2>", _cards(_latency_cards(session.latencies))]
    if session.facts:
        sections += ["<h2>How it was played</h2>", _cards(session.facts)]
    sections += again
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(session.name)} – improviser</title>\n{head}\n</head>\n<body>\n<main>",
            *sections,
            "</main>\n</body>\n</html>\n",
        ]
    )


def _figure_cards(figures: Figures, end_seconds: float) -> list[tuple[str, str]]:
    minutes, seconds = divmod(round(end_seconds), 60)
    return [
        ("length", f"{minutes}:{seconds:02}"),
        ("notes of the player", f"{figures.heard:,}"),
        ("notes of the improviser", f"{figures.played:,}"),
        ("key of the player", figures.key or "–"),
        ("answered at once", _percent(figures.answered)),
        ("consonant with the player", _percent(figures.consonant)),
        ("in the player's scale", _percent(figures.in_scale)),
        ("moved as a chord completed", _percent(figures.moved)),
        ("repeats of its last note", _percent(figures.repeats)),
    ]


def _latency_cards(latencies: Sequence[float]) -> list[tuple[str, str]]:
    percentiles = np.percentile(np.array(latencies) * 1000, (50, 99, 100))
    return [
        (name, f"{milliseconds:.2f} ms")
        for name, milliseconds in zip(("median", "99 % within", "longest"), percentiles, strict=True)
    ]


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.0%}"


def _cards(cards: Iterable[tuple[str, str]]) -> str:
    rows = "\n".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in cards)
    return f"<dl>\n{rows}\n</dl>"


def _wav(session: PlayedSession, synthesiser: Synthesiser) -> bytes:
    """Return the session as a WAV file of half the usual rate: enough for a page."""
    sound = synthesiser(session.heard, session.played, end_seconds=session.end_seconds).astype(np.float32)
    even = sound[: len(sound) // 2 * 2]
    # The mean of the neighbours, weighed 1-2-1, takes away most of what half the rate cannot hold.
    blurred = even.copy()
    blurred[1:-1] = (even[:-2] + 2 * even[1:-1] + even[2:]) / 4
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE // 2)
        file.writeframes(blurred[::2].round().astype("<i2").tobytes())
    return buffer.getvalue()


def _again(session: PlayedSession) -> list[str]:
    if session.log is None:
        return ["<p>There is no log of this session, so it cannot be played again note for note.</p>"]
    command = f"improviser replay {quoted(session.log.name)}"
    return ["<h2>Play it again, note for note</h2>", f"<pre>{escape(command)}</pre>"]
