"""Ten thousand notes a second on real JACK: all answered in order, all on record, and nothing sounds for ever."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from improviser.cli import app
from improviser.engine.protocol import Step
from improviser.recordings.log import read
from tests.jack_peer import JackPeer, note_ons, sounding
from tests.playing import Player, note_off, note_on, write_small_model
from tests.servers import JackServer

pytestmark = [pytest.mark.jack, pytest.mark.slow]

NAME = "improviser-burst"
NOTES, SECONDS = 20_000, 2.0
MOST_OF = 0.9


def test_a_burst_is_answered_recorded_and_replayed(
    jack_server: JackServer, jack_peer: Callable[[str], JackPeer], tmp_path: Path
) -> None:
    model = write_small_model(tmp_path / "small.safetensors")
    ports = ("--input", "virtual", "--output", "virtual")
    options = ("--api", "jack", "--name", NAME, "--model", str(model), "--follow", "every", *ports)
    kept = tmp_path / "kept"
    with Player(
        jack_server.client_environment, tmp_path / "play.log", *options, "--no-display", "--record", str(kept)
    ) as player:
        player.wait_for("playing on jack")
        peer = jack_peer("peer")
        peer.connect_to(NAME)
        witness = jack_peer("witness")
        witness.connect(peer.output, witness.input)
        played = [36 + number * 7 % 60 for number in range(NOTES)]
        gap = SECONDS / NOTES
        schedule = [(number * gap, note_on(pitch)) for number, pitch in enumerate(played)]
        schedule += [((number + 0.5) * gap, note_off(pitch)) for number, pitch in enumerate(played)]
        peer.play(sorted(schedule))
        arrived = [received.message for received in witness.wait_for(2 * NOTES, timeout=30)]
        # An overloaded machine loses messages in the sender's ring, before anybody could hear them.
        assert len(arrived) >= MOST_OF * 2 * NOTES
        pitches = [message[1] for message in note_ons(arrived)]
        peer.wait_for(len(arrived), timeout=30)
        heard = peer.wait_until(lambda told: len(note_ons(told)) == len(pitches) and not sounding(told), timeout=30)
        assert not sounding(heard), player.said()
        assert len(note_ons(heard)) == len(pitches)
        assert player.leave(signal.SIGTERM) == 0
        assert "lost" not in player.said()
    (log,) = kept.glob("*.jsonl")
    steps = [report for _, report in read(log).reports if isinstance(report, Step)]
    assert [step.heard[1] for step in steps if step.heard[0] == 0x90] == pitches
    result = CliRunner().invoke(app, ["replay", str(log)])
    assert result.exit_code == 0, result.output
