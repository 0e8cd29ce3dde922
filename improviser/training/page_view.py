"""What a page shows of a training run: its curve, its figures, and what the best network plays by now."""

import math
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from improviser.core.music.player import QUARTER_SECONDS
from improviser.training.generations import Generation, Limits
from improviser.training.preview import Preview
from improviser.training.run_tally import RunTally
from improviser.training.view import View

SECONDS_BETWEEN = 0.5

Tell = Callable[[Mapping[str, Any]], None]


class Views:
    """Several views of one run, as one."""

    def __init__(self, *views: View) -> None:
        self._views = views

    def __enter__(self) -> Self:
        for view in self._views:
            view.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for view in reversed(self._views):
            view.__exit__(kind, error, trace)

    def show(self, member: int, generation: Generation) -> None:
        """Show the generation everywhere."""
        for view in self._views:
            view.show(member, generation)


class PageView:
    """Tells a page, now and then, all that it is to show. It is told whole each time, so that it may miss any of it.

    :param tell: takes a message (JSON values, NaN among them); None if there is no page, and nothing to be done.
    """

    def __init__(
        self,
        limits: Limits,
        members: int,
        title: str,
        preview: Preview,
        tell: Callable[[Mapping[str, Any]], None] | None,
    ) -> None:
        self._tally = RunTally(limits, members)
        self._preview = preview
        self._tell = tell
        self._told_at = -math.inf
        self._state: dict[str, Any] = {"type": "training", "title": title}
        self._lately: set[int] = set()

    def __enter__(self) -> Self:
        self.say("breeding the first networks")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lately:
            self._state |= self._figures()
        self.say("all are bred")

    def say(self, stage: str, *lines: str) -> None:
        """Tell what is being done now, or was, beside the figures of the last generation."""
        self._state |= {"stage": stage, "lines": lines}
        if self._tell is not None:
            self._tell(self._state)

    def show(self, member: int, generation: Generation) -> None:
        """Take in the generation, and tell of it if the page was told long enough ago."""
        if self._tell is None:
            return
        self._lately.add(member)
        self._tally.take(member, generation)
        if time.monotonic() - self._told_at >= SECONDS_BETWEEN:
            self._told_at = time.monotonic()
            self._state |= self._figures()
            self.say("breeding")
            self._lately.clear()

    def _figures(self) -> dict[str, Any]:
        """Return all that changes from generation to generation, of the first member at work."""
        tally, preview, member = self._tally, self._preview, min(self._lately)
        preview.turn_to(member)
        last, phrase = tally.last(member), preview.phrase()
        return {
            "member": member + 1,
            "members": tally.members,
            "generation": last.generation,
            "best": last.best,
            "mean": last.mean,
            "held_out": last.held_out,
            "diversity": preview.diversity(),
            "speed": tally.speed(member),
            "done": tally.done(),
            "seconds_left": tally.seconds_left(),
            "curve": [(one.generation, one.best, one.mean, one.held_out) for one in tally.curve(member)],
            "phrase": phrase,
            "tune": preview.tune(),
            "quarter_seconds": QUARTER_SECONDS,
        }
