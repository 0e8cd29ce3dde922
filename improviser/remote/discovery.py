"""Home Assistant's MQTT discovery: a retained configuration for each entity of a session.

The format is the one published at https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery: topics
`homeassistant/<component>/<node>/<object>/config` with a JSON object each.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from improviser.core.addresses.topics import Topics
from improviser.core.live.parameters.allowed import LONGEST_NAME
from improviser.core.live.parameters.kinds import SWITCH, Described, Inputs, OfParts, Range, Scale
from improviser.core.live.parameters.table import TABLE
from improviser.core.live.player.knobs import MODEL
from improviser.core.live.player.votes import BAD, FORGET, GOOD
from improviser.core.music.parts import LONGEST
from improviser.version import __version__

PREFIX = "homeassistant"


ICONS = {"mode": "mdi:music-note-plus", "model": "mdi:brain", "temperature": "mdi:thermometer"}
"""The pictures of some entities; the rest have the one of their component."""
BUTTONS = {"panic": "mdi:alert-octagon", GOOD: "mdi:thumb-up", BAD: "mdi:thumb-down", FORGET: "mdi:eraser"}
"""The commands that have a button each, with its picture."""


def configurations(topics: Topics, models: Sequence[str]) -> dict[str, bytes]:
    """Return topic → payload for all entities: model, each live parameter, buttons for commands, and the status.

    Less common parameters are under the device's configuration; which knob turns what is learned, and not among them.

    :param models: what can be chosen.
    """
    node = node_of(topics.name)
    parameters = {
        (component, name): _steered(topics, name) | details
        for name, described in TABLE.items()
        if (entity := _entity(described)) is not None
        for component, details in [entity]
    }
    entities: dict[tuple[str, str], dict[str, Any]] = {
        **parameters,
        ("select", MODEL): _steered(topics, MODEL) | {"options": list(models)},
        **{
            ("button", command): {
                "name": command.capitalize(),
                "command_topic": topics.command,
                "payload_press": command,
                "icon": icon,
            }
            for command, icon in BUTTONS.items()
        },
        ("binary_sensor", "status"): {
            "name": "Status",
            "state_topic": topics.status,
            "payload_on": "online",
            "payload_off": "offline",
            "device_class": "connectivity",
        },
    }
    common = {
        "device": {
            "identifiers": [node],
            "name": f"Improviser {topics.name}" if topics.name != "improviser" else "Improviser",
            "manufacturer": "improviser",
            "model": "real-time MIDI improviser",
            "sw_version": __version__,
        },
        "origin": {"name": "improviser", "sw_version": __version__},
    }
    return {
        f"{PREFIX}/{component}/{node}/{name}/config": msgspec.json.encode(
            entity | common | _availability(topics, name) | {"unique_id": f"{node}_{name}"}
        )
        for (component, name), entity in entities.items()
    }


def node_of(name: str) -> str:
    """Return an id for a session's name, of the characters that discovery allows; no two names share one."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return f"improviser_{name}"
    return f"improviser_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _entity(described: Described) -> tuple[str, dict[str, Any]] | None:
    """Return the component that shows a parameter, and what it needs to know; None if there is none."""
    kind = described.kind
    match kind:
        case Range():
            unit = {"unit_of_measurement": described.unit} if described.unit else {}
            found = "number", {"min": kind.low, "max": kind.high, "step": kind.step, "mode": "slider", **unit}
        case tuple() if kind == SWITCH:
            found = "switch", {"payload_on": "true", "payload_off": "false"}
        case tuple():
            found = "select", {"options": list(kind)}
        case OfParts():
            found = "text", {"max": LONGEST}
        case Scale() | Inputs():
            found = "text", {"max": LONGEST_NAME}
        case _:
            return None
    return found[0], found[1] | ({} if described.main else {"entity_category": "config"})


def _steered(topics: Topics, parameter: str) -> dict[str, Any]:
    lower = " | lower" if parameter in TABLE and TABLE[parameter].kind == SWITCH else ""
    icon = {"icon": ICONS[parameter]} if parameter in ICONS else {}
    return {
        "name": parameter.capitalize().replace("_", " "),
        "state_topic": topics.state,
        "value_template": f"{{{{ value_json.{parameter}{lower} }}}}",  # a template's "True" is JSON's true
        "command_topic": topics.set(parameter),
        **icon,
    }


def _availability(topics: Topics, name: str) -> dict[str, Any]:
    """Return where to see whether an entity can be used; the status itself always can."""
    if name == "status":
        return {}
    return {
        "availability_topic": topics.status,
        "payload_available": "online",
        "payload_not_available": "offline",
    }
