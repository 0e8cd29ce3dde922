"""The live state of a session: what was asked for, what engines have confirmed, and what they have proved to bear.

An engine that dies may have died of what it was asked for last. So a change that no engine has confirmed is asked for
once more, and no oftener; and where engines keep dying, the session goes back to the models, then to the parameters,
that an engine has played with.
"""

from collections.abc import Sequence
from typing import Any

from improviser.engine.protocol import MODEL, AnyReport, Applied, Change, Command, Played, Step, Swap, Turned

REFUSED = "the engine ended twice when it was asked for this"


class LiveState:
    """Models and parameters of one session, through the lives of all its engines."""

    def __init__(self, models: Sequence[str], parameters: dict[str, Any]) -> None:
        self.models = list(models)
        """The models to play with, as they were last asked for."""
        self.confirmed = dict(parameters)
        """The parameters that a next engine begins with."""
        self._loaded_models = self._former_models = list(models)
        self._requested: dict[str, list[Any]] = {}
        self._asked_again: set[str] = set()
        self._proven = dict(parameters)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as they were last asked for."""
        return self.confirmed | {name: values[-1] for name, values in self._requested.items()}

    def request(self, command: Command) -> None:
        """Take in a command that is sent to an engine, or will be."""
        if isinstance(command, Change):
            self._requested.setdefault(command.parameter, []).append(command.value)
            self._asked_again.discard(command.parameter)
        elif isinstance(command, Swap):
            self.models = list(command.models)

    def take(self, report: AnyReport) -> None:
        """Take in what an engine reports."""
        if isinstance(report, Step | Played):
            if self._proven is not self.confirmed:
                self._proven = self.confirmed
        elif isinstance(report, Applied) and report.parameter == MODEL:
            self._take_models(report)
        elif isinstance(report, Applied):
            self._answered(report.parameter)
            if report.error is None:
                self._confirm(report.parameter, report.value)
        elif isinstance(report, Turned):
            # The engine's word counts: a knob may have turned what was changed just before, or the other way round.
            self._confirm(report.parameter, report.value)

    def _take_models(self, report: Applied) -> None:
        if report.error is not None:
            if self.models == report.value:  # else another wish has come since
                self.models = self._fallback
        elif report.value != self._loaded_models:
            self._former_models, self._loaded_models = self._loaded_models, report.value

    def _confirm(self, parameter: str, value: Any) -> None:
        self.confirmed = self.confirmed | {parameter: value}

    def _answered(self, parameter: str) -> None:
        values = self._requested.get(parameter, [])[1:]
        self._asked_again.discard(parameter)
        if values:
            self._requested[parameter] = values
        else:
            self._requested.pop(parameter, None)

    @property
    def _fallback(self) -> list[str]:
        """The models that an engine played with before those of now."""
        return self._loaded_models if self._loaded_models != self.models else self._former_models

    def end_engine(self) -> tuple[list[Change], list[Applied]]:
        """Take in that the engine has ended; return the changes to ask the next one for, and those that are refused."""
        again, refused = [], []
        for parameter, values in list(self._requested.items()):
            if parameter in self._asked_again:
                del self._requested[parameter]
                self._asked_again.discard(parameter)
                refused.append(Applied(parameter, values[-1], REFUSED))
            else:
                self._requested[parameter] = values[-1:]
                self._asked_again.add(parameter)
                again.append(Change(parameter, values[-1]))
        return again, refused

    def fall_back(self) -> str | None:
        """Go back to what engines have played with; return a line that says so, None if that is what they play with."""
        if self._fallback != self.models:
            ended, self.models = self.models, self._fallback
            return f"{', '.join(ended)} ends every engine; playing with {', '.join(self.models)} again"
        changed = sorted(name for name, value in self.confirmed.items() if self._proven.get(name, self) != value)
        if not changed:
            return None
        self.confirmed = dict(self._proven)
        return f"{', '.join(changed)} as it was set ends every engine; set as before"
