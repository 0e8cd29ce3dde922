"""Locks: who comes second waits, and says so."""

import threading
from pathlib import Path

from improviser.locks import taken_in_turn


def test_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "there" / "turn.lock"
    waits, done, second = threading.Event(), threading.Event(), threading.Event()

    def come_second() -> None:
        with taken_in_turn(path, waits.set):
            assert done.is_set()
            second.set()

    with taken_in_turn(path, lambda: None):
        thread = threading.Thread(target=come_second)
        thread.start()
        assert waits.wait(30)
        done.set()
    thread.join(30)
    assert second.is_set()


def test_where_there_can_be_no_lock_it_goes_on_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with taken_in_turn(tmp_path / "file" / "turn.lock", lambda: None):
        pass
