"""Keys that may be our own notes come back: they hold what was struck for them for a while only.

Where an improviser hears itself, a note that it answers with another may hold that other one, and be held by it:
neither would ever end. So a key that came in as the very message that we had just sent counts as
released after `held_over.HELD_SECONDS`.
"""

from collections import OrderedDict

from improviser.core.live.answering.held_over import HELD_SECONDS

Key = tuple[int, int]
"""A key of the player's: lane and pitch."""


class Returned:
    """Knows which keys are such, and when they are to be released. All times are seconds of the session."""

    def __init__(self) -> None:
        self._keys: OrderedDict[Key, float] = OrderedDict()

    @property
    def due(self) -> float | None:
        """When the next of them is to be released."""
        return next(iter(self._keys.values())) if self._keys else None

    def press(self, key: Key, now: float) -> None:
        """Take in that a key that may be a note of ours is pressed."""
        self.release(key)
        self._keys[key] = now + HELD_SECONDS

    def release(self, key: Key) -> None:
        """Take in that a key is released, or pressed by the player."""
        self._keys.pop(key, None)

    def take(self, now: float) -> list[Key]:
        """Take out the keys that are to be released by `now`."""
        due = [key for key, at in self._keys.items() if at <= now]
        for key in due:
            del self._keys[key]
        return due

    def clear(self) -> None:
        """Forget everything: a panic."""
        self._keys.clear()
