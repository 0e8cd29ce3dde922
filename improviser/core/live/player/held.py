"""What of the player's sounds: the keys that are down, and the notes that the sustain pedal keeps, each since when."""


class Held:
    """The player's sounding notes; bounded by the keys that there are. All times are seconds of the session."""

    def __init__(self) -> None:
        self._down: dict[tuple[int, int], float] = {}
        self._kept: dict[tuple[int, int], float] = {}
        self._pedals: set[int] = set()

    def press(self, channel: int, pitch: int, now: float) -> None:
        """Take in a note-on."""
        self._kept.pop((channel, pitch), None)
        self._down[channel, pitch] = now

    def release(self, channel: int, pitch: int) -> None:
        """Take in a note-off; one without its note-on is nothing."""
        since = self._down.pop((channel, pitch), None)
        if since is not None and channel in self._pedals:
            self._kept[channel, pitch] = since

    def pedal(self, channel: int, *, down: bool) -> None:
        """Take in a move of the sustain pedal."""
        if down:
            self._pedals.add(channel)
        elif channel in self._pedals:
            self._pedals.discard(channel)
            self._kept = {key: since for key, since in self._kept.items() if key[0] != channel}

    @property
    def is_sustained(self) -> bool:
        """Whether a sustain pedal is down."""
        return bool(self._pedals)

    def is_down(self, key: tuple[int, int]) -> bool:
        """Say whether a key, as (channel, pitch), is down."""
        return key in self._down

    def __contains__(self, key: object) -> bool:
        return key in self._down

    def down_on(self, channel: int) -> set[int]:
        """Return the pitches of the keys of a channel that are down."""
        return {pitch for on, pitch in self._down if on == channel}

    @property
    def down(self) -> dict[int, float]:
        """Since when each pitch sounds of which the key is down."""
        return {pitch: since for (_, pitch), since in self._down.items()}

    @property
    def kept(self) -> dict[int, float]:
        """Since when each pitch sounds that a pedal keeps."""
        return {pitch: since for (_, pitch), since in self._kept.items()}

    def __len__(self) -> int:
        return len(self._down) + len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        self._down.clear()
        self._kept.clear()
        self._pedals.clear()
