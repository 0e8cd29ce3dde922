"""Home Assistant's discovery: every entity is complete, and points at topics and values that there are."""

import re

import msgspec
import pytest

from improviser.core.addresses.topics import Topics
from improviser.core.live.parameters import MODES
from improviser.remote.discovery import configurations, node_of
from improviser.remote.wishes import read_wish

TOPICS = Topics("stage left")
ENTITIES = {topic: msgspec.json.decode(data) for topic, data in configurations(TOPICS, ["bach-bass", "echo"]).items()}
REQUIRED = {
    "select": {"command_topic", "options"},
    "number": {"command_topic"},
    "button": {"command_topic"},
    "binary_sensor": {"state_topic"},
}


def test_there_is_what_one_needs() -> None:
    names = {topic.split("/")[3] for topic in ENTITIES}
    assert names == {"mode", "model", "temperature", "panic", "status"}


@pytest.mark.parametrize("topic", ENTITIES)
def test_each_entity_is_complete(topic: str) -> None:
    entity = ENTITIES[topic]
    prefix, component, node, name, end = topic.split("/")
    assert (prefix, end) == ("homeassistant", "config")
    assert re.fullmatch(r"[A-Za-z0-9_-]+", node)
    assert REQUIRED[component] <= set(entity)
    assert entity["unique_id"] == f"{node}_{name}"
    assert entity["device"]["identifiers"] == [node]
    for key in ("state_topic", "command_topic", "availability_topic"):
        assert key not in entity or entity[key].startswith(f"{TOPICS.base}/")


def test_every_choice_can_be_set() -> None:
    for topic, entity in ENTITIES.items():
        name = topic.split("/")[3]
        for choice in entity.get("options", [entity.get("min"), entity.get("max")] if "min" in entity else []):
            read_wish(name, str(choice).encode(), ["bach-bass", "echo"])
    modes = next(entity["options"] for topic, entity in ENTITIES.items() if "/mode/" in topic)
    assert modes == list(MODES)


def test_no_two_names_share_a_node() -> None:
    names = ["a", "a b", "a_b", "a.b", "é", "A", "improviser"]
    assert len({node_of(name) for name in names}) == len(names)
