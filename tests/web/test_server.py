"""The page's server, on real sockets and with a real engine: who gets in, what pages are told, what they may do."""

import importlib.util
import io
import json
import wave
from pathlib import Path
from typing import Any

import pytest

from improviser.core.live.parameters.table import TABLE
from improviser.core.midi.codec import encode
from improviser.core.midi.event import ControlChange, NoteOff, NoteOn, PitchBend
from improviser.engine.live_state import Reply
from improviser.engine.protocol import Noticed
from improviser.recordings.reading import read_session
from improviser.settings.page_address import PageAddress
from improviser.show.session_page import session_report
from improviser.web.access import Access, access_of
from tests.hostile_text import HOSTILE
from tests.servers import missing
from tests.show.test_session_page import log_of
from tests.web.conftest import Act

pytest.importorskip("aiohttp", reason="aiohttp is not installed: uv sync --extra web")

from aiohttp import ClientConnectorError, WSMsgType, WSServerHandshakeError

from improviser.session.page import ANY
from improviser.web import page as page_module
from improviser.web import page_requests as requests_module
from improviser.web import server as server_module
from improviser.web.files import HEADERS
from improviser.web.messages import LARGEST_MESSAGE
from tests.web.scene import Client, Scene, Tape

TOKENS = ("player-token-1", "audience-tok-1")
WITH_TOKENS = Access(*TOKENS, frozenset({"studio.local"}), only_loopback=False)


SITES: list[tuple[dict[str, str], int]] = [
    ({}, 101),
    ({"Host": "localhost:80"}, 403),  # it is ours, but the page's origin is another
    ({"Host": "localhost:9000", "Origin": "http://localhost:9000"}, 101),  # through a tunnel
    ({"Host": "[::1]:6434", "Origin": "http://[::1]:6434"}, 101),
    ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),  # its name leads here: DNS rebinding
    ({"Host": "192.168.0.7:6434", "Origin": "http://192.168.0.7:6434"}, 421),
    ({"Host": "localhost.evil.example", "Origin": "http://localhost.evil.example"}, 421),
    ({"Host": "localhost@evil.example"}, 421),
    ({"Host": "evil.example@localhost"}, 403),
    ({"Host": ""}, 421),
    ({"Host": "[", "Origin": "http://["}, 421),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": ""}, 403),
    ({"Origin": "http://127.0.0.1"}, 403),  # another port is another site
    ({"Origin": "file://"}, 403),
]
"""What a browser says of where a page comes from, and how the socket answers."""

NO_MESSAGES = [[0xF0, 1], [0xF8, 0], [0xFF, 0, 0], [0x90, 200, 5], [0x90, 60], [0xC0, 1, 2], [0x40, 1, 1]]
NONSENSE = [
    *(b"", b"{", b"[]", b"null", b"1", b'"x"', b"{}", b"[" * 2000, b"\0" * 100, b'{"type":"\xff"}'),
    *(b'{"type":"dance"}', b'{"type":"midi"}', b'{"type":"midi","bytes":[]}', b'{"type":"midi","bytes":"abc"}'),
    *(b'{"type":"midi","bytes":[1e9,2,3]}', b'{"type":"set"}', b'{"type":"set","parameter":1,"value":2}'),
    *(b'{"type":"do","command":"shutdown"}', b'{"type":"echo","sent":"x"}'),
    b'{"type":"set","parameter":"mode","value":"mute","number":-1}',
]
REFUSALS: list[tuple[str, Any, str]] = [
    ("temperature", 9, "temperature must be a number 0–4"),
    ("temperature", None, "temperature must be a number 0–4"),
    ("mode", "dance", "mode must be shadow, answer, solo or mute"),
    ("low", 128, "low must be a whole number"),
    ("tempo", 1, "there is no parameter"),
    ("web", "off", "web cannot change while one plays"),
    ("model", ["/etc/passwd"], "there is no model named"),
    ("model", ["broken"], "there is no model named"),
    ("model", [], "model must be"),
]


class TestGettingIn:
    def test_every_answer_is_safe_whatever_it_is(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            answers = [
                await scene.get(),
                await scene.get("/app.js"),
                await scene.get("/sound/parts.json"),
                await scene.get("/audience"),
                await scene.get("/../../etc/passwd"),
                await scene.get("/%2e%2e/server.py"),
                await scene.get("/sound/../../server.py"),
                await scene.get("/", Host="evil.example"),
                await scene.get("/", Origin="https://evil.example"),
                await scene.client.post(scene.site),
                await scene.client.put(f"{scene.site}/app.js"),
                await scene.client.head(f"{scene.site}/socket", headers={"Origin": scene.site}),
            ]
            assert [each.status for each in answers] == [200, 200, 200, 308, 404, 404, 404, 421, 403, 405, 405, 400]
            for answer in answers:
                assert HEADERS.items() <= dict(answer.headers).items(), answer.url
            policy = answers[0].headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            for answer in answers:
                answer.release()

        act(scene)

    def test_all_that_the_page_names_is_there_and_ours(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            for name, file in scene.server._site._files.items():
                answer = await scene.get(f"/{name}")
                assert answer.status == 200
                assert answer.content_type == file.kind
                again = await scene.get(f"/{name}", **{"If-None-Match": answer.headers["ETag"]})
                assert again.status == 304
                text = (await answer.read()).decode()
                addresses = text.replace("http://www.w3.org/2000/svg", "")
                assert "http://" not in addresses
                assert "https://" not in addresses
                assert "innerHTML" not in text

        act(scene)

    def test_no_other_site_can_open_the_socket(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            for headers, status in SITES:
                assert await opened(scene, "/", **headers) == status, headers

        act(scene)

    def test_a_program_that_says_nothing_of_where_it_comes_from_is_no_page(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            upgrade = {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }
            assert (await scene.get("/socket", **upgrade)).status == 403

        act(scene)

    def test_beyond_this_machine_a_token_is_checked_with_everything(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            player = TOKENS[0]
            for token in ("", "x", player[:-1], f"{player}x", player.upper(), "audience", "%00", "ü" * 9):
                prefix = f"/{token}/" if token else "/"
                for rest in ("", "app.js", "style.css", "sound/parts.json", "sound/room.wav"):
                    assert (await scene.get(f"{prefix}{rest}")).status == 404, prefix
                assert await opened(scene, prefix) == 404
            for token in TOKENS:
                assert (await scene.get(f"/{token}")).status == 308
                for rest in ("", "app.js", "sound/parts.json"):
                    assert (await scene.get(f"/{token}/{rest}")).status == 200
                assert await opened(scene, f"/{token}/") == 101
            studio = {"Host": "studio.local:6434", "Origin": "http://studio.local:6434"}
            assert await opened(scene, f"/{player}/", **studio) == 101
            rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
            assert await opened(scene, f"/{player}/", **rebound) == 421

        act(scene, access=WITH_TOKENS)

    @pytest.mark.parametrize("access", [None, WITH_TOKENS])
    def test_an_audience_sees_and_changes_nothing(self, act: Act, access: Access | None) -> None:
        async def scene(scene: Scene) -> None:
            play, look = (f"/{token}/" for token in TOKENS) if access else ("/", "/audience/")
            player, audience = await scene.page(play), await scene.page(look)
            assert (await audience.hear("hello"))["role"] == "audience"
            messages: list[dict[str, Any]] = [
                {"type": "midi", "bytes": [0x90, 60, 80]},
                {"type": "set", "parameter": "temperature", "value": 2},
                {"type": "do", "command": "panic"},
                {"type": "do", "command": "record"},
                {"type": "release"},
            ]
            for number, message in enumerate(messages, 1):
                await audience.say(**message)
                await audience.hear("refused", count=number)
            await player.midi(0x90, 62, 80)
            step = await audience.hear("step")
            assert step["heard"] == {"on": 62, "velocity": 80, "channel": 0}
            assert scene.heard == [encode(NoteOn(0, 62, 80))]
            assert scene.service.parameters.temperature == 0.7

        act(scene, access=access)

    def test_there_is_room_for_so_many_and_no_more(self, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server_module, "MOST_PLAYERS", 2)
        monkeypatch.setattr(server_module, "MOST_AUDIENCE", 3)

        async def scene(scene: Scene) -> None:
            pages = [await scene.page("/audience/") for _ in range(3)]
            assert await opened(scene, "/audience/") == 503
            players = [await scene.page() for _ in range(2)]  # a crowd keeps no player out
            assert await opened(scene, "/") == 503
            await players[0].socket.close()
            await players[1].hear("state", players=1, audience=3)
            assert await opened(scene, "/") == 101
            await pages[0].socket.close()

        act(scene)


async def opened(scene: Scene, path: str, **headers: str) -> int:
    """Return the status of an attempt to open a page's socket."""
    try:
        client = await scene.socket(path, **headers)
    except WSServerHandshakeError as error:
        return error.status
    await client.socket.close()
    return 101


class TestSeeing:
    def test_first_comes_what_is_and_then_what_happens(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            first = await scene.page()
            kinds = [message["type"] for message in first.said]
            assert kinds[:4] == ["hello", "snapshot", "values", "state"]
            await first.midi(0x90, 60, 80)
            step = await first.hear("step")
            assert step["heard"] == {"on": 60, "velocity": 80, "channel": 0}
            assert len(step["played"]) == 1
            assert 0 < step["latency"] < 10_000
            figures = await first.hear("figures", heard=1)
            assert figures["played"] == 1
            assert len(figures["latency"]) == 3
            late = await scene.page()
            snapshot = await late.hear("snapshot")
            assert [note[:2] for note in snapshot["roll"]] == [["player", 60], ["improviser", step["played"][0]["on"]]]
            assert all(end is None for *_, end in snapshot["roll"])
            assert snapshot["answers"][0]["heard"]["on"] == 60
            state = await late.hear("state")
            assert (state["api"], state["playing"], state["players"]) == ("loopback", True, 2)

        act(scene)

    def test_the_controls_are_those_of_the_table(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            hello = await (await scene.page()).hear("hello")
            assert [each["name"] for each in hello["parameters"]] == [*TABLE]
            told = {each["name"]: each for each in hello["parameters"]}
            temperature = told["temperature"]
            assert (temperature["kind"], temperature["low"], temperature["high"]) == ("number", 0, 4)
            assert told["mode"]["choices"] == ["shadow", "answer", "solo", "mute"]
            assert told["thru"]["kind"] == "switch"
            assert (told["scale"]["kind"], told["scale"]["choices"][:2]) == ("text", ["off", "auto"])
            assert told["controls"]["kind"] == "table"
            assert all(each["help"] for each in hello["parameters"])
            assert "another" in hello["models"]
            assert "broken" not in hello["models"]

        act(scene)

    def test_phrases_are_told_when_they_are_over_and_what_is_expected_at_once(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            client = await scene.page()
            for pitch in (60, 62, 64):
                await client.midi(0x90, pitch, 80)
                await client.midi(0x80, pitch, 64)
            expected = (await client.hear("expected", count=3))["pitches"]
            assert 64 in expected
            assert len(expected) == len(set(expected))
            kinds = [message["type"] for message in client.said if message["type"] in ("step", "expected")]
            assert kinds.index("step") < kinds.index("expected")  # what is played sounds first
            phrase = await client.hear("phrase")
            assert phrase["notes"] == 3
            assert phrase["start"] <= phrase["end"]

        act(scene)

    def test_a_crowd_sees_it_all_and_in_order(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            crowd = [await scene.page("/audience/") for _ in range(200)]
            player = await scene.page()
            for pitch in (60, 62, 64):
                await player.midi(0x90, pitch, 80)
            for each in crowd:
                await each.hear("step", count=3)
                heard = [message["heard"]["on"] for message in each.said if message["type"] == "step"]
                assert heard == [60, 62, 64]
            assert not any(page.dropped for page in scene.server._pages)

        act(scene)

    def test_what_came_from_outside_is_printable(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            client = await scene.page()
            scene.bus.take(Noticed(HOSTILE))
            line = (await client.hear("news"))["line"]
            assert line.isprintable()
            await client.say(type="set", parameter=HOSTILE, value=HOSTILE, number=1)
            reply = await client.hear("reply")
            assert not reply["ok"]
            assert reply["error"].isprintable()
            assert reply["parameter"].isprintable()

        act(scene)

    def test_a_page_that_is_slow_misses_events_is_told_anew_and_holds_up_nobody(
        self, act: Act, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(page_module, "ROOM", 50)

        async def scene(scene: Scene) -> None:
            slow, quick = await scene.page(), await scene.page()
            connection = slow.socket._response.connection
            assert connection is not None
            transport = connection.transport
            assert transport is not None
            transport.pause_reading()
            told = 0
            while not any(page.dropped for page in scene.server._pages):
                for _ in range(20):
                    told += 1
                    scene.bus.take(Noticed(f"{told} {'x' * 20_000}"))
                await quick.wait_for(lambda message: message.get("line", "").startswith(f"{told} "))  # noqa: B023
                quick.said.clear()
            assert sum(page.dropped > 0 for page in scene.server._pages) == 1
            transport.resume_reading()
            await slow.hear("snapshot", count=2)

        act(scene)


def sounding(client: Client) -> set[int]:
    """Return the pitches that the improviser sounds, as a page has been told."""
    pitches: set[int] = set()
    for message in client.said:
        played = message.get("played")
        for event in played if isinstance(played, list) else ():
            if "on" in event:
                pitches.add(event["on"])
            elif "off" in event:
                pitches.discard(event["off"])
    return pitches


class TestPlaying:
    async def hold(self, client: Client) -> tuple[bytes, ...]:
        """Hold keys, a pedal and the wheel; return what lets go of them."""
        for message in ((0x90, 60, 80), (0x91, 64, 80), (0xB0, 64, 127), (0xE0, 0, 0x60), (0xD0, 50)):
            await client.midi(*message)
        await client.hear("step", heard={"on": 64, "velocity": 80, "channel": 1})
        return tuple(
            encode(event) for event in (NoteOff(0, 60), NoteOff(1, 64), ControlChange(0, 64, 0), PitchBend(0, 0))
        )

    @pytest.mark.parametrize("ends", ["closed", "lost", "let go"])
    def test_what_a_page_held_is_let_go_of_when_it_ends(self, act: Act, ends: str) -> None:
        async def scene(scene: Scene) -> None:
            client, other = await scene.page(), await scene.page()
            released = await self.hold(client)
            assert not set(released) & set(scene.heard)
            if ends == "closed":
                await client.socket.close()
            elif ends == "lost":
                client.tear()
            else:
                await client.say(type="release")
            await scene.wait_until_heard(*released)
            await other.hear("step", heard={"off": 64, "channel": 1})
            await other.wait_for(lambda _: not sounding(other))

        act(scene)

    def test_a_page_that_sleeps_lets_go_and_one_that_is_awake_does_not(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            sleeper, awake = await scene.page(), await scene.page()
            released = await self.hold(sleeper)
            await awake.midi(0x90, 67, 80)
            # The sleeper says nothing any more; what it is asked waits in its socket.
            while not set(released) <= set(scene.heard):
                awake.said.clear()
                await awake.hear("there?")
            assert encode(NoteOff(0, 67)) not in scene.heard
            await sleeper.hear("released")

        act(scene)

    def test_a_key_that_two_pages_hold_is_up_when_both_let_go(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            one, two = await scene.page(), await scene.page()
            for client in (one, two):
                await client.midi(0x90, 60, 80)
            await one.hear("step", count=2)
            one.tear()
            await two.midi(0x90, 62, 80)
            await scene.wait_until_heard(encode(NoteOn(0, 62, 80)))
            assert encode(NoteOff(0, 60)) not in scene.heard
            await two.midi(0x80, 60, 64)
            await scene.wait_until_heard(encode(NoteOff(0, 60)))

        act(scene)

    def test_what_is_not_understood_harms_nobody(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            client = await scene.page()
            for number, data in enumerate(NO_MESSAGES, 1):
                await client.midi(*data)
                await client.hear("refused", count=number)
            for number, text in enumerate(NONSENSE, len(NO_MESSAGES) + 1):
                await client.socket.send_frame(text, WSMsgType.TEXT)
                await client.hear("refused", count=number)
            await client.midi(0x90, 60, 80)
            await client.hear("step")
            assert scene.heard == [encode(NoteOn(0, 60, 80))]
            await client.socket.send_bytes(b"{}")
            await client.ended()
            await scene.wait_until_heard(encode(NoteOff(0, 60)))

        act(scene)

    def test_a_flood_is_cut_off_and_the_music_goes_on(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            flooding, playing = await scene.page(), await scene.page()
            await flooding.midi(0x90, 40, 80)
            for _ in range(int(page_module.BURST) + 200):
                await flooding.say(type="here")
            code, reason = await flooding.ended()
            assert (code, reason) in ((1008, "too many messages"), (1006, ""), (None, ""))
            await scene.wait_until_heard(encode(NoteOff(0, 40)))
            await playing.midi(0x90, 60, 80)
            await playing.hear_note(60)

        act(scene)

    def test_a_message_that_is_too_large_ends_the_page(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            client = await scene.page()
            await client.midi(0x90, 40, 80)
            await client.socket.send_str(" " * (LARGEST_MESSAGE + 1))
            code, _ = await client.ended()
            assert code in (1009, 1006, None)
            await scene.wait_until_heard(encode(NoteOff(0, 40)))

        act(scene)


class TestSteering:
    def test_pages_and_other_doors_see_each_others_changes(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            one, two = await scene.page(), await scene.page()
            await one.say(type="set", parameter="temperature", value=1.5, number=7)
            assert (await one.hear("reply"))["ok"]
            for client in (one, two):
                assert (await client.hear("set", parameter="temperature"))["value"] == 1.5
            assert await scene.service.request("mode", "mute", "mqtt") == Reply("mode", "mute")
            for client in (one, two):
                await client.hear("set", parameter="mode", value="mute")
            await two.say(type="set", parameter="model", value=["another"], number=8)
            assert (await two.hear("reply", number=8))["ok"]
            await one.hear("set", parameter="model", value=["another"])
            await one.hear("state", models=["another"])
            await one.say(type="set", parameter="model", value=["small", "another"], number=9)
            assert (await one.hear("reply", number=9))["ok"]  # the session began with it, by its path
            state = await two.hear("state", models=["small", "another"])
            assert "/" not in str(state)
            late = await scene.page()
            values = (await late.hear("values"))["values"]
            assert (values["temperature"], values["mode"]) == (1.5, "mute")

        act(scene)

    def test_a_refused_value_says_why_and_what_holds(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            client = await scene.page()
            for number, (parameter, value, says) in enumerate(REFUSALS):
                await client.say(type="set", parameter=parameter, value=value, number=number)
                reply = await client.hear("reply", number=number)
                assert not reply["ok"]
                assert says in reply["error"]
                if parameter in TABLE:
                    assert reply["value"] == getattr(scene.service.parameters, parameter)
                    assert reply["allowed"]

        act(scene)

    def test_who_asks_for_too_much_is_refused_and_not_cut_off(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            client, other = await scene.page(), await scene.page()
            asked = int(page_module.REQUEST_BURST) + 150
            for number in range(asked):
                await client.say(type="set", parameter="density", value=0.5, number=number)
            await client.hear("reply", count=asked)
            errors = {message["error"] for message in client.said if message["type"] == "reply" and not message["ok"]}
            assert errors == {requests_module.TOO_MANY}
            await other.say(type="set", parameter="density", value=0.25, number=1)
            assert (await other.hear("reply"))["ok"]

        act(scene)

    def test_commands_are_done_and_say_what_was(self, act: Act) -> None:
        tape = Tape()

        async def scene(scene: Scene) -> None:
            one, two = await scene.page(), await scene.page()
            await one.midi(0x90, 60, 80)
            step = await two.hear("step")
            await one.say(type="do", command="panic", number=1)
            assert "ended" in (await one.hear("reply", number=1))["line"]
            ended = await two.hear("played", cause="panic")
            assert {"off": step["played"][0]["on"], "channel": 0} in ended["played"]
            for number, command, on in ((2, "record", True), (3, "stop recording", False)):
                await one.say(type="do", command=command, number=number)
                assert (await one.hear("reply", number=number))["ok"]
                await two.hear("state", recording=on)
                assert tape.on is on

        act(scene, tape=tape)

    def test_a_page_learns_how_far_away_the_session_is(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            client = await scene.page()
            await client.say(type="echo", sent=123.5)
            echo = await client.hear("echo")
            assert echo["sent"] == 123.5
            assert echo["at"] > 0

        act(scene)


def test_the_end_of_the_session_is_told(act: Act) -> None:
    clients: list[Client] = []

    async def scene(scene: Scene) -> None:
        clients.append(await scene.page())
        await scene.server.close()
        assert await clients[0].ended() == (1001, "the session has ended")
        with pytest.raises(ClientConnectorError):
            await scene.get()

    act(scene)


class TestSound:
    def test_all_samples_that_are_described_can_be_heard(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            described = json.loads(await (await scene.get("/sound/parts.json")).read())
            assert set(described["parts"]) == {"player", "improviser"}
            for part in described["parts"].values():
                for layer in part["layers"]:
                    assert len(layer["gains"]) == 128
                    assert layer["gains"] == sorted(layer["gains"])
                    for sample in layer["samples"][::4]:
                        answer = await scene.get(f"/sound/{sample['name']}")
                        assert answer.content_type == "audio/wav"
                        with wave.open(io.BytesIO(await answer.read())) as file:
                            seconds = file.getnframes() / file.getframerate()
                        assert sample["loop"] is None or sample["loop"][1] <= seconds
            with wave.open(io.BytesIO(await (await scene.get("/sound/room.wav")).read())) as file:
                assert file.getnchannels() == 2

        act(scene)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_alone_needs_no_token(host: str) -> None:
    access = access_of(PageAddress(host), (), None)
    assert access.role("/") == ("player", "")
    assert access.role("/audience/app.js") == ("audience", "app.js")


@pytest.mark.parametrize("host", [*ANY, "192.168.0.7", "studio.local"])
def test_others_need_one_that_nobody_can_guess(host: str) -> None:
    one, two = (access_of(PageAddress(host), (), None) for _ in range(2))
    assert len({one.player, one.audience, two.player, two.audience}) == 4
    assert all(len(token) >= 20 for token in (one.player, one.audience))
    assert one.role("/") is None
    assert one.role(f"/{one.player}/") == ("player", "")


def test_the_server_can_be_tested() -> None:
    if importlib.util.find_spec("aiohttp") is None:
        missing("aiohttp is not installed: uv sync --extra web")


class TestRecordings:
    def test_the_list_leads_to_pages_with_all_that_they_need(self, act: Act, tmp_path: Path) -> None:
        folder, name = tmp_path / "kept", "session-2026-01-01-120000"
        folder.mkdir()
        log_of(folder / f"{name}.jsonl")
        (folder / "session-2026-01-02-120000.jsonl").write_text("nothing\n")
        (folder / "secret.jsonl").write_text("of another")

        async def scene(scene: Scene) -> None:
            listed = json.loads(await (await scene.get("/recordings/list.json")).read())
            assert [each["name"] for each in listed] == ["session-2026-01-02-120000", name]
            page = await (await scene.get(f"/recordings/{name}/")).text()
            assert page == (await (await scene.get(f"/recordings/{name}/index.html")).text())
            kinds = {"report.css": "text/css", "roll.svg": "image/svg+xml", "session.wav": "audio/wav"}
            for file, kind in {**kinds, "session.mid": "audio/midi"}.items():
                assert file in page
                answer = await scene.get(f"/recordings/{name}/{file}")
                assert (answer.status, answer.content_type) == (200, kind)
                assert answer.headers["Cache-Control"] == "no-store"
            described = session_report(read_session(folder / f"{name}.jsonl"))
            assert page[page.index("<h2>Figures") :].startswith(described[described.index("<h2>Figures") : -40])
            with_part = await scene.get(f"/recordings/{name}/session.wav", Range="bytes=0-3")
            assert (with_part.status, await with_part.read()) == (206, b"RIFF")
            assert (await scene.get(f"/recordings/{name}")).status == 308
            for wrong in ("secret/", "%2e%2e/recordings/secret/", f"{name}/other.mid", "none/"):
                assert (await scene.get(f"/recordings/{wrong}")).status == 404
            broken = await scene.get("/recordings/session-2026-01-02-120000/")
            assert broken.status == 422
            assert "jsonl" in await broken.text()
            assert (await scene.get("/audience/recordings/list.json")).status == 403
            own = {"Origin": scene.site}
            replay = f"{scene.site}/recordings/{name}/replay"
            async with scene.client.post(replay, headers=own) as answer:
                said = json.loads(await answer.read())
            assert said["same"] is False
            assert "not the one that played then" in said["line"]
            for headers in ({}, {"Origin": "https://evil.example"}):
                async with scene.client.post(replay, headers=headers) as answer:
                    assert answer.status == 403

        act(scene, tape=Tape(folder))

    def test_where_nothing_is_recorded_the_list_is_empty(self, act: Act) -> None:
        async def scene(scene: Scene) -> None:
            assert json.loads(await (await scene.get("/recordings/list.json")).read()) == []

        act(scene)
