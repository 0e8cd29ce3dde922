"""The live parameters, in one table: everything about the playing that can be changed while one plays.

Whatever else there is to a parameter is derived from its entry here: what it may be (`allowed`), the setting and the
environment variable (`settings.schema`), the option of `play` (`commands.play_options`), the knob (`knobs`), what is
understood and offered over MQTT (`remote.requests`, `remote.discovery`), what the display says of it (`notable`), and
its line in the README.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Annotated, Any, get_type_hints

from improviser.core.live.modes.registry import MODES_BY_NAME, modes_explained
from improviser.core.live.parameters.kinds import (
    ALL,
    SWITCH,
    Bindings,
    Described,
    Inputs,
    OfParts,
    Range,
    Scale,
    named,
    words,
)
from improviser.core.midi.clock import GRIDS
from improviser.core.midi.lanes import channel_of, input_of
from improviser.core.music.drums import DRUM_CHANNEL
from improviser.core.music.note import CHANNELS, PITCHES
from improviser.core.music.parts import NAMES, said_of_parts
from improviser.core.music.pitch import AUTO, OFF

MODES = tuple(MODES_BY_NAME)
FOLLOWED = ("every", "pulse", "harmony")
BASSES = ("support", "below", "off")
SIDES = ("both", "below", "above")
DRUMS = ("pulse", "notes", "ignore")
ADAPTATIONS = ("off", "gentle", "full")
CHANNELS_OF_PARTS = ("one", "each")

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
        float,
        Described(
            Range(0, 4, step=0.1),
            "How adventurous the answers are.",
            "0 plays safe, 1 plays freely",
            main=True,
            always=True,
        ),
    ] = 0.7
    kinship: Annotated[
        float,
        Described(
            Range(0, 1, step=0.05),
            "How much of what you said is in the replies.",
            "0: they speak of something else, 1: they say it again; for melody models in answer and solo",
        ),
    ] = 0.5
    density: Annotated[
        float,
        Described(Range(0, 1, step=0.05), "What share of your notes is answered.", main=True),
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
    part: Annotated[
        str,
        Described(
            (*NAMES, AUTO),
            "Which part of a chorale you play; the others are added around it.",
            "auto: by how high you play; for models such as bach-chorale",
        ),
    ] = NAMES[0]
    hold: Annotated[
        bool,
        Described(SWITCH, "Let parts of a chorale hold notes over where you play legato, as often as Bach's do."),
    ] = False
    ornament: Annotated[
        float,
        Described(
            Range(0, 1, step=0.05),
            "How many passing notes the parts of a chorale play between your notes.",
            "0: none, 1: as many as Bach's, at most one at a time",
        ),
    ] = 0.0
    scale: Annotated[str, Described(Scale(), "The key that the answers stay in.", main=True)] = OFF
    low: Annotated[int, Described(_KEY, "The lowest pitch of the answers.", main=True, not_above="high")] = 0
    high: Annotated[int, Described(_KEY, "The highest pitch of the answers.", main=True)] = PITCHES - 1
    adapt: Annotated[
        str,
        Described(
            ADAPTATIONS,
            "Whether melody models are evolved on what you play, while you play.",
            "off: they stay as they are; gentle: half of what was learned counts; full: all of it",
        ),
    ] = "off"
    transpose: Annotated[
        int, Described(Range(-48, 48, whole=True), "How far every answer is shifted.", unit="semitones")
    ] = 0
    velocity_scale: Annotated[
        float,
        Described(Range(0, 2, step=0.05), "How loud the answers are compared with your notes.", "1 is equally loud"),
    ] = 1.0
    velocity_curve: Annotated[
        float,
        Described(
            Range(0.25, 4, step=0.05),
            "How the answers follow your touch.",
            "1 is as played, below 1 soft notes get louder, above 1 softer",
        ),
    ] = 1.0
    channel: Annotated[
        int, Described(_CHANNEL, "The MIDI channel of the answers.", "0 is the channel of your note")
    ] = 0
    channels: Annotated[
        str,
        Described(
            CHANNELS_OF_PARTS,
            "Whether all parts share one channel.",
            "each: soprano, alto, tenor and bass have one each, from that of the answers on; channel 10 is left out",
        ),
    ] = "one"
    balance: Annotated[
        str,
        Described(
            OfParts(Range(0, 2), "alto 0.8, bass 1.2"), "How loud some parts are.", "1 is as loud as others", knob=False
        ),
    ] = OFF
    registers: Annotated[
        str,
        Described(
            OfParts(_KEY, "tenor 48-67, bass 36-60", pair=True),
            "The lowest and highest pitches of parts of a chorale.",
            knob=False,
        ),
    ] = OFF
    instruments: Annotated[
        str,
        Described(
            OfParts(Range(1, 128, whole=True), "alto 69, bass 71"),
            "Which programs are sent for parts.",
            "where each part has a channel",
            knob=False,
        ),
    ] = OFF
    thru: Annotated[bool, Described(SWITCH, "Send your own notes on as well.", main=True)] = False
    thru_inputs: Annotated[
        str,
        Described(Inputs(), "Which inputs' notes thru sends on.", "in the order of --input", knob=False),
    ] = ALL
    bend: Annotated[bool, Described(SWITCH, "Pass pitch bend on.")] = True
    aftertouch: Annotated[bool, Described(SWITCH, "Pass aftertouch on.")] = True
    input_channel: Annotated[int, Described(_CHANNEL, "The only MIDI channel that is heard.", "0 is all of them")] = 0
    input_low: Annotated[int, Described(_KEY, "The lowest key that is heard.", not_above="input_high")] = 0
    input_high: Annotated[int, Described(_KEY, "The highest key that is heard.")] = PITCHES - 1
    side: Annotated[str, Described(SIDES, "Which side of the keyboard split is answered.")] = "both"
    split: Annotated[int, Described(_KEY, "The lowest key of the side above the split.")] = 60
    drums: Annotated[
        str,
        Described(
            DRUMS,
            "How channel 10 is heard.",
            "pulse: replies start on its beat; notes: answered like any other channel; ignore: not at all",
        ),
    ] = "pulse"
    delay: Annotated[
        float, Described(Range(0, 2, step=0.01), "How long answers wait after your notes.", unit="seconds")
    ] = 0.0
    release_after: Annotated[
        float,
        Described(
            Range(0, 3600),
            "Release held notes when nothing has come in for this long.",
            "0 means never",
            unit="seconds",
        ),
    ] = 0.0
    quantise: Annotated[str, Described(tuple(GRIDS), "The grid on which answers start while a MIDI clock runs.")] = (
        "off"
    )
    guard: Annotated[bool, Described(SWITCH, "Ignore the improviser's own notes when they come back in.")] = True
    programs: Annotated[
        bool,
        Described(SWITCH, "Let program changes pick the model; if off, thru passes them on.", knob=False),
    ] = True
    pickup: Annotated[
        bool,
        Described(SWITCH, "Ignore a knob until it reaches the present value, so that nothing jumps.", knob=False),
    ] = False
    controls: Annotated[
        Mapping[str, Any],
        Described(
            Bindings(),
            "Which knob turns what; `improviser play --learn temperature` fills it in.",
            knob=False,
            option=False,
        ),
    ] = field(default_factory=dict)

    def hears_channel(self, channel: int) -> bool:
        """Say whether the player's channel (or lane, see `lanes`) is heard."""
        return self.input_channel in (0, channel_of(channel) + 1)

    def sends_on(self, lane: int) -> bool:
        """Say whether what the player does on a lane is sent on."""
        return self.thru and (self.thru_inputs == ALL or str(input_of(lane) + 1) in self.thru_inputs.split(","))

    def hears_key(self, pitch: int) -> bool:
        """Say whether a key of the player is heard."""
        return self.input_low <= pitch <= self.input_high

    def answers_key(self, pitch: int) -> bool:
        """Say whether a key that is heard is on the side of the split that is answered."""
        return self.side == "both" or (self.side == "above") == (pitch >= self.split)

    @property
    def answers_all(self) -> bool:
        """Whether all keys of all channels are heard, and answered."""
        all_keys = self.input_low == 0 and self.input_high == PITCHES - 1 and self.side == "both"
        return all_keys and self.input_channel == 0

    @property
    def is_as_loud(self) -> bool:
        """Whether all parts answer on one channel, as loud as the player."""
        curve = self.velocity_scale == 1 and self.velocity_curve == 1
        return curve and self.balance == OFF and self.channels == CHANNELS_OF_PARTS[0]

    def output_channel(self, channel: int) -> int:
        """Return the channel, 0–15, of an answer to the player's `channel` (or lane)."""
        return self.channel - 1 if self.channel else channel_of(channel)

    def channel_of_part(self, channel: int, part: int | None) -> int:
        """Return the channel, 0–15, of a part's answer, where others answer on `channel`, 0–15."""
        return channel if part is None or self.channels == CHANNELS_OF_PARTS[0] else _each_part(channel)[part]

    def register_of_part(self, part: int) -> tuple[int, int]:
        """Return the lowest and highest pitch that a part of a chorale may have."""
        low, high = (said_of_parts(self.registers) or {}).get(part, (self.low, self.high))
        return int(low), int(high)

    def program_of_part(self, part: int | None) -> int | None:
        """Return the program, 0–127, of the channel that a part has to itself; None if none is asked for."""
        if part is None or self.channels == CHANNELS_OF_PARTS[0] or self.instruments == OFF:
            return None
        (program,) = (said_of_parts(self.instruments) or {}).get(part, (0.0,))
        return int(program) - 1 if program else None

    def loudness(self, velocity: int, part: int | None = None) -> int:
        """Return the velocity, 1–127, of an answer to a note of the player's `velocity`, 1–127, of a part perhaps."""
        scale = self.velocity_scale
        if part is not None and self.balance != OFF:
            scale *= (said_of_parts(self.balance) or {}).get(part, (1.0,))[0]
        if scale == 1 and self.velocity_curve == 1:
            return velocity
        loud: float = 127 * scale * (velocity / 127) ** self.velocity_curve
        return max(1, min(127, round(loud)))


@cache
def _each_part(channel: int) -> tuple[int, ...]:
    """Return the channels of soprano, alto, tenor and bass, from one on, without the drums'."""
    following = [(channel + number) % CHANNELS for number in range(CHANNELS)]
    return tuple([one for one in following if one != DRUM_CHANNEL or one == channel][: len(NAMES)])


TABLE: Mapping[str, Described] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Parameters, include_extras=True).items()
}
"""Every live parameter, by its name in `Parameters`."""

DEFAULTS: Mapping[str, Any] = asdict(Parameters())

ORDERED = tuple((name, described.not_above) for name, described in TABLE.items() if described.not_above)
"""Pairs of parameters of which the first must not be above the second."""


def allowed_words(name: str) -> str:
    """Return what the parameter `name` may be, in words: "a number 0–4 (0 plays safe, 1 plays freely)"."""
    described = TABLE[name]
    said = words(described.kind, described.unit)
    said += "".join(f", not above {high}" for low, high in ORDERED if low == name)
    said += "".join(f", not below {low}" for low, high in ORDERED if high == name)
    return f"{said} ({described.note})" if described.note else said


def notable(parameters: Parameters) -> dict[str, str]:
    """Return what is not as it is by default, and what is always to be known, by name and as a display says it."""
    return {
        name: named(name, value, described.unit)
        for name, described in TABLE.items()
        if not isinstance(described.kind, Bindings)
        and ((value := getattr(parameters, name)) != DEFAULTS[name] or described.always)
    }


Parameters.__doc__ = "\n".join(
    [f"{Parameters.__doc__}\n", *(f":param {name}: {TABLE[name].help} May be {allowed_words(name)}." for name in TABLE)]
)
