"""The settings of a live session, gathered: defaults, then a TOML file, the environment and the flags.

Each later source overrides the earlier one, and each value is checked where it comes from, so that an error names the
file, variable or flag that is wrong.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from improviser.core.addresses.broker import OFF
from improviser.core.live.parameters import allowed
from improviser.core.live.parameters.table import TABLE
from improviser.core.printable import shown
from improviser.errors import ConfigError
from improviser.settings.checking import check, check_text, nearest
from improviser.settings.schema import KEYS, VARIABLE_PREFIX, Settings, default_models
from improviser.settings.toml import read_toml

FILE_VARIABLE = "IMPROVISER_CONFIG"
PROFILE_VARIABLE = "IMPROVISER_PROFILE"
PASSWORD_VARIABLE = "IMPROVISER_MQTT_PASSWORD"  # noqa: S105  the name of one
OTHER_VARIABLES = (
    FILE_VARIABLE,
    PROFILE_VARIABLE,
    PASSWORD_VARIABLE,
    "IMPROVISER_MODELS",
    "IMPROVISER_REQUIRE_SERVERS",
)
MISTYPED = 0.9


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
