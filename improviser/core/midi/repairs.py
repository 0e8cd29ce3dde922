"""What had to be repaired to read a MIDI file: each kind once, in plain words, with how often it was met."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Repairs:
    """Collects repairs while a file is read; a file of ten thousand faults of one kind still gives one text."""

    found: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By kind: the first text, and how often."""

    def add(self, kind: str, text: str, count: int = 1) -> None:
        """Add a repair; of each kind the first text is kept, which begins with where it was."""
        first, before = self.found.get(kind, (text, 0))
        self.found[kind] = first, before + count

    def include(self, other: "Repairs") -> None:
        """Add those of a part that was read."""
        for kind, (text, count) in other.found.items():
            self.add(kind, text, count)

    def texts(self) -> tuple[str, ...]:
        """Return one text for each kind, in the order in which they were met."""
        return tuple(
            text if count == 1 else f"{text} (and {count - 1:,} more of the kind)"
            for text, count in self.found.values()
        )
