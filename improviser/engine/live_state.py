"""The live state of a session: what was requested, what engines have confirmed, and what they have proved to bear.

Every request has a number, which travels with it to the engine and comes back with the engine's word: so each gets its
own reply, whatever else is asked for meanwhile. How many requests may come, and how fast, is limited here, for each
door by itself: who floods one keeps nobody out of another.

An engine that dies may have died of what it was asked for last. So a request that no engine has confirmed is asked for
once more, alone, and no oftener; and where engines keep dying, the session goes back to the models, then to the
parameters, that an engine has played with.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import msgspec

from improviser.core.live.knobs import BOUNDS
from improviser.core.live.pacing import Bucket
from improviser.engine.protocol import MODEL, AnyReport, Applied, Change, Played, Step, Swap, Turned
from improviser.errors import ConfigError, EngineError

REFUSED = "the engine ended twice when it was asked for this"
REPLACED = "a later request took its place before an engine confirmed it"
ENDED = "the session ended before an engine confirmed it"
BUSY = "the engine is busy with what was asked before; try again"
RATE, BURST = 400.0, 800.0
"""How many requests a second each door may make for ever, and at once."""
MOST_PENDING, MOST_SWAPS = 1000, 4
"""How many requests of one door may wait for the engine's word; and how many of these for other models."""

Door = Literal["keys", "learning", "mqtt", "page", "program", "settings"]
"""Where requests come from: the terminal, a learned knob, the broker, a browser, what the player picks, SIGHUP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What each request gets, once: `value` was asked for; it holds if `error` is None."""

    parameter: str
    value: Any
    error: str | None = None


@dataclass(slots=True)
class _Request:
    command: Change | Swap
    door: Door
    tell: Callable[[Reply], None]
    engines: int = 0
    """How many have been asked."""

    @property
    def parameter(self) -> str:
        return MODEL if isinstance(self.command, Swap) else self.command.parameter

    @property
    def value(self) -> Any:
        return self.command.models if isinstance(self.command, Swap) else self.command.value


class LiveState:
    """Models and parameters of one session, through the lives of all its engines.

    :param clock: gives seconds, which never go back.
    """

    def __init__(
        self, models: Sequence[str], parameters: dict[str, Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.confirmed = dict(parameters)
        """The parameters that a next engine begins with."""
        self.confirmed_models = list(models)
        """The models that a next engine begins with."""
        self._former_models = list(models)
        self._proven = self.confirmed
        self._clock = clock
        self._numbers = count(1)
        self._requests: dict[str, dict[int, _Request]] = {}
        """What no engine has confirmed, by parameter and number, the newest last."""
        self._queue: deque[tuple[str, int]] = deque()
        """What the engine has not been asked for yet."""
        self._asked: set[int] = set()
        """What the engine has been asked for and has not confirmed."""
        self._suspects: set[int] = set()
        """What a former engine did not live to confirm."""
        self._buckets: dict[Door, Bucket] = defaultdict(lambda: Bucket(RATE, BURST))
        self._pending: Counter[tuple[Door, bool]] = Counter()
        """How many wait, by door and whether it is a swap."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as they were last asked for."""
        return self.confirmed | {name: self._last(name).value for name in self._requests if name != MODEL}

    @property
    def models(self) -> list[str]:
        """The models as they were last asked for."""
        return list(self._last(MODEL).value) if MODEL in self._requests else self.confirmed_models

    def _last(self, parameter: str) -> _Request:
        return next(reversed(self._requests[parameter].values()))

    def request(
        self,
        parameter: str,
        value: Any,
        door: Door,
        tell: Callable[[Reply], None] = lambda _: None,
        *,
        has_engine: bool = True,
    ) -> None:
        """Take in a request; `next_commands` has what to send for it.

        :param tell: gets the reply, once, when an engine confirms or refuses it, or none ever will.
        :param has_engine: whether there is one; if not, the newest request for each is kept for the next.
        :raises EngineError: if this door has asked for too much: then there is no reply.
        """
        is_swap = parameter == MODEL
        if not self._buckets[door].take(self._clock()):
            raise EngineError(BUSY)
        if not has_engine:
            self._settle_all(parameter, REPLACED)
        swaps, others = self._pending[door, True], self._pending[door, False]
        if swaps + others >= MOST_PENDING or (is_swap and swaps >= MOST_SWAPS):
            raise EngineError(BUSY)
        number = next(self._numbers)
        command = Swap(list(value), number) if is_swap else Change(parameter, value, number)
        self._requests.setdefault(parameter, {})[number] = _Request(command, door, tell)
        self._queue.append((parameter, number))
        self._pending[door, is_swap] += 1

    def next_commands(self) -> list[Change | Swap]:
        """Return what to send to the engine now; while it is asked for what another did not survive, all else waits."""
        commands: list[Change | Swap] = []
        while self._queue and not (self._asked and self._suspects):
            parameter, number = self._queue.popleft()
            request = self._requests.get(parameter, {}).get(number)
            if request is not None:
                request.engines += 1
                self._asked.add(number)
                commands.append(request.command)
        return commands

    def take(self, report: AnyReport) -> None:
        """Take in what an engine reports."""
        if isinstance(report, Step | Played):
            if self._proven is not self.confirmed:
                self._proven = self.confirmed
        elif isinstance(report, Applied):
            if report.error is None:
                self._confirm(report.parameter, report.value)
            if isinstance(report.request, int):
                self._settle(report.parameter, report.request, report.error)
        elif isinstance(report, Turned):
            # The engine's word counts: a knob may have turned what was changed just before, or the other way round.
            self._confirm(report.parameter, report.value)

    def _confirm(self, parameter: str, value: Any) -> None:
        if parameter != MODEL:
            self.confirmed = self.confirmed | {parameter: value}
        elif value != self.confirmed_models:
            self._former_models, self.confirmed_models = self.confirmed_models, list(value)

    def _settle(self, parameter: str, number: int, error: str | None) -> None:
        """Give a request its reply."""
        requests = self._requests.get(parameter, {})
        request = requests.pop(number, None)
        self._asked.discard(number)
        self._suspects.discard(number)
        if not requests:
            self._requests.pop(parameter, None)
        if request is not None:
            self._pending[request.door, parameter == MODEL] -= 1
            request.tell(Reply(parameter, request.value, error))

    def _settle_all(self, parameter: str, error: str) -> None:
        for number in list(self._requests.get(parameter, ())):
            self._settle(parameter, number, error)

    def begin_engine(self) -> None:
        """Take in that an engine plays, which is to be asked for all that none has confirmed."""
        waiting = [(number, parameter) for parameter, requests in self._requests.items() for number in requests]
        self._queue = deque((parameter, number) for number, parameter in sorted(waiting))
        self._asked.clear()

    def end_engine(self) -> list[Applied]:
        """Take in that the engine has ended; return the requests that are refused, since it may have died of them."""
        refused = []
        for parameter, requests in list(self._requests.items()):
            for number in list(requests)[:-1]:
                self._settle(parameter, number, REPLACED)
            last, request = next(iter(requests.items()))
            if request.engines > 1:
                refused.append(Applied(parameter, request.value, REFUSED))
                self._settle(parameter, last, REFUSED)
            elif request.engines == 1:
                self._suspects.add(last)
        return refused

    def end(self) -> None:
        """Take in that the session has ended: what no engine has confirmed, none will."""
        for parameter in list(self._requests):
            self._settle_all(parameter, ENDED)

    def fall_back(self) -> str | None:
        """Go back to what engines have played with; return a line that says so, None if that is what they play with."""
        if self._former_models != self.confirmed_models:
            ended, self.confirmed_models = self.confirmed_models, self._former_models
            return f"{', '.join(ended)} ends every engine; playing with {', '.join(self.confirmed_models)} again"
        changed = sorted(name for name, value in self.confirmed.items() if self._proven.get(name, self) != value)
        if not changed:
            return None
        self.confirmed = self._proven
        return f"{', '.join(changed)} as it was set ends every engine; set as before"


def check_order(parameter: str, value: Any, playing: Mapping[str, Any]) -> None:
    """Check that a bound stays on its side of the other one, in parameters that are otherwise `playing`.

    :raises ConfigError: if it does not.
    """
    if parameter not in BOUNDS:
        return
    other, nearer = BOUNDS[parameter]
    bound = playing[other]
    if nearer(value, bound) != value:
        low, high = sorted((parameter, other), reverse=True)
        raise ConfigError(f"{low} must not be above {high}; {other} is {bound}")


def without_request(report: AnyReport) -> AnyReport:
    """Return a report as the session's subscribers get it: the number of a request is between hub and engine."""
    if isinstance(report, Applied) and report.request is not msgspec.UNSET:
        return msgspec.structs.replace(report, request=msgspec.UNSET)
    return report
