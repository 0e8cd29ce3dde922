"""What a session opens, and how it plays."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Session:
    """What to open and how to play; see the `play` command for the meaning of each."""

    api: str = "auto"
    name: str = "improviser"
    input: tuple[str, ...] = ("auto",)
    output: tuple[str, ...] = ("auto",)
    models: tuple[str, ...] = ("bach-bass",)
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    wait_for_ports: bool = False
    spare_input: str = ""
    """Who plays without a port, for people to read: on a system without virtual ports there need then be no input."""
    spare_output: bool = False
    """Whether, on such a system, there need be no output either."""
    choices: tuple[tuple[str, ...], ...] = ()
    """What program changes and knobs pick from: the models of each; one of the library's each if it is empty."""
    player: str = ""
    """What is heard, for people to read, if it is not a port."""
    also_hears: str = ""
    """What is heard beside the ports, for people to read."""

    @property
    def spare(self) -> list[str]:
        """The directions that may go without a port on a system without virtual ones."""
        return ["input"] * bool(self.spare_input) + ["output"] * self.spare_output
