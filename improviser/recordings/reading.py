"""Reads a session that was played, from its MIDI file, its log, or any other MIDI file, to be shown."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from improviser.core.midi.event import TimedEvent
from improviser.core.midi.growing_smf import TEMPO
from improviser.core.midi.pairing import held_by_pedal, notes_of
from improviser.core.music.note import Note
from improviser.core.music.player import note_events
from improviser.engine.events import event_of, sounds, stamp_of
from improviser.engine.protocol import Applied, Ready, Step, Turned
from improviser.errors import LogError
from improviser.midifile import MidiPiece, TimedNote, read_midi, remarks_on
from improviser.recordings.log import SUFFIX, read
from improviser.recordings.transcript import Transcript

MOST_BARS = 400


@dataclass(frozen=True, slots=True)
class PlayedSession:
    """What was heard and played, in seconds since it began.

    :param bars: where bars begin, if the file has a tempo of its own.
    :param facts: what is known of how it was played: (what, value).
    :param latencies: how long each answer took, in seconds; none are known without a log.
    :param log: the log that replays it, if there is one.
    :param remarks: what was repaired in its file, or left out of it.
    """

    name: str
    heard: Sequence[TimedEvent]
    played: Sequence[TimedEvent]
    bars: tuple[float, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    latencies: Sequence[float] = ()
    log: Path | None = None
    remarks: tuple[str, ...] = ()

    @property
    def end_seconds(self) -> float:
        """When the last thing happened."""
        return max((seconds for part in (self.heard, self.played) for seconds, _ in part), default=0.0)

    def notes(self) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
        """Return the player's notes and the improviser's; a held pedal lengthens them."""
        heard, played = (
            notes_of(sorted(held_by_pedal(events), key=lambda moment: moment[0]), self.end_seconds)
            for events in (self.heard, self.played)
        )
        return heard, played


def read_session(path: Path, *, strict: bool = False) -> PlayedSession:
    """Read a session from its log, or from a MIDI file; beside one of our recordings its log is found.

    Of other MIDI files the first part with notes is taken for the player, and all others for the improviser.

    :param strict: refuse a MIDI file that needs repairs.
    :raises LogError, MidiFileError: if the file cannot be read.
    """
    if path.suffix == SUFFIX:
        return _from_log(path)
    piece = read_midi(path, need_notes=True, strict=strict)
    log = path.with_suffix(SUFFIX)
    if log.is_file():
        try:
            return _from_log(log)
        except LogError:
            pass  # it is of something else
    return replace(_from_piece(piece), remarks=remarks_on(path, piece))


def _from_log(path: Path) -> PlayedSession:
    transcript = Transcript()
    latencies = array("d")
    start: float | None = None
    ready: Ready | None = None
    changes = 0
    for _, report in read(path).reports:
        stamp = stamp_of(report)
        if stamp is not None:
            start = stamp if start is None and sounds(report) else start
            transcript.take(event_of(report), 0.0 if start is None else max(0.0, stamp - start))
        if isinstance(report, Step) and report.played:
            latencies.append(report.latency_seconds)
        ready = report if ready is None and isinstance(report, Ready) else ready
        changes += isinstance(report, Turned) or (isinstance(report, Applied) and report.error is None)
    heard, played = transcript.heard, transcript.played
    return PlayedSession(path.stem, heard, played, facts=_facts(ready, changes), latencies=latencies, log=path)


def _facts(ready: Ready | None, changes: int) -> tuple[tuple[str, str], ...]:
    """Return what the engine began with, and how often it was changed while it played."""
    if ready is None:
        return ()
    shown = {name: value for name, value in ready.parameters.items() if name in ("mode", "temperature", "scale")}
    facts = [("model", " + ".join(model.name for model in ready.models))]
    facts += [(name, str(value)) for name, value in shown.items()]
    facts += [("seed", str(ready.seed)), ("MIDI system", ready.api), ("changes while playing", str(changes))]
    return tuple(facts)


def _from_piece(piece: MidiPiece) -> PlayedSession:
    first = next(timed.track for timed in sorted(piece.notes, key=lambda timed: timed.track))
    channel = min(timed.channel for timed in piece.notes if timed.track == first)
    one_track = len({timed.track for timed in piece.notes}) == 1

    def is_player(timed: TimedNote) -> bool:
        return timed.track == first and (timed.channel == channel or not one_track)

    heard = [timed.note for timed in piece.notes if is_player(timed)]
    played = [timed.note for timed in piece.notes if not is_player(timed)]
    return PlayedSession(
        piece.name, tuple(note_events(heard)), tuple(note_events(played)), bars=tuple(bar_lines(piece))
    )


def bar_lines(piece: MidiPiece) -> list[float]:
    """Return where the bars of a piece begin, in seconds.

    None if it has no time signature and only the tempo that our recordings have, which is not what anybody played, or
    more bars than a picture can show.
    """
    if not piece.time_signatures and piece.tempo.changes == ((0, TEMPO),):
        return []
    end = max(timed.end_tick for timed in piece.notes)
    signatures = [*([] if piece.time_signatures[:1] and not piece.time_signatures[0][0] else [(0, 4, 4)])]
    signatures += piece.time_signatures
    lines: list[float] = []
    for index, (start, numerator, denominator) in enumerate(signatures):
        stop = signatures[index + 1][0] if index + 1 < len(signatures) else end + 1
        bar = max(1, piece.ticks_per_beat * 4 * numerator // denominator)
        if (min(stop, end + 1) - start) // bar > MOST_BARS:
            return []
        lines += [piece.tempo.seconds_at(tick) for tick in range(start, min(stop, end + 1), bar)]
    return lines if len(lines) <= MOST_BARS else []
