"""The topics of a session: `improviser/<name>/…`."""

from dataclasses import dataclass

ROOT = "improviser"


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of the session that plays under `name`, which holds no `/`, `+` or `#`."""

    name: str

    @property
    def base(self) -> str:
        """What all of them begin with."""
        return f"{ROOT}/{self.name}"

    @property
    def status(self) -> str:
        """Retained: `online` or `offline`."""
        return f"{self.base}/status"

    @property
    def state(self) -> str:
        """Retained: how it plays, as JSON."""
        return f"{self.base}/state"

    @property
    def heard(self) -> str:
        """Every note of the player, as JSON."""
        return f"{self.base}/event/in"

    @property
    def played(self) -> str:
        """Every note of the improviser, as JSON."""
        return f"{self.base}/event/out"

    @property
    def reply(self) -> str:
        """One JSON object for every request and command."""
        return f"{self.base}/reply"

    @property
    def command(self) -> str:
        """Where commands come in."""
        return f"{self.base}/cmd"

    @property
    def requests(self) -> str:
        """Where all changes of parameters come in."""
        return f"{self.base}/set/#"

    def set(self, parameter: str) -> str:
        """Return where changes of one parameter come in."""
        return f"{self.base}/set/{parameter}"

    def requested(self, topic: str) -> str | None:
        """Return the parameter that a message on `topic` is to change, None if it is no such topic."""
        prefix = f"{self.base}/set"
        return topic[len(prefix) + 1 :] if topic == prefix or topic.startswith(f"{prefix}/") else None
