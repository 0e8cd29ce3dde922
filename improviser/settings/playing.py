"""The settings that say how the player is heard and how the answers sound. Part of the one schema; all change live."""

from typing import Annotated, Literal

from improviser.settings.serving import ServingSettings, about

CHANNELS = "a whole number 0–16: 0 is every channel"


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
    quantise: Annotated[
        Literal["off", "1/4", "1/8", "1/16", "1/32", "1/4t", "1/8t", "1/16t"],
        about(
            "Where answers start while a MIDI clock runs.", "off, or 1/4, 1/8, 1/16, 1/32, 1/4t, 1/8t, 1/16t", live=True
        ),
    ] = "off"
    guard: Annotated[bool, about("Pass over our own notes where they come back in.", "true or false", live=True)] = True
