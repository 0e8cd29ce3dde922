"""How a session appears in Home Assistant: the retained configurations of its MQTT discovery, one for each entity.

The format is the one published at https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery: topics
`homeassistant/<component>/<node>/<object>/config` with a JSON object each.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from improviser import __version__
from improviser.core.addresses.topics import Topics
from improviser.core.live.parameters import MODES
from improviser.settings.config import KEYS

PREFIX = "homeassistant"


def configurations(topics: Topics, models: Sequence[str]) -> dict[str, bytes]:
    """Return topic → payload for all entities: mode, model and temperature, a button for panic, and the status.

    :param models: what can be chosen.
    """
    node = node_of(topics.name)
    entities = {
        ("select", "mode"): _steered(topics, "mode") | {"options": list(MODES), "icon": "mdi:music-note-plus"},
        ("select", "model"): _steered(topics, "model") | {"options": list(models), "icon": "mdi:brain"},
        ("number", "temperature"): _steered(topics, "temperature")
        | {"min": 0, "max": 4, "step": 0.05, "mode": "slider", "icon": "mdi:thermometer"},
        ("button", "panic"): {
            "name": "Panic",
            "command_topic": topics.command,
            "payload_press": "panic",
            "icon": "mdi:alert-octagon",
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


def _steered(topics: Topics, parameter: str) -> dict[str, Any]:
    return {
        "name": parameter.capitalize(),
        "state_topic": topics.state,
        "value_template": f"{{{{ value_json.{parameter} }}}}",
        "command_topic": topics.wish(KEYS[parameter].name),
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
