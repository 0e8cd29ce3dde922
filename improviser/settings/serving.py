"""The settings that say how a session is served: as a page, over MQTT, to a log. Part of the one schema."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from improviser.core.live.parameters.table import Parameters

NAME_PATTERN = r"^[^\x00-\x1f\x7f:/+#\ud800-\udfff]{1,40}\Z"

Words = Annotated[str, Meta(min_length=1, max_length=1024)]


def about(description: str, allowed: str, *, live: bool = False, **limits: Any) -> Meta:
    """Describe a setting: what it does, what it may be, whether it can change while one plays, and its limits.

    Live parameters are described where they are: in `core.live.parameters.table`.
    """
    return Meta(description=description, extra={"allowed": allowed, "live": live}, **limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingSettings(Parameters):
    """The live parameters, and how a session is served; every file is named by its path."""

    web: Annotated[
        Words, about("The session as a page for a browser.", "off, on, open (in a browser, at once), or [HOST:]PORT")
    ] = "off"
    web_token_file: Annotated[
        Words | None,
        about("The file with the page's token in its first line and the audience's in its second.", "a path"),
    ] = None
    web_hosts: Annotated[
        tuple[Words, ...],
        about("Names under which browsers reach the page, beside its address.", "a list of names", max_length=16),
    ] = ()
    mqtt: Annotated[
        Words,
        about(
            "The MQTT broker through which the session is controlled and watched.",
            "off, or mqtt[s]://[user@]host[:port]",
        ),
    ] = "off"
    mqtt_password_file: Annotated[
        Words | None, about("The file with the broker's password, for you alone to read.", "a path")
    ] = None
    mqtt_ca_file: Annotated[
        Words | None, about("The certificates to trust instead of the system's (PEM).", "a path")
    ] = None
    mqtt_cert_file: Annotated[Words | None, about("The client certificate for the broker (PEM).", "a path")] = None
    mqtt_key_file: Annotated[
        Words | None, about("The key of that certificate (PEM), unless it is in the same file.", "a path")
    ] = None
    mqtt_protocol: Annotated[
        Literal["auto", "3.1.1", "5"],
        about("The version of MQTT.", "auto (5, or 3.1.1 if the broker knows no other), 3.1.1 or 5"),
    ] = "auto"
    mqtt_events: Annotated[bool, about("Publish every note as event/in and event/out.", "true or false")] = False
    mqtt_discovery: Annotated[bool, about("Appear in Home Assistant.", "true or false")] = False
    mqtt_shutdown: Annotated[bool, about("Allow the command shutdown over MQTT.", "true or false")] = False
    listen_to: Annotated[
        Annotated[str, Meta(pattern=NAME_PATTERN)] | None,
        about("Another improviser to hear as the player, over MQTT.", "the name it plays under"),
    ] = None
    log_format: Annotated[Literal["text", "json"], about("How the log is written.", "text or json")] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        about("The least serious messages that are logged.", "debug, info, warning or error"),
    ] = "info"
