"""Home Assistant's discovery: every entity is complete, and points at topics and values that there are."""

import re

import msgspec
import pytest

from improviser.core.addresses.topics import Topics
from improviser.core.live.parameters.table import MODES, TABLE
from improviser.remote.discovery import BUTTONS, configurations, node_of
from improviser.remote.requests import read_request

TOPICS = Topics("stage left")
ENTITIES = {topic: msgspec.json.decode(data) for topic, data in configurations(TOPICS, ["bach-bass", "echo"]).items()}
REQUIRED = {
    "select": {"command_topic", "options"},
    "number": {"command_topic", "min", "max", "step"},
    "switch": {"command_topic", "payload_on", "payload_off"},
    "text": {"command_topic", "max"},
    "button": {"command_topic"},
    "binary_sensor": {"state_topic"},
}


def test_there_is_what_one_needs() -> None:
    names = {topic.split("/")[3] for topic in ENTITIES}
    assert names == {"model", *TABLE, *BUTTONS, "status"} - {"controls"}
    few = {topic.split("/")[3] for topic, entity in ENTITIES.items() if "entity_category" not in entity}
    assert few == {"model", *BUTTONS, "status", *(name for name, described in TABLE.items() if described.main)}


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
        said = [*entity.get("options", [])]
        said += [entity["payload_on"], entity["payload_off"]] if "/switch/" in topic else []
        said += [entity["min"], entity["max"], entity["min"] + entity["step"]] if "step" in entity else []
        for choice in said:
            read_request(name, str(choice).encode(), ["bach-bass", "echo"])
    modes = next(entity["options"] for topic, entity in ENTITIES.items() if "/mode/" in topic)
    assert modes == list(MODES)


def test_no_two_names_share_a_node() -> None:
    names = ["a", "a b", "a_b", "a.b", "é", "A", "improviser"]
    assert len({node_of(name) for name in names}) == len(names)
