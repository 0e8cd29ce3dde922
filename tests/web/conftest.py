"""What the tests of the page share."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.playing import write_small_model

Act = Callable[..., None]


@pytest.fixture
def act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Act:
    """A function that plays a session with its page, and a scene in it."""
    from improviser.web import server
    from tests.web.scene import Scene, Stage

    # A browser answers pings by itself; the tests' programs only while they listen, however long another takes.
    monkeypatch.setattr(server, "PING_SECONDS", 120.0)

    library = tmp_path / "library"
    library.mkdir()
    write_small_model(library / "another.safetensors")
    (library / "broken.safetensors").write_bytes(b"no model at all")
    monkeypatch.setenv("IMPROVISER_MODELS", str(library))

    def play(scene: Callable[[Scene], Awaitable[None]], access: Any = None, tape: Any = None) -> None:
        async def run() -> None:
            stage = Stage.in_folder(tmp_path)
            if tape is not None:
                stage.tape = tape
            async with stage.begin(access) as begun:
                await scene(begun)

        asyncio.run(run())

    return play
