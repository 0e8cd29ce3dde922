"""Whatever comes in, of each kind: a line and an exit code, soon, in little memory, and nothing raw or elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import KEPT, KINDS

ROOT = Path(__file__).parents[2]
BATCH = 500
SECONDS_EACH = 1.0
"""How long a case may take on average on a machine that does much else, before the whole is given up."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and time are watched as Linux can")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    cases, seed = metafunc.config.getoption("fuzz_cases"), metafunc.config.getoption("fuzz_seed")
    batches = [
        pytest.param(kind, seed, first, min(BATCH, cases - first), id=f"{kind}-{seed}-{first}")
        for first in range(0, cases, BATCH)
        for kind in KINDS
    ]
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize(("kind", "seed", "first", "count"), batches)


@pytest.mark.timeout(BATCH * SECONDS_EACH + 60)
def test_nothing_breaks_it(kind: str, seed: int, first: int, count: int) -> None:
    command = [sys.executable, "-m", "tests.fuzz", kind, "--seed", str(seed), "--first", str(first)]
    ran = subprocess.run(
        [*command, "--count", str(count), "--keep", str(ROOT / KEPT)],
        cwd=ROOT,
        env={**os.environ, "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=count * SECONDS_EACH + 30,
        check=False,
    )
    failures = [json.loads(line) for line in ran.stdout.splitlines()[:-1]]
    told = [
        f"{failure['problems'][0][-600:]}\n  kept in {failure['kept']}; again: "
        f"python -m tests.fuzz {kind} --seed {seed} --first {failure['number']} --count 1"
        for failure in failures[:5]
    ]
    assert not failures, f"{len(failures)} of {count} {kind} fail:\n" + "\n".join(told)
    assert ran.returncode == 0, ran.stderr[-3000:]
    done = json.loads(ran.stdout)
    assert (done["done"], done["failed"]) == (count, 0)
    assert done["accepted"] >= count // 20 - 1, "nothing gets beyond the first check"
