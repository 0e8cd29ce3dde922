"""MIDI clock: the grid is found through jitter, and answers wait for it only while it runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from improviser.core.midi.clock import GRIDS, LOST_SECONDS, ON_TIME_SECONDS, Clock
from improviser.core.midi.event import Continue, NoteOff, NoteOn, SongPosition, Start, Stop, Tick
from tests.core.live.desk import Desk, notes
from tests.core.live.responders import SingerModel


def ticking(
    ticks: int, *, tempo: float = 120.0, begin: float = 10.0, jitter: float = 0.0, started: bool = True
) -> Clock:
    clock, rng = Clock(), np.random.default_rng(1)
    if started:
        clock.follow(Start(), begin - 0.001)
    for number in range(ticks):
        clock.follow(Tick(), begin + number * 2.5 / tempo + jitter * float(rng.uniform(-1, 1)))
    return clock


@given(st.floats(40, 300), st.sampled_from(sorted(GRIDS.keys() - {"off"})), st.floats(0, 0.4), st.integers(30, 200))
def test_what_is_delayed_starts_on_the_grid(tempo: float, grid: str, after: float, ticks: int) -> None:
    clock = ticking(ticks, tempo=tempo)
    now = 10.0 + (ticks - 1) * 2.5 / tempo + after
    step = GRIDS[grid] * 2.5 / tempo
    delay = clock.delay(now, GRIDS[grid])
    assert 0 <= delay <= step
    if delay:
        points = (now + delay - 10.0) / step
        assert points == pytest.approx(round(points), abs=1e-6)
    else:
        late = (now - 10.0) % step
        assert late <= ON_TIME_SECONDS + 1e-6 or late == pytest.approx(step)


def test_jitter_is_averaged() -> None:
    clock = ticking(200, jitter=0.004)
    now = 10.0 + 200 * 2.5 / 120 + 0.001
    beats = (now + clock.delay(now, 24) - 10.0) / 0.5
    assert beats == pytest.approx(round(beats), abs=0.008)


def test_without_a_running_clock_or_a_grid_nothing_waits() -> None:
    now = 10.0 + 48 * 2.5 / 120 + 0.1
    assert ticking(48).delay(now, 24) > 0
    assert ticking(48).delay(now, GRIDS["off"]) == 0
    assert ticking(48).delay(now + LOST_SECONDS + 0.1, 24) == 0
    assert ticking(3).delay(10.1, 24) == 0
    stopped = ticking(48)
    stopped.follow(Stop(), now)
    assert stopped.delay(now, 24) == 0
    stopped.follow(Continue(), now)
    assert stopped.delay(now, 24) > 0


def test_a_start_begins_a_bar() -> None:
    clock = ticking(31)
    last = 10.0 + 30 * 2.5 / 120
    clock.follow(Start(), last + 0.001)
    for number in range(1, 12):
        clock.follow(Tick(), last + number * 2.5 / 120)
    now = last + 11.2 * 2.5 / 120
    assert now + clock.delay(now, 24) == pytest.approx(last + 25 * 2.5 / 120)


class TestPerformer:
    """Quantised answers; the clock runs at 120, on the half seconds."""

    def desk(self, mode: str = "shadow", quantise: str = "1/4") -> Desk:
        desk = Desk(SingerModel(), mode=mode, temperature=0.0, quantise=quantise)
        desk.hear(Start(), 0.0)
        self.tick(desk, 0.0, 2.0)
        return desk

    def tick(self, desk: Desk, begin: float, end: float) -> None:
        for number in range(round(begin * 48), round(end * 48)):
            desk.wait(max(0.0, number / 48 - desk.now))
            desk.hear(Tick(), max(0.0, number / 48 - desk.now))

    def test_an_answer_waits_for_the_grid_and_keeps_its_length(self) -> None:
        desk = self.desk()
        assert desk.hear(NoteOn(0, 60, 80), 2.2 - desk.now) == []
        assert desk.hear(NoteOff(0, 60), 0.1) == []
        played = [(moment, type(event)) for moment, event in desk.wait(2.0)]
        assert [moment for moment, _ in played] == pytest.approx([2.5, 2.6], abs=0.01)
        assert [kind for _, kind in played] == [NoteOn, NoteOff]

    def test_a_note_on_the_grid_is_answered_at_once(self) -> None:
        desk = self.desk()
        assert notes(desk.hear(NoteOn(0, 60, 80), 2.01 - desk.now)) == [64]

    def test_without_quantise_nothing_waits(self) -> None:
        desk = self.desk(quantise="off")
        assert notes(desk.hear(NoteOn(0, 60, 80), 2.2 - desk.now)) == [64]

    def test_keys_struck_again_before_their_answers_are_all_answered(self) -> None:
        desk = self.desk()
        desk.hear(NoteOn(0, 60, 80), 2.1 - desk.now)
        desk.hear(NoteOn(0, 60, 90), 0.1)
        desk.hear(NoteOff(0, 60), 0.1)
        played = [event for _, event in desk.wait(3.0)]
        assert len(notes(played)) == 2
        assert desk.synth.at_rest
        assert not desk.synth.errors

    def test_mute_and_panic_forget_what_waits(self) -> None:
        for silence in ("mute", "panic"):
            desk = self.desk()
            desk.hear(NoteOn(0, 60, 80), 2.2 - desk.now)
            if silence == "mute":
                desk.change("mode", "mute")
            else:
                desk.panic()
            assert desk.wait(5.0) == []

    def test_a_reply_is_on_the_grid_and_ends_when_the_sequencer_stops(self) -> None:
        desk = self.desk(mode="answer", quantise="1/8")
        for _ in range(6):
            desk.hear(NoteOn(0, 60, 80), 0.3)
            desk.hear(NoteOff(0, 60), 0.03)
            self.tick(desk, round(desk.now * 48 + 1) / 48, desk.now + 0.2)
        self.tick(desk, round(desk.now * 48 + 1) / 48, desk.now + 2.5)
        onsets = [moment for moment, event in desk.sent if isinstance(event, NoteOn)]
        assert len(onsets) >= 3
        assert all(abs(moment / 0.25 - round(moment / 0.25)) < 0.2 for moment in onsets)
        desk.hear(Stop(), 0.01)
        assert desk.synth.at_rest

    def test_a_start_lets_a_solo_go_on(self) -> None:
        desk = Desk(SingerModel(), mode="solo")
        desk.down(60)
        desk.up(60)
        desk.wait(5.0)
        desk.hear(Stop(), 0.1)
        assert desk.wait(20.0) == []
        desk.hear(Start(), 0.1)
        assert desk.wait(5.0)


def test_a_song_position_says_where_the_clock_goes_on() -> None:
    clock = ticking(40, tempo=120.0)
    clock.follow(Stop(), 11.0)
    clock.follow(SongPosition(3), 11.0)  # 18 ticks: six before the next quarter
    clock.follow(Continue(), 11.0)
    tick = 2.5 / 120
    for number in range(31):
        clock.follow(Tick(), 11.1 + number * tick)
    # The last tick is number 48: a quarter note, and the next comes 24 ticks later.
    now = 11.1 + 30 * tick + ON_TIME_SECONDS + 0.001
    assert clock.delay(now, GRIDS["1/4"]) == pytest.approx(11.1 + (72 - 18) * tick - now, abs=0.001)


def test_a_song_position_begins_no_solo() -> None:
    desk = Desk(SingerModel(), mode="solo")
    assert desk.hear(SongPosition(16)) == []
    assert desk.performer.deadline is None
