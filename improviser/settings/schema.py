"""The schema: every setting of a live session, its type and limits, its default, and what it is in words."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from msgspec import Meta

from improviser.core.addresses.port_choice import MOST_PORTS
from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.parameters.table import TABLE, allowed_words
from improviser.settings.serving import NAME_PATTERN, ServingSettings, Words, about

VARIABLE_PREFIX = "IMPROVISER_"
MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ServingSettings):
    """Everything that `play` can be told: the live parameters, how it is served, and this."""

    input: Annotated[
        tuple[Words, ...],
        about(
            "Where notes come from.",
            "auto, virtual, part of a port's name, a MIDI file, or computer; or a list of up to eight ports",
            min_length=1,
            max_length=MOST_PORTS,
        ),
    ] = ("auto",)
    output: Annotated[
        tuple[Words, ...],
        about(
            "Where answers go.",
            "auto, virtual, or part of a port's name; or a list of up to eight, which all get them",
            min_length=1,
            max_length=MOST_PORTS,
        ),
    ] = ("auto",)
    api: Annotated[
        Literal["auto", "jack", "alsa", "coremidi", "winmm", "jack-rtmidi"],
        about("The MIDI system.", "auto (whatever works), jack, alsa, coremidi or winmm"),
    ] = "auto"
    name: Annotated[
        str, about("The name of the MIDI client.", "1–40 characters without : / + #", pattern=NAME_PATTERN)
    ] = "improviser"
    wait_for_ports: Annotated[
        bool, about("Start even if a named port, or any MIDI system, is not there yet.", "true or false")
    ] = False
    model: Annotated[
        tuple[Words, ...],
        about(
            "The model that answers.",
            "a name, or a list of up to eight: one voice each; by default bach-bass, in answer and solo auto",
            live=True,
            min_length=1,
            max_length=8,
        ),
    ] = ("bach-bass",)
    program_models: Annotated[
        tuple[Words, ...],
        about(
            "The models that program changes pick from, in place of those of play or the library.",
            "a list of names; program 1 is the first",
            max_length=128,
        ),
    ] = ()
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_SEED)] | None,
        about("Makes the answers repeatable; by default it is different each time.", "a whole number ≥ 0"),
    ] = None
    record: Annotated[bool | Words, about("Record every session.", "true, false, or the folder to keep it in")] = True
    record_days: Annotated[
        float, about("How many days a recorded session is kept.", "a number > 0", gt=0, le=1_000_000)
    ] = 365.0
    record_megabytes: Annotated[
        float,
        about("How much room all recordings may take; the oldest are deleted first.", "a number > 0", gt=0, le=1e9),
    ] = 1000.0
    learn_afterwards: Annotated[
        bool,
        about(
            "Breed the model 'me' from your recordings when a session has ended, in the background.", "true or false"
        ),
    ] = False
    learn_except: Annotated[
        tuple[Words, ...],
        about("Recordings that are not learned from then, such as somebody else's.", "a list of names; * is anything"),
    ] = ()
    sound: Annotated[
        bool | None,
        about("Play the session aloud; by default if a soundfont is set.", "true or false"),
    ] = None
    soundfont: Annotated[
        Words,
        about(
            "The SoundFont with which FluidSynth plays the session aloud.", "off, auto (the system's), or a .sf2 file"
        ),
    ] = "off"
    loop: Annotated[bool, about("Repeat the input file again and again.", "true or false")] = False
    strict: Annotated[bool, about("Refuse an input file that needs repairs.", "true or false")] = False
    display: Annotated[
        bool | None, about("Show what is heard and played; by default in a terminal.", "true or false")
    ] = None


SINGERS = ("auto",)
"""What plays by default in modes that reply: a line of one's own takes a melody model."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting, as the schema or the table of live parameters defines it.

    :param kind: its type, with its limits.
    :param allowed: what it may be, in words.
    :param live: whether it can change while one plays.
    """

    name: str
    kind: Any
    default: Any
    description: str
    allowed: str
    live: bool

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return VARIABLE_PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The option of `play` that sets it."""
        return "--" + self.name.replace("_", "-")


def _keys() -> Iterator[Key]:
    # What everybody needs comes first, then how it is played, and how it is served.
    served = {field.name for field in fields(ServingSettings)}
    defaults = Settings()
    for name, hint in sorted(
        typing.get_type_hints(Settings, include_extras=True).items(),
        key=lambda each: (each[0] in served, each[0] not in TABLE),
    ):
        default = getattr(defaults, name)
        if name in TABLE:
            yield Key(name, hint, default, TABLE[name].help, allowed_words(name), live=True)
        else:
            meta = hint.__metadata__[-1]
            yield Key(name, hint, default, meta.description, meta.extra["allowed"], meta.extra["live"])


KEYS: Mapping[str, Key] = {key.name: key for key in _keys()}
LIVE_KEYS = tuple(key.name for key in KEYS.values() if key.live)


def default_models(mode: str) -> tuple[str, ...]:
    """Return the models that play in a mode where none was chosen."""
    return SINGERS if MODES_BY_NAME[mode].replies else Settings().model
