"""The page of a training run: told of it by a real `improviser train`, and stopped from it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from improviser.library.catalogue import load_model
from tests.melodies import write_melody
from tests.servers import free_port

aiohttp = pytest.importorskip("aiohttp", reason="aiohttp is not installed: uv sync --extra web")

PATIENCE = 40.0


class Looker:
    """A page as a program."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def until(self, **wanted: Any) -> Mapping[str, Any]:
        """Return the first message that has these; `any` is whatever there is."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.socket.receive()
                assert frame.type is aiohttp.WSMsgType.TEXT, frame
                message: Mapping[str, Any] = json.loads(frame.data)
                if message.keys() >= wanted.keys() and all(wanted[key] in (any, message[key]) for key in wanted):
                    return message


def test_a_run_is_seen_and_stopped_and_what_there_is_is_kept(tmp_path: Path) -> None:
    port, tune = free_port(), tmp_path / "tune.mid"
    write_melody(tune)
    command = [sys.executable, "-m", "improviser", "train", str(tune), "--task", "echo", "--population", "20"]
    options = ["--minutes", "60", "--output", "mine.safetensors", "--web", str(port)]
    with subprocess.Popen([*command, *options], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("the page: http") for line in process.stdout)
            told = asyncio.run(_look_on_and_stop(f"http://127.0.0.1:{port}"))
            said = process.communicate(timeout=PATIENCE)[0]
        finally:
            process.kill()
    assert process.returncode == 0
    assert "saved mine.safetensors" in said
    assert load_model(tmp_path / "mine.safetensors").task == "echo"
    assert told["generation"] >= told["curve"][-1][0] > 1
    assert 0 < told["diversity"] < 10
    assert len(told["phrase"]) == len(told["tune"]) == 15
    assert told["seconds_left"] > 0


async def _look_on_and_stop(site: str) -> Mapping[str, Any]:
    async with aiohttp.ClientSession(headers={"Origin": site}) as client:
        async with client.get(site) as page:
            assert "Training" in await page.text()
        audience = Looker(await client.ws_connect(f"{site}/audience/socket", max_msg_size=0))
        await audience.until(type="hello", role="audience")
        await audience.socket.send_str('{"type":"stop"}')  # it may not
        player = Looker(await client.ws_connect(f"{site}/socket", max_msg_size=0))
        await player.until(type="hello", role="player")
        first = await player.until(stage="breeding", curve=any)
        later = await player.until(stage="breeding", curve=any)
        while later["generation"] == first["generation"] or not later["phrase"]:
            later = await player.until(stage="breeding", curve=any)
        await player.socket.send_str('{"type":"stop"}')
        await audience.until(stage="saved as mine.safetensors")
        return later
