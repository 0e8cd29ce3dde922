"""The live state of a session: what was requested, what engines have confirmed, and what they have played with.

Every request has a number, which travels with it to the engine and comes back with the engine's word: so each gets its
own reply, whatever else is asked for meanwhile. How many requests may come, and how fast, is limited here, for each
door by itself: who floods one keeps nobody out of another.

An engine that dies may have died of what it was asked for last. So a request that no engine has confirmed is asked for
once more, alone, and no oftener; and where engines keep dying, what was changed last is taken back first, a model or
a parameter, until all is as it was when an engine last played; then the models that played before the present ones
are tried.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import msgspec

from improviser.engine.protocol import MODEL, AnyReport, Applied, Change, Played, Step, Swap, Turned
from improviser.errors import EngineError
from improviser.pacing import Bucket

REFUSED = "the engine ended twice when it was asked for this"
REPLACED = "a later request took its place before an engine confirmed it"
ENDED = "the session ended before an engine confirmed it"
BUSY = "the engine is busy with what was asked before; try again"
RATE, BURST = 400.0, 800.0
"""How many requests a second each door may make for ever, and at once."""
MOST_PENDING, MOST_SWAPS = 1000, 4
"""How many requests of one door may wait for the engine's word; and how many of these for other models."""
MOST_UNPROVEN = 1000
_ABSENT = object()

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
        """Those that played before the present ones, which have played as well."""
        self._unproven: deque[tuple[str, Any]] = deque(maxlen=MOST_UNPROVEN)
        """What was changed since an engine last played, and what it was before, the newest last."""
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
            self._prove()
        elif isinstance(report, Applied):
            if report.error is None:
                self._confirm(report.parameter, report.value)
            if isinstance(report.request, int):
                self._settle(report.parameter, report.request, report.error)
        elif isinstance(report, Turned):
            # The engine's word counts: a knob may have turned what was changed just before, or the other way round.
            self._confirm(report.parameter, report.value)

    def _confirm(self, parameter: str, value: Any) -> None:
        before = self.confirmed_models if parameter == MODEL else self.confirmed.get(parameter, _ABSENT)
        if before == value:
            return
        if not self._unproven or self._unproven[-1][0] != parameter:  # a knob that is turned is one change
            self._unproven.append((parameter, before))
        self._set(parameter, value)

    def _set(self, parameter: str, value: Any) -> None:
        if parameter == MODEL:
            self.confirmed_models = list(value)
        elif value is _ABSENT:
            self.confirmed = {name: its for name, its in self.confirmed.items() if name != parameter}
        else:
            self.confirmed = self.confirmed | {parameter: value}

    def _prove(self) -> None:
        """Take in that an engine has played with what is confirmed."""
        if self._unproven:
            self._former_models = next((was for name, was in self._unproven if name == MODEL), self._former_models)
            self._unproven.clear()

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
        """Take back what was changed last; return a line that says so, None if there is nothing to take back.

        That is what no engine has played with yet; then the present models, for those that played before them.
        """
        ended = self.confirmed_models
        if self._unproven:
            parameter, before = self._unproven.pop()
            self._set(parameter, before)
            if parameter != MODEL:
                return f"{parameter} as it was set ends every engine; set as before"
        elif self._former_models == ended:
            return None
        else:
            self.confirmed_models = self._former_models
        return f"{', '.join(ended)} ends every engine; playing with {', '.join(self.confirmed_models)} again"


def without_request(report: AnyReport) -> AnyReport:
    """Return a report as the session's subscribers get it: the number of a request is between hub and engine."""
    if isinstance(report, Applied) and report.request is not msgspec.UNSET:
        return msgspec.structs.replace(report, request=msgspec.UNSET)
    return report
