"""The live synthesiser: the same sound as the renderer's, block by block."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improviser.core.midi.event import ControlChange, Event, NoteOff, NoteOn
from improviser.show.live_sound import BLOCK, MOST_TONES, LiveSynth
from improviser.show.sound import FULL_SCALE, SAMPLE_RATE, TAIL_SECONDS, Samples, render

Moment = tuple[int, int, Event]
"""Block, part, event."""

SESSION: list[Moment] = [
    (0, 0, NoteOn(0, 72, 90)),
    (10, 1, NoteOn(0, 48, 90)),
    (50, 0, NoteOff(0, 72)),
    (60, 1, NoteOff(0, 48)),
    (61, 0, ControlChange(0, 64, 127)),
    (62, 0, NoteOn(0, 60, 70)),
    (70, 0, NoteOff(0, 60)),
    (80, 0, NoteOn(0, 64, 110)),
    (85, 0, NoteOn(0, 60, 30)),
    (120, 0, ControlChange(0, 64, 0)),
    (130, 0, NoteOff(0, 64)),
    (135, 0, NoteOff(0, 60)),
]


def live(session: list[Moment], blocks: int, synth: LiveSynth | None = None) -> Samples:
    synth = synth or LiveSynth()
    sound = []
    for number in range(blocks):
        for at, part, event in session:
            if at == number:
                synth.take(part, event)
        sound.append(synth.block())
    return np.concatenate(sound)


def test_it_sounds_like_the_rendered_session() -> None:
    seconds = [[(at * BLOCK / SAMPLE_RATE, event) for at, part, event in SESSION if part == who] for who in (0, 1)]
    rendered = render(seconds[0], seconds[1]).astype(np.float32)
    played = live(SESSION, 300) * FULL_SCALE
    assert np.abs(rendered).max() > 3000
    assert np.abs(played - rendered[: len(played)]).max() <= 1.0


def test_silence_is_silent_and_returns() -> None:
    assert not live([], 20).any()
    synth = LiveSynth()
    live(SESSION[:2], 12, synth)
    synth.silence()
    tail = live([], round((TAIL_SECONDS + 0.2) * SAMPLE_RATE / BLOCK), synth)
    assert np.abs(tail[:BLOCK]).max() > 0.01
    assert np.abs(tail[-BLOCK:]).max() < 1e-4


def test_notes_end_without_a_click() -> None:
    sound = live([(0, 1, NoteOn(0, 60, 127)), (40, 1, NoteOff(0, 60))], 80)
    jumps = np.abs(np.diff(sound, axis=0)).max(axis=1)
    assert jumps[39 * BLOCK : 60 * BLOCK].max() <= jumps[20 * BLOCK : 39 * BLOCK].max() * 1.05


@pytest.mark.parametrize("control", [120, 123])
def test_all_notes_off_ends_a_parts_channel(control: int) -> None:
    both: list[Moment] = [(0, 0, NoteOn(0, 60, 90)), (0, 0, ControlChange(0, 64, 127)), (0, 1, NoteOn(0, 40, 90))]
    ended = live([*both, (9, 0, ControlChange(0, control, 0))], 300)
    other = live([(0, 1, NoteOn(0, 40, 90))], 300)
    assert ended[-BLOCK:] == pytest.approx(other[-BLOCK:], abs=1e-3)
    assert np.abs(other[-BLOCK:]).max() > 0.01


PARTS = st.integers(0, 1)
EVENTS = st.one_of(
    st.builds(NoteOn, st.integers(0, 1), st.integers(0, 127), st.integers(1, 127)),
    st.builds(NoteOff, st.integers(0, 1), st.integers(0, 127)),
    st.builds(ControlChange, st.integers(0, 1), st.sampled_from([64, 123, 1]), st.integers(0, 127)),
)


@settings(deadline=None, max_examples=12)
@given(st.lists(st.tuples(st.integers(0, 19), PARTS, EVENTS), max_size=200))
def test_whatever_is_played_it_stays_in_range_and_can_be_silenced(session: list[Moment]) -> None:
    synth = LiveSynth()
    sound = live(session, 20, synth)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 1.0
    assert len(synth._sounding) <= MOST_TONES
    synth.silence()
    assert not synth._sounding
    live([], 30, synth)
    assert not synth._ending, "nothing is kept of notes that have died away"
