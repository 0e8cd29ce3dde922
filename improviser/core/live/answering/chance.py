"""Chance, drawn ahead: numbers that a note would have to wait for are drawn before it comes."""

import numpy as np

AHEAD = 64


class Chance:
    """The random numbers of a generator, in its own order, whoever asks for them and however early they are drawn.

    :param rng: nobody else may draw from it.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.entropy = int(rng.spawn(1)[0].integers(1 << 62))
        """A number for further generators; it takes none from this one's."""
        self._rng = rng
        self._start = rng.bit_generator.state
        self._drawn: list[float] = []
        self._next = 0

    def random(self) -> float:
        """Return a number ≥ 0 and < 1."""
        if self._next == len(self._drawn):
            self._draw()
        self._next += 1
        return self._drawn[self._next - 1]

    def peek(self, number: int) -> float:
        """Return what `random` returns after it was called `number` times more, which are fewer than are `left`."""
        return self._drawn[self._next + number]

    @property
    def left(self) -> int:
        """How many numbers are drawn already."""
        return len(self._drawn) - self._next

    def prepare(self) -> None:
        """Draw ahead, if little is left."""
        if len(self._drawn) - self._next < AHEAD // 2:
            self._draw()

    @property
    def generator(self) -> np.random.Generator:
        """The generator, for other draws at once: as if nothing had been drawn ahead."""
        if self._next < len(self._drawn):
            self._rng.bit_generator.state = self._start
            self._rng.random(self._next)
        self._drawn, self._next = [], 0
        return self._rng

    def _draw(self) -> None:
        rng = self.generator
        self._start = rng.bit_generator.state
        self._drawn = rng.random(AHEAD).tolist()
