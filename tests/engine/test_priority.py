"""The note path goes first where that is granted, and goes on where it is not."""

import os
import subprocess
import sys

import pytest

from improviser.engine.priority import go_first

LOOK = (
    "import os; from improviser.engine.priority import go_first; go_first(); "
    "print(os.sched_getscheduler(0), os.nice(0))"
)


def may_be_real_time() -> bool:
    before = os.sched_getscheduler(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    os.sched_setscheduler(0, before, os.sched_param(0))
    return True


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="this system has no real-time classes")
@pytest.mark.unix
def test_real_time_is_taken_where_it_is_granted() -> None:
    ran = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    policy, _ = map(int, ran.stdout.split())
    assert (policy == os.SCHED_FIFO) == may_be_real_time()


def test_where_nothing_is_granted_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    monkeypatch.setattr(os, "setpriority", refuse, raising=False)
    go_first()
    monkeypatch.delattr(os, "sched_setscheduler")
    monkeypatch.delattr(os, "setpriority")
    go_first()
