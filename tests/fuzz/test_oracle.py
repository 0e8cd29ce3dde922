"""The oracle of the fuzzers notices what it is there for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory and time are watched as Linux can")

ROOT = Path(__file__).parents[2]
TRY = """
import json, os, sys
from pathlib import Path
from tests.fuzz import oracle
oracle.MOST_SECONDS = 2.0  # of processor time, importing the program included
watch = oracle.Watch()
with watch.over(Path(sys.argv[1])) as problems:
    exec(sys.argv[2])
print(json.dumps(problems))
"""
SINS = {
    "while True: pass": "it takes more than",
    "while True:\n    try:\n        sum(range(1000))\n    except Exception:\n        pass": "it takes more than",
    "bytearray(600 << 20)": "it takes more than 500 MB",
    "1 / 0": "ZeroDivisionError",
    "raise SystemExit(3)": "SystemExit",
    "open('elsewhere', 'w')": "it writes elsewhere: open",
    "os.open('elsewhere', os.O_CREAT | os.O_WRONLY)": "it writes elsewhere: open",
    "os.mkdir('elsewhere')": "it writes elsewhere: os.mkdir",
    "Path(sys.argv[1], 'x').write_text('x'); os.rename(Path(sys.argv[1], 'x'), 'x')": "it writes elsewhere: os.rename",
    "problems += oracle.judge(3, 'said')": "its exit code is 3",
    "problems += oracle.judge(1, '')": "says nothing",
    "problems += oracle.judge(2, '\\x1b[2J')": "it says",
    "problems += oracle.judge(1, 'Traceback (most recent call last)')": "Traceback",
}
VIRTUES = (
    "Path(sys.argv[1], 'x').write_text('x')",
    "open(os.devnull, 'w')",
    "open('/etc/passwd').read()",
    "bytearray(100 << 20)",
    "problems += oracle.judge(0, 'said\\n')",
    "problems += oracle.judge(*oracle.run_here(['inspect', 'nobody']))",
    "problems += oracle.judge(*oracle.run_apart(['inspect', 'nobody']))",
)


def problems_of(code: str, tmp_path: Path) -> list[str]:
    command = [sys.executable, "-c", TRY, str(tmp_path / "case"), code]
    (tmp_path / "case").mkdir()
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "improviser").symlink_to(ROOT / "improviser")
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    found: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("code", SINS)
def test_a_sin_is_noticed(code: str, tmp_path: Path) -> None:
    found = problems_of(code, tmp_path)
    assert len(found) == 1
    assert SINS[code] in found[0]


@pytest.mark.parametrize("code", VIRTUES)
def test_what_is_right_is_not_complained_of(code: str, tmp_path: Path) -> None:
    assert problems_of(code, tmp_path) == []
