"""The settings that say how the player is heard and how the answers sound. Part of the one schema; all change live."""

from typing import Annotated, Literal, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from improviser.settings.serving import ServingSettings, Words, about

CHANNELS = "a whole number 0–16: 0 is every channel"

Control = Annotated[int, Meta(ge=0, le=127)]


class OnChannel(TypedDict):
    """A control change of one channel of the player's."""

    control: Control
    channel: NotRequired[Annotated[int, Meta(ge=1, le=16)]]


class PlayingSettings(ServingSettings, frozen=True, kw_only=True):
    """How the keyboard is heard, and how the answers sound."""

    transpose: Annotated[
        int, about("Semitones added to every answer.", "a whole number from -48 to 48", live=True, ge=-48, le=48)
    ] = 0
    velocity_scale: Annotated[
        float, about("How loud answers are against you.", "a number 0–2: 1 is as loud", live=True, ge=0, le=2)
    ] = 1.0
    velocity_curve: Annotated[
        float,
        about(
            "How answers follow your touch.",
            "a number 0.25–4: 1 is as played, less lifts soft notes, more lowers them",
            live=True,
            ge=0.25,
            le=4,
        ),
    ] = 1.0
    channel: Annotated[
        int, about("The channel of answers.", "a whole number 0–16: 0 is that of your note", live=True, ge=0, le=16)
    ] = 0
    bend: Annotated[bool, about("Pass pitch bend on.", "true or false", live=True)] = True
    aftertouch: Annotated[bool, about("Pass aftertouch on.", "true or false", live=True)] = True
    input_channel: Annotated[int, about("The only channel that is heard.", CHANNELS, live=True, ge=0, le=16)] = 0
    input_low: Annotated[
        int, about("The lowest key that is heard.", "a whole number 0–127", live=True, ge=0, le=127)
    ] = 0
    input_high: Annotated[
        int, about("The highest key that is heard.", "a whole number 0–127", live=True, ge=0, le=127)
    ] = 127
    side: Annotated[
        Literal["both", "below", "above"],
        about("Which side of the split is answered.", "both, below or above", live=True),
    ] = "both"
    split: Annotated[int, about("The lowest key above the split.", "a whole number 0–127", live=True, ge=0, le=127)] = (
        60
    )
    delay: Annotated[
        float, about("Seconds that answers come after your notes.", "a number 0–2", live=True, ge=0, le=2)
    ] = 0.0
    release_after: Annotated[
        float,
        about(
            "Seconds without a sign of life of yours after which held notes are released.",
            "a number 0–3600: 0 is never",
            live=True,
            ge=0,
            le=3600,
        ),
    ] = 0.0
    quantise: Annotated[
        Literal["off", "1/4", "1/8", "1/16", "1/32", "1/4t", "1/8t", "1/16t"],
        about(
            "Where answers start while a MIDI clock runs.", "off, or 1/4, 1/8, 1/16, 1/32, 1/4t, 1/8t, 1/16t", live=True
        ),
    ] = "off"
    guard: Annotated[bool, about("Pass over our own notes where they come back in.", "true or false", live=True)] = True
    programs: Annotated[
        bool, about("Program changes pick the model; else they go where thru sends them.", "true or false", live=True)
    ] = True
    pickup: Annotated[
        bool,
        about(
            "A knob turns nothing before it comes to where things are, so that nothing jumps.",
            "true or false",
            live=True,
        ),
    ] = False
    program_models: Annotated[
        tuple[Words, ...],
        about(
            "The models that program changes pick from, instead of those of play or the library.",
            "a list of names; program 1 is the first",
            max_length=128,
        ),
    ] = ()
    controls: Annotated[
        dict[str, Control | OnChannel],
        about(
            "Knobs, and what they turn; `improviser play --learn temperature` finds them out.",
            "a table of parameters, each with the number 0–127 of a control change, or with { control, channel }",
            live=True,
        ),
    ] = msgspec.field(default_factory=dict)
