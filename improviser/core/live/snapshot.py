"""What a session looks like at one moment, and the tally that keeps it: bounded, however long the session."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from improviser.core.live.parameters.table import Parameters
from improviser.core.midi.event import ALL_NOTES_OFF, ALL_SOUND_OFF, SUSTAIN, ControlChange, Event, NoteOff, NoteOn
from improviser.core.midi.pairing import PEDAL_DOWN
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.home import HomeTracker

ANSWERS_KEPT = 24
NOTES_KEPT = 512
LATENCIES_KEPT = 1000
WARNINGS_KEPT = 5
LEAST_SHOWN = 0.05
KEY_AFTER_NOTES = 5
"""From so few notes nobody could tell a key."""


class News(str):
    """A line among the warnings that is none: something the user may like to know."""

    __slots__ = ()


class Part(Enum):
    """Who plays."""

    PLAYER = "player"
    IMPROVISER = "improviser"


@dataclass(frozen=True, slots=True)
class Answer:
    """A note of the player and what was played to it, `latency_seconds` after it was heard.

    :param seconds: when it was heard, since the session began.
    :param played: none if the note was left unanswered, one per voice otherwise.
    """

    seconds: float
    heard: NoteOn
    played: tuple[NoteOn, ...]
    latency_seconds: float


@dataclass(frozen=True, slots=True)
class Sounded:
    """A note on the roll; `end_seconds` is None while it sounds."""

    part: Part
    pitch: int
    start_seconds: float
    end_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """How long the last thousand answers took, in seconds."""

    median: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True)
class Setup:
    """How the session is set up just now: what is played with, how, and over which connections."""

    models: tuple[str, ...]
    parameters: Parameters = field(default_factory=Parameters)
    api: str = ""
    hears: str = ""
    plays_to: str = ""
    recording: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session at the moment `seconds` since it began.

    :param roll: the notes of the last while, those that sound included, in the order of their starts.
    :param answers: the last ones, the newest last.
    :param heard, played: how many notes of the player and of the improviser there have been.
    :param key: the tonic and mode that the player seems to be in ("D dorian"), "" while that is not known.
    :param weights: how much each of the models that are mixed has to say, by name.
    :param pedal: whether the player holds the sustain pedal.
    :param warnings: the last ones, the newest last.
    """

    seconds: float
    setup: Setup
    roll: tuple[Sounded, ...] = ()
    answers: tuple[Answer, ...] = ()
    heard: int = 0
    played: int = 0
    latency: Latency | None = None
    key: str = ""
    pedal: bool = False
    warnings: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def listens_to(self) -> str:
        """Who is listened to, as it is shown: "folk-celtic 62 %, this session 31 %"; of a little nothing is said."""
        loudest = sorted(self.weights.items(), key=lambda weight: -weight[1])
        return ", ".join(f"{name} {share:.0%}".replace("%", " %") for name, share in loudest if share >= LEAST_SHOWN)

    def sounding(self, part: Part) -> frozenset[int]:
        """Return the pitches that a part sounds."""
        return frozenset(note.pitch for note in self.roll if note.part is part and note.end_seconds is None)

    @property
    def turn(self) -> str:
        """What the improviser is doing just now, where the two take turns."""
        return "plays" if self.sounding(Part.IMPROVISER) else "listens" if self.sounding(Part.PLAYER) else "waits"


class Tally:
    """Takes in what is heard and played, in any order of parts, and gives snapshots."""

    def __init__(self) -> None:
        self._sounding: dict[tuple[Part, int, int], Sounded] = {}
        self._ended: deque[Sounded] = deque(maxlen=NOTES_KEPT)
        self._answers: deque[Answer] = deque(maxlen=ANSWERS_KEPT)
        self._latencies: deque[float] = deque(maxlen=LATENCIES_KEPT)
        self._warnings: deque[str] = deque(maxlen=WARNINGS_KEPT)
        self._counts = dict.fromkeys(Part, 0)
        self._pedals: set[int] = set()
        self._home = HomeTracker()
        self.weights: Mapping[str, float] = {}
        """How much each of the models that are mixed has to say."""

    def step(self, seconds: float, heard: Event, played: Sequence[Event], latency_seconds: float) -> Answer | None:
        """Take in an event of the player's and what was sent for it; return the answer, if the event was a note-on."""
        self.hear(seconds, heard)
        self.play(seconds, played)
        if not isinstance(heard, NoteOn):
            return None
        notes = tuple(event for event in played if isinstance(event, NoteOn))
        answer = Answer(seconds, heard, notes, latency_seconds)
        self._answers.append(answer)
        self._latencies.append(latency_seconds)
        return answer

    def hear(self, seconds: float, event: Event) -> None:
        """Take in an event of the player's."""
        self._take(Part.PLAYER, seconds, event)
        if isinstance(event, ControlChange) and (event.control == ALL_SOUND_OFF or event.control >= ALL_NOTES_OFF):
            self._end(seconds, [key for key in self._sounding if key[:2] == (Part.PLAYER, event.channel)])
        if isinstance(event, ControlChange) and event.control == SUSTAIN:
            (self._pedals.add if event.value >= PEDAL_DOWN else self._pedals.discard)(event.channel)

    def play(self, seconds: float, events: Iterable[Event]) -> None:
        """Take in events of the improviser's."""
        for event in events:
            self._take(Part.IMPROVISER, seconds, event)

    def warn(self, warning: str) -> None:
        """Keep a warning to be shown."""
        self._warnings.append(warning)

    def silence(self, seconds: float) -> None:
        """End all that sounds: a panic, or an engine that is gone."""
        self._end(seconds, list(self._sounding))
        self._pedals.clear()

    def lose_player(self, seconds: float, keys: Collection[tuple[int, int]] | None = None) -> None:
        """End what the player holds, since their source is gone: all, or these keys (channel and pitch)."""
        sounding = [key for key in self._sounding if key[0] is Part.PLAYER]
        self._end(seconds, [key for key in sounding if keys is None or key[1:] in keys])
        if keys is None:
            self._pedals.clear()

    def _end(self, seconds: float, keys: Iterable[tuple[Part, int, int]]) -> None:
        for key in keys:
            note = self._sounding.pop(key)
            self._ended.append(replace(note, end_seconds=max(seconds, note.start_seconds)))

    def snapshot(self, seconds: float, setup: Setup) -> Snapshot:
        """Return the session as it is at `seconds`."""
        roll = sorted((*self._ended, *self._sounding.values()), key=lambda note: note.start_seconds)
        return Snapshot(
            seconds=seconds,
            setup=setup,
            roll=tuple(roll),
            answers=tuple(self._answers),
            heard=self._counts[Part.PLAYER],
            played=self._counts[Part.IMPROVISER],
            latency=self._latency(),
            key=self._key(seconds),
            pedal=bool(self._pedals),
            warnings=tuple(self._warnings),
            weights=self.weights,
        )

    def _take(self, part: Part, seconds: float, event: Event) -> None:
        if not isinstance(event, NoteOn | NoteOff):
            return
        key = part, event.channel, event.pitch
        if note := self._sounding.pop(key, None):
            self._ended.append(replace(note, end_seconds=seconds))
        if isinstance(event, NoteOn):
            self._sounding[key] = Sounded(part, event.pitch, seconds)
            self._counts[part] += 1
            if part is Part.PLAYER and event.channel != DRUM_CHANNEL:
                self._home.hear(event.pitch, seconds)

    def _key(self, seconds: float) -> str:
        return self._home.home(seconds).name if self._counts[Part.PLAYER] >= KEY_AFTER_NOTES else ""

    def _latency(self) -> Latency | None:
        ordered = sorted(self._latencies)
        if not ordered:
            return None
        last = len(ordered) - 1
        return Latency(ordered[last // 2], ordered[round(last * 0.99)], ordered[-1])
