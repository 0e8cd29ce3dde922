"""The settings of a live session: one schema, read from a TOML file, then the environment, then the flags.

Each later source overrides the earlier one, and each value is checked where it comes from, so that an error names the
file, variable or flag that is wrong. The same definitions check what changes a parameter while one plays.
"""

import collections.abc
import contextlib
import difflib
import os
import tomllib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
from msgspec import Meta

from improviser.core.addresses.broker import OFF, parse_broker
from improviser.core.addresses.port_choice import MOST_PORTS
from improviser.core.live.modes.registry import MODES_BY_NAME
from improviser.core.live.parameters import allowed
from improviser.core.live.parameters.kinds import Bindings
from improviser.core.live.parameters.table import TABLE, allowed_words
from improviser.core.live.player.knobs import Knobs
from improviser.core.printable import LONGEST_SHOWN, shown
from improviser.errors import ConfigError
from improviser.settings.page_address import OFF as NO_PAGE
from improviser.settings.page_address import ON, parse_page
from improviser.settings.serving import NAME_PATTERN, ServingSettings, Words, about
from improviser.settings.toml import read_toml

VARIABLE_PREFIX = "IMPROVISER_"
FILE_VARIABLE = "IMPROVISER_CONFIG"
PROFILE_VARIABLE = "IMPROVISER_PROFILE"
MAX_SEED = 2**63 - 1
PASSWORD_VARIABLE = "IMPROVISER_MQTT_PASSWORD"  # noqa: S105  the name of one
OTHER_VARIABLES = (
    FILE_VARIABLE,
    PROFILE_VARIABLE,
    PASSWORD_VARIABLE,
    "IMPROVISER_MODELS",
    "IMPROVISER_REQUIRE_SERVERS",
)
MISTYPED = 0.9
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


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


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, and for each the file, variable or flag it came from ("default" if none set it)."""

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None

    @property
    def live(self) -> dict[str, Any]:
        """The settings that can change while one plays, the models aside."""
        return {name: getattr(self.settings, name) for name in TABLE}


def check(name: str, value: Any, origin: str | None = None) -> Any:
    """Return `value` as the setting `name` holds it.

    :param origin: where it was set, for the message.
    :raises ConfigError: if there is no such setting, or it cannot be this; it says what is allowed.
    """
    prefix = f"{origin}: " if origin else ""
    key = KEYS.get(name)
    if key is None:
        raise ConfigError(f"{prefix}there is no setting {shown(name)}; {nearest(name, KEYS)}")
    try:
        if name in TABLE:
            return _check_live(name, value)
        if isinstance(value, str) and tuple in set(_flat(key.kind)):
            value = (value,)
        if name == "web":
            value = _page_address(value)
        if name == "mqtt" and isinstance(value, str):
            parse_broker(value)  # its message never shows the URL, since that may hold a password
        return msgspec.convert(value, key.kind)
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error}") from None
    except msgspec.ValidationError:
        raise ConfigError(
            f"{prefix}{name} must be {key.allowed}; it is {shown(list(value) if isinstance(value, tuple) else value)}"
        ) from None


def _page_address(value: Any) -> Any:
    """Check where the page is served: a port alone is a number in a file, and `true` is `on`.

    :raises ConfigError: if it is no address.
    """
    if isinstance(value, int):
        value = str(value) if not isinstance(value, bool) else ON if value else NO_PAGE
    if isinstance(value, str):
        parse_page(value)
    return value


def _check_live(name: str, value: Any) -> Any:
    """Check a live parameter as the performer does, which checks what knobs turn where it begins to follow them.

    :raises ConfigError: if it cannot be this.
    """
    checked = allowed.check(name, value)
    if isinstance(TABLE[name].kind, Bindings):
        try:
            Knobs(checked)
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None
    return checked


def check_text(name: str, text: str, origin: str | None = None) -> Any:
    """Like `check`, for a value that comes as text: from the environment, a flag, or a plain MQTT payload."""
    kinds = KEYS[name].kind if name in KEYS else None
    return check(name, _from_text(kinds, text) if kinds is not None else text, origin)


def validate(parameter: str, value: Any) -> Any:
    """Return `value` as the live parameter holds it; text is understood too ("0.5", "off").

    What MIDI controllers, MQTT and the keyboard change while one plays is checked here.

    :raises ConfigError: if it is no live parameter, or cannot be this.
    """
    if parameter not in LIVE_KEYS:
        if parameter in KEYS:
            raise ConfigError(f"{parameter} cannot change while one plays; what can: {', '.join(LIVE_KEYS)}")
        raise ConfigError(f"there is no parameter {shown(parameter)}; {nearest(parameter, LIVE_KEYS)}")
    return check_text(parameter, value) if isinstance(value, str) else check(parameter, value)


def load(
    flags: Mapping[str, Any] | None = None,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    profile: str | None = None,
) -> Config:
    """Gather the settings: defaults ← file ← its profile ← environment ← flags.

    :param flags: the options that were given, by setting; None is "not given".
    :param file: a TOML file; by default the one that IMPROVISER_CONFIG names, or the user's own if there is one.
    :param environment: by default that of the process.
    :param profile: which profile of the file to use; by default the one that IMPROVISER_PROFILE names, or none.
    :raises ConfigError: if the file cannot be read, or anything in any source is unknown or cannot be.
    """
    environment = os.environ if environment is None else environment
    path = find_file(file, environment)
    values: dict[str, Any] = {}
    origins = dict.fromkeys(KEYS, "default")
    for name, value, origin in _from_file(path, profile or environment.get(PROFILE_VARIABLE)):
        values[name], origins[name] = value, origin
    for name, text in _variables(environment).items():
        variable = KEYS[name].variable
        values[name], origins[name] = check_text(name, text, variable), variable
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], origins[name] = check(name, value, KEYS[name].flag), KEYS[name].flag
    settings = Settings(**values)
    if origins["model"] == "default":
        settings = replace(settings, model=default_models(settings.mode))
    _check_together(settings, origins)
    return Config(settings, origins, path)


def default_models(mode: str) -> tuple[str, ...]:
    """Return the models that play in a mode where none was chosen."""
    return SINGERS if MODES_BY_NAME[mode].replies else Settings().model


def _check_together(settings: Settings, origins: Mapping[str, str]) -> None:
    """Check what only several settings together can get wrong.

    :raises ConfigError: if they do.
    """
    for low, high, said in allowed.crossed(settings):
        raise ConfigError(f"{origins[low] if origins[low] != 'default' else origins[high]}: {said}")
    if settings.listen_to == settings.name:
        raise ConfigError(
            f"{origins['listen_to']}: an improviser cannot listen to itself; name another than {shown(settings.name)}"
        )
    if settings.listen_to is not None and settings.mqtt == OFF:
        raise ConfigError(
            f"{origins['listen_to']}: to listen to another improviser takes a broker; give one with --mqtt"
        )


def _from_file(path: Path | None, profile: str | None) -> Iterator[tuple[str, Any, str]]:
    """Yield setting, value and origin for all that a file sets, and then for what the profile in it does.

    :raises ConfigError: if anything in the file is wrong, in other profiles too, or there is no such profile.
    """
    content = {} if path is None else read_toml(path)
    profiles = content.pop("profile", {})
    if not isinstance(profiles, dict) or not all(isinstance(table, dict) for table in profiles.values()):
        raise ConfigError(f"{path}: a profile is a table, such as [profile.piano]")
    for name, value in content.items():
        yield name, check(name, value, str(path)), str(path)
    checked = {
        title: [
            (name, check(name, value, f"{path}, profile {title}"), f"{path}, profile {title}")
            for name, value in table.items()
        ]
        for title, table in profiles.items()
    }
    if profile is not None and profile not in checked:
        there = nearest(profile, checked) if checked else "there are none"
        raise ConfigError(f"{path or 'no file of settings'}: there is no profile {shown(profile)}; {there}")
    yield from checked[profile] if profile is not None else ()


def default_file() -> Path:
    """Return where the user's own settings are kept, whether or not they are there."""
    return Path(platformdirs.user_config_path("improviser", appauthor=False)) / "config.toml"


def find_file(file: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file to read: `file`, the one that IMPROVISER_CONFIG names, the user's own if there is one, or None.

    :raises ConfigError: if the one that was asked for is not there.
    """
    named = environment.get(FILE_VARIABLE)
    asked = file or (Path(named) if named else None)
    if asked is None:
        return default_file() if default_file().is_file() else None
    if not os.path.isfile(asked):  # noqa: PTH113  unlike Path's, it bears a folder on the way that may not be entered
        origin = "" if file else f"{FILE_VARIABLE}: "
        raise ConfigError(f"{origin}there is no file {asked}; `improviser config init` writes one")
    return asked


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings among the environment variables; an empty one is not set."""
    found = {}
    known = {key.variable: key.name for key in KEYS.values()}
    for variable, text in environment.items():
        if not variable.startswith(VARIABLE_PREFIX) or variable in OTHER_VARIABLES:
            continue
        if variable in known:
            if text:
                found[known[variable]] = text
        elif near := difflib.get_close_matches(variable, known, 1, MISTYPED):
            # Other programs may have variables that start like ours; one letter off is a slip of the user's.
            raise ConfigError(f"{variable}: there is no such setting; did you mean {near[0]}?")
    return found


def _from_text(kind: Any, text: str) -> Any:
    """Return what `text` means where `kind` is wanted; the text itself if it means nothing there."""
    kinds = set(_flat(kind))
    word = text.strip().lower()
    if bool in kinds and word in WORDS:
        return WORDS[word]
    if tuple in kinds:
        with contextlib.suppress(ValueError, RecursionError):  # a list as in the file, for names with commas
            if isinstance(parts := tomllib.loads(f"list = {text}")["list"], list):
                return tuple(parts)
        return tuple(part.strip() for part in text.split(","))
    if collections.abc.Mapping in kinds:  # a table in one line, as in the file
        with contextlib.suppress(ValueError, RecursionError):
            return tomllib.loads(f"table = {text}")["table"]
    for number in (int, float):
        if number in kinds:
            with contextlib.suppress(ValueError):
                return number(word)
    return text


def _flat(kind: Any) -> Iterator[Any]:
    """Take a type apart into the plain types a value may have."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        yield from _flat(arguments[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in arguments:
            yield from _flat(argument)
    else:
        yield origin or kind


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of `names` that `name` may have been meant for, or all of them, for the end of a message."""
    near = difflib.get_close_matches(name[:LONGEST_SHOWN], names, 1, 0.5)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
