"""Files are written whole or not at all."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from improviser.errors import OutputError
from improviser.files import NotRegularError, check_writable, create_folder, open_regular, write_atomically
from tests.portable.sitecustomize import Reduced


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_others_may_read_what_the_mask_allows(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~mask


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_atomically(tmp_path / "a", b"data")
    assert list(tmp_path.iterdir()) == []


def test_places_that_take_no_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(OutputError, match="does not exist"):
        check_writable(tmp_path / "no" / "a")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="may not be written to"):
        check_writable(tmp_path / "a")


def test_folders_are_created_to_the_bottom(tmp_path: Path) -> None:
    create_folder(tmp_path / "a" / "b")
    create_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot create"):
        create_folder(tmp_path / "file" / "a")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_nothing_is_left_where_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    def interrupt(_: int) -> None:
        raise interruption

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(interruption):
        write_atomically(tmp_path / "a", b"new")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="devices, pipes and links as Unix has them")
class TestOnlyFiles:
    """Devices, pipes and folders are neither read nor written over; links are followed."""

    def test_they_are_not_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to(tmp_path / "pipe")
        for path, what in ((tmp_path / "pipe", "regular"), (tmp_path / "link", "regular"), (tmp_path, "folder")):
            with pytest.raises(NotRegularError, match=what):
                open_regular(path, 100)
        with pytest.raises(NotRegularError, match="regular"):
            open_regular(Path("/dev/zero"), 100)
        with pytest.raises(FileNotFoundError):
            open_regular(tmp_path / "none", 100)
        (tmp_path / "a").write_bytes(b"data")
        with open_regular(tmp_path / "a", 100) as file:
            assert file.read() == b"data"

    def test_they_are_not_replaced(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to("pipe")
        (tmp_path / "circle").symlink_to("circle")
        for name in ("pipe", "link", "circle"):
            for write in (check_writable, lambda path: write_atomically(path, b"new")):
                with pytest.raises(OutputError, match=name):
                    write(tmp_path / name)
        with pytest.raises(OutputError, match="/dev/null"):
            write_atomically(Path("/dev/null"), b"new")
        assert {path.name for path in tmp_path.iterdir()} == {"pipe", "link", "circle"}

    def test_what_a_link_leads_to_is_written(self, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        for name in ("link", "second"):
            (tmp_path / name).symlink_to("there/a" if name == "link" else "link")
            write_atomically(tmp_path / name, name.encode())
            assert (tmp_path / "there" / "a").read_bytes() == name.encode()
            assert (tmp_path / name).is_symlink()
        (tmp_path / "astray").symlink_to("nowhere/a")
        with pytest.raises(OutputError, match=r"the folder of .*astray does not exist"):
            check_writable(tmp_path / "astray")
        assert [path.name for path in (tmp_path / "there").iterdir()] == ["a"]


class TestOnWindows:
    """What Windows does not let us do is refused before, or waited for."""

    @pytest.fixture(autouse=True)
    def windows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("improviser.files.os", Reduced(os, set(), {"name": "nt"}))

    def test_what_is_read_only_is_not_written_over(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"mine")
        (tmp_path / "a").chmod(0o400)
        for write in (check_writable, lambda path: write_atomically(path, b"new")):
            with pytest.raises(OutputError, match="is read-only"):
                write(tmp_path / "a")
        (tmp_path / "a").chmod(0o600)
        assert (tmp_path / "a").read_bytes() == b"mine"

    def test_nothing_is_written_into_a_stream_of_another_file(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="no colon"):
            write_atomically(tmp_path / "take:1.mid", b"new")
        assert list(tmp_path.iterdir()) == []

    def test_a_name_that_is_too_long_is_refused_before(self, tmp_path: Path) -> None:
        check_writable(tmp_path / ("a" * 255))
        with pytest.raises(OutputError, match="too long"):
            check_writable(tmp_path / ("🎹" * 128))

    @pytest.mark.parametrize("seconds", [0.0, 10.0])
    def test_who_holds_a_file_open_is_waited_for_a_moment(
        self, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tries, now = [], [0.0]
        replace = Path.replace

        def refuse(source: Path, target: Path) -> None:
            tries.append(now[0])
            if len(tries) < 3 or seconds:
                raise PermissionError(13, "Access is denied")
            replace(source, target)

        def wait(by: float) -> None:
            now[0] += by

        monkeypatch.setattr(Path, "replace", refuse)
        monkeypatch.setattr("improviser.files.time", SimpleNamespace(monotonic=lambda: now[0], sleep=wait))
        if seconds:
            with pytest.raises(OutputError, match="Access is denied"):
                write_atomically(tmp_path / "a", b"new")
            assert list(tmp_path.iterdir()) == []
        else:
            write_atomically(tmp_path / "a", b"new")
            assert (tmp_path / "a").read_bytes() == b"new"


def test_what_is_there_is_written_over_only_with_force(tmp_path: Path) -> None:
    check_writable(tmp_path / "a", force=False)
    (tmp_path / "a").write_bytes(b"mine")
    check_writable(tmp_path / "a")
    with pytest.raises(OutputError, match="exists already; choose another name, or write over it with --force"):
        check_writable(tmp_path / "a", force=False)
