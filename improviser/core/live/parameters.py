"""The live parameters, in one table: everything about the playing that can be changed while one plays.

Whatever else there is to a parameter is derived from its entry here: what it may be (`allowed`), the setting and the
environment variable (`settings.config`), the option of `play` (`commands.play_options`), the knob (`knobs`), what is
understood and offered over MQTT (`remote.wishes`, `remote.discovery`), and its line in the README.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, get_type_hints

from improviser.core.live.kinds import SWITCH, Bindings, Described, Range, Scale, words
from improviser.core.live.modes.registry import MODES_BY_NAME, modes_explained
from improviser.core.midi.clock import GRIDS
from improviser.core.music.note import CHANNELS, PITCHES
from improviser.core.music.pitch import OFF

MODES = tuple(MODES_BY_NAME)
FOLLOWED = ("every", "pulse", "harmony")
BASSES = ("support", "below", "off")
SIDES = ("both", "below", "above")

_KEY = Range(0, PITCHES - 1, whole=True)
_CHANNEL = Range(0, CHANNELS, whole=True)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What can be changed while one plays. Channels are counted from 1, as on every keyboard; 0 is any of them."""

    mode: Annotated[
        str,
        Described(
            MODES,
            "How it plays.",
            modes_explained(),
            main=True,
        ),
    ] = "shadow"
    temperature: Annotated[
        float, Described(Range(0, 4, step=0.1), "How adventurous it is.", "0 is sure of itself, 1 free", main=True)
    ] = 0.7
    density: Annotated[
        float,
        Described(Range(0, 1, step=0.05), "The share of notes that are answered.", main=True),
    ] = 1.0
    follow: Annotated[
        str,
        Described(
            FOLLOWED,
            "Which of your notes are answered.",
            "every: each of a chord too; pulse: chords once, in fast passages some; harmony: where it changes",
            main=True,
        ),
    ] = "pulse"
    bass: Annotated[
        str,
        Described(
            BASSES,
            "What a bass does while you play one yourself.",
            "support: it goes with yours, below it; below: its own way, always below you; off: nothing",
        ),
    ] = "support"
    scale: Annotated[str, Described(Scale(), "The key that answers keep to.", main=True)] = OFF
    low: Annotated[int, Described(_KEY, "The lowest pitch of an answer.", main=True, not_above="high")] = 0
    high: Annotated[int, Described(_KEY, "The highest pitch of an answer.", main=True)] = PITCHES - 1
    transpose: Annotated[int, Described(Range(-48, 48, whole=True), "Added to every answer.", unit="semitones")] = 0
    velocity_scale: Annotated[
        float, Described(Range(0, 2, step=0.05), "How loud answers are against you.", "1 is as loud")
    ] = 1.0
    velocity_curve: Annotated[
        float,
        Described(
            Range(0.25, 4, step=0.05),
            "How answers follow your touch.",
            "1 is as played, less lifts soft notes, more lowers them",
        ),
    ] = 1.0
    channel: Annotated[int, Described(_CHANNEL, "The channel of answers.", "0 is that of your note")] = 0
    thru: Annotated[bool, Described(SWITCH, "Send the player's own notes on as well.", main=True)] = False
    bend: Annotated[bool, Described(SWITCH, "Pass pitch bend on.")] = True
    aftertouch: Annotated[bool, Described(SWITCH, "Pass aftertouch on.")] = True
    input_channel: Annotated[int, Described(_CHANNEL, "The only channel that is heard.", "0 is every channel")] = 0
    input_low: Annotated[int, Described(_KEY, "The lowest key that is heard.", not_above="input_high")] = 0
    input_high: Annotated[int, Described(_KEY, "The highest key that is heard.")] = PITCHES - 1
    side: Annotated[str, Described(SIDES, "Which side of the split is answered.")] = "both"
    split: Annotated[int, Described(_KEY, "The lowest key above the split.")] = 60
    delay: Annotated[
        float, Described(Range(0, 2, step=0.01), "How long answers come after your notes.", unit="seconds")
    ] = 0.0
    release_after: Annotated[
        float,
        Described(
            Range(0, 3600),
            "After how long without a sign of life of yours held notes are released.",
            "0 is never",
            unit="seconds",
        ),
    ] = 0.0
    quantise: Annotated[str, Described(tuple(GRIDS), "Where answers start while a MIDI clock runs.")] = "off"
    guard: Annotated[bool, Described(SWITCH, "Pass over our own notes where they come back in.")] = True
    programs: Annotated[
        bool,
        Described(SWITCH, "Program changes pick the model; else they go where thru sends them.", knob=False),
    ] = True
    pickup: Annotated[
        bool,
        Described(
            SWITCH, "A knob turns nothing before it comes to where things are, so that nothing jumps.", knob=False
        ),
    ] = False
    controls: Annotated[
        Mapping[str, Any],
        Described(
            Bindings(),
            "Knobs, and what they turn; `improviser play --learn temperature` finds them out.",
            knob=False,
            option=False,
        ),
    ] = field(default_factory=dict)

    def hears_channel(self, channel: int) -> bool:
        """Say whether the player's channel, 0–15, is heard."""
        return self.input_channel in (0, channel + 1)

    def hears_key(self, pitch: int) -> bool:
        """Say whether a key of the player is heard."""
        return self.input_low <= pitch <= self.input_high

    def answers_key(self, pitch: int) -> bool:
        """Say whether a key that is heard is on the side of the split that is answered."""
        return self.side == "both" or (self.side == "above") == (pitch >= self.split)

    def output_channel(self, channel: int) -> int:
        """Return the channel, 0–15, of an answer to the player's `channel`."""
        return self.channel - 1 if self.channel else channel

    def loudness(self, velocity: int) -> int:
        """Return the velocity, 1–127, of an answer to a note of the player's `velocity`, 1–127."""
        if self.velocity_scale == 1 and self.velocity_curve == 1:
            return velocity
        loud: float = 127 * self.velocity_scale * (velocity / 127) ** self.velocity_curve
        return max(1, min(127, round(loud)))


TABLE: Mapping[str, Described] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Parameters, include_extras=True).items()
}
"""Every live parameter, by its name in `Parameters`."""

DEFAULTS: Mapping[str, Any] = asdict(Parameters())

ORDERED = tuple((name, described.not_above) for name, described in TABLE.items() if described.not_above)
"""Pairs of parameters of which the first must not be above the second."""


def allowed_words(name: str) -> str:
    """Return what the parameter `name` may be, in words: "a number 0–4: 0 is sure of itself, 1 free"."""
    described = TABLE[name]
    said = words(described.kind, described.unit)
    said += "".join(f", not above {high}" for low, high in ORDERED if low == name)
    said += "".join(f", not below {low}" for low, high in ORDERED if high == name)
    return f"{said}: {described.note}" if described.note else said


Parameters.__doc__ = "\n".join(
    [f"{Parameters.__doc__}\n", *(f":param {name}: {TABLE[name].help} May be {allowed_words(name)}." for name in TABLE)]
)
