"""The session's connections, by a stand-in for JACK-Client that tells nothing of changes, as busy JACK for a while."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from improviser.core.live.output.ledger import SIZE, Ledger
from improviser.core.midi.event import Event, NoteOff, NoteOn
from improviser.errors import PortError
from improviser.ports import connections as session_connections
from improviser.ports import patchbay
from improviser.ports.connections import SessionConnections
from improviser.ports.jack_choice import PIPEWIRE

OUT, IN, SYNTH = "improviser:out", "improviser:in", "synth:in"
RELEASE = bytes((0x80, 60, 0))


class Port:
    is_physical = False
    aliases: tuple[str, ...] = ()

    def __init__(self, name: str, graph: "Graph") -> None:
        self.name = name
        self._graph = graph

    def clear_buffer(self) -> None:
        """Nothing stays in it."""

    def write_midi_event(self, _offset: int, message: bytes) -> None:
        for source, destination in self._graph.connections:
            if source == self.name:
                self._graph.arrived.append((destination, message))

    def unregister(self) -> None:
        self._graph.ports.pop(self.name)


class Graph:
    """What JACK-Client's module offers to those of the daemon's clients that connect and release."""

    JackError = type("JackError", (Exception,), {})

    def __init__(self) -> None:
        self.ports: dict[str, Port] = {}
        self.connections: set[tuple[str, str]] = set()
        self.arrived: list[tuple[str, bytes]] = []
        self.told: Callable[[Port | None, Port | None, bool], None] = lambda *_: None
        self.registered: Callable[[Port | None, bool], None] = lambda *_: None

    def add(self, name: str) -> Port:
        self.ports[name] = Port(name, self)
        return self.ports[name]

    def tell(self, source: str, destination: str, *, connected: bool) -> None:
        """Tell the daemon of a change: its clients else hear of none."""
        self.told(Port(source, self), Port(destination, self), connected)

    def Client(self, name: str, **_options: Any) -> "Client":  # noqa: N802  the module's name
        return Client(name, self)


class Client:
    def __init__(self, name: str, graph: Graph) -> None:
        self._name, self._graph = name, graph
        self._process: Callable[[int], None] | None = None
        self._active = threading.Event()
        self.midi_outports = self

    def register(self, name: str) -> Port:
        return self._graph.add(f"{self._name}:{name}")

    def set_process_callback(self, process: Callable[[int], None]) -> None:
        self._process = process

    def set_shutdown_callback(self, _callback: object) -> None:
        """It never goes."""

    def set_port_registration_callback(self, callback: Callable[[Port | None, bool], None], **_options: Any) -> None:
        self._graph.registered = callback

    def set_port_rename_callback(self, _callback: object, **_options: Any) -> None:
        """It tells nothing."""

    def set_port_connect_callback(self, callback: Callable[[Port | None, Port | None, bool], None], **_: Any) -> None:
        self._graph.told = callback

    def activate(self) -> None:
        self._active.set()
        if self._process is not None:
            threading.Thread(target=self._run, args=(self._process,), daemon=True).start()

    def _run(self, process: Callable[[int], None]) -> None:
        while self._active.is_set():
            process(64)
            time.sleep(0.001)

    def deactivate(self) -> None:
        self._active.clear()

    close = deactivate

    def get_ports(self, **_flags: Any) -> list[Port]:
        return list(self._graph.ports.values())

    def get_port_by_name(self, name: str) -> Port:
        if name not in self._graph.ports:
            raise self._graph.JackError(name)
        return self._graph.ports[name]

    def get_all_connections(self, name: str) -> list[Port]:
        return [
            self._graph.ports[other]
            for pair in self._graph.connections
            if name in pair
            for other in pair
            if other != name and other in self._graph.ports
        ]

    def connect(self, source: Port | str, destination: str) -> None:
        self._graph.connections.add((source if isinstance(source, str) else source.name, destination))


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graph:
    graph = Graph()
    monkeypatch.setattr(patchbay, "load_jack", lambda: graph)
    for name in (IN, OUT, SYNTH):
        graph.add(name)
    return graph


def connections_of(inputs: list[str], outputs: list[str], *, wait_for_ports: bool = False) -> SessionConnections:
    return SessionConnections("improviser", inputs, outputs, wait_for_ports=wait_for_ports, wake=lambda: None)


def with_connections(scene: Callable[[SessionConnections, Ledger], None]) -> None:
    """Call `scene` with the connections of a session whose engine has the ports `IN` and `OUT`."""

    async def run() -> None:
        connections = connections_of(["virtual"], ["virtual"])
        connections.join()
        connections.adopt_engine("improviser")
        try:
            scene(connections, Ledger(memoryview(bytearray(SIZE))))
        finally:
            connections.leave()

    asyncio.run(run())


def test_a_connection_that_jack_has_not_told_of_is_seen_and_gets_its_release(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        connections.look(ledger)
        assert connections.peers[1] == SYNTH
        graph.connections.clear()  # the engine is dead
        del graph.ports[OUT], graph.ports[IN]
        assert connections.release([RELEASE], lambda: None)

    with_connections(scene)
    assert (SYNTH, RELEASE) in graph.arrived


def test_a_wire_whose_cutting_jack_has_not_told_of_gets_its_release(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        connections.look(ledger)
        ledger.admit(NoteOn(0, 60, 80))
        connections.look(ledger)
        assert not graph.arrived
        graph.connections.clear()
        connections.look(ledger)
        arrived = list(graph.arrived)
        connections.look(ledger)
        assert graph.arrived == arrived  # it is parted once

    with_connections(scene)
    assert (SYNTH, RELEASE) in [(port, bytes((*message[:2], 0))) for port, message in graph.arrived]


@pytest.mark.parametrize("how", ["its engine dies", "its wire is cut"])
def test_a_destination_that_heard_nothing_of_a_release_gets_it_again(
    how: str, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a busy machine, whose JACK may call a synthesiser so late that it misses all of a release."""
    monkeypatch.setattr(session_connections, "AGAIN_SECONDS", (0.0, 0.0))
    lost: list[int] = []

    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        ledger.admit(NoteOn(0, 60, 80))
        connections.look(ledger)
        graph.connections.clear()
        if how == "its wire is cut":
            connections.look(ledger)
        else:
            del graph.ports[OUT], graph.ports[IN]
            connections.release([RELEASE], lambda: None)
        lost.append(len(graph.arrived))
        graph.arrived.clear()
        connections.release_again(Ledger(memoryview(bytearray(SIZE))))

    with_connections(scene)
    assert lost > [0]
    assert (SYNTH, RELEASE[:2]) in [(destination, message[:2]) for destination, message in graph.arrived]


def test_a_connection_of_our_output_with_our_input_is_never_made_again(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, IN))  # as an engine makes it to test itself
        connections.look(ledger)
        assert IN not in connections.peers[1]
        graph.connections.clear()
        assert connections.restore("improviser") == ()

    with_connections(scene)
    assert not graph.connections


def test_that_a_release_has_begun_is_told_in_the_loop(graph: Graph) -> None:
    async def run() -> None:
        begun = asyncio.Event()
        connections = connections_of(["virtual"], ["virtual"])
        connections.join()
        connections.adopt_engine("improviser")
        graph.connections.add((OUT, SYNTH))
        connections.look(Ledger(memoryview(bytearray(SIZE))))
        releasing = asyncio.ensure_future(asyncio.to_thread(connections.release, [RELEASE], begun.set))
        await asyncio.wait_for(begun.wait(), 20)
        assert graph.arrived == [(SYNTH, RELEASE)]  # once as yet: it goes on
        assert await releasing
        assert len(graph.arrived) > 1
        connections.leave()

    asyncio.run(run())


def play(ledger: Ledger, event: Event) -> None:
    for admitted in ledger.admit(event):
        ledger.sent(admitted)


def go_while_two_notes_sound(graph: Graph, connections: SessionConnections, ledger: Ledger) -> None:
    """Let the destination go that plays 60 and 64."""
    graph.connections.add((OUT, SYNTH))
    for pitch in (60, 64):
        play(ledger, NoteOn(0, pitch, 80))
    connections.look(ledger)
    graph.connections.clear()
    del graph.ports[SYNTH]
    connections.look(ledger)


def note_offs(graph: Graph) -> set[tuple[str, int]]:
    return {(port, message[1]) for port, message in graph.arrived if message[0] == 0x80}


def test_a_destination_that_was_gone_when_its_notes_ended_is_sent_their_end_when_it_is_back(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        go_while_two_notes_sound(graph, connections, ledger)
        play(ledger, NoteOff(0, 60))  # nobody hears it
        connections.look(ledger)
        assert not graph.arrived
        graph.add(SYNTH)
        connections.look(ledger)
        assert note_offs(graph) == {(SYNTH, 60)}  # the other one sounds on, and will be ended
        arrived = list(graph.arrived)
        connections.look(ledger)
        assert graph.arrived == arrived

    with_connections(scene)
    assert (OUT, SYNTH) in graph.connections


def test_what_ended_in_the_moment_in_which_a_destination_went_is_ended_there_too(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        play(ledger, NoteOn(0, 60, 80))
        connections.look(ledger)
        graph.connections.clear()
        del graph.ports[SYNTH]
        play(ledger, NoteOff(0, 60))
        connections.look(ledger)
        graph.add(SYNTH)
        connections.look(ledger)

    with_connections(scene)
    assert note_offs(graph) == {(SYNTH, 60)}


def test_what_ends_over_a_connection_of_pipewires_that_may_carry_nothing_yet_is_ended_again(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patchbay, "server_of", lambda _jack: PIPEWIRE)

    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        go_while_two_notes_sound(graph, connections, ledger)
        graph.add(SYNTH)
        connections.look(ledger)  # both still sound, and will be ended
        assert not note_offs(graph)
        play(ledger, NoteOff(0, 60))  # over the new connection
        connections.look(ledger)
        deadline = time.monotonic() + 20
        while not (due := connections.ends_due()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert {message[1] for message in due if message[0] == 0x80} == {60}

    with_connections(scene)


def test_a_destination_that_went_and_came_back_between_two_looks_is_connected_again(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        play(ledger, NoteOn(0, 60, 80))
        connections.look(ledger)
        graph.connections.clear()
        graph.registered(None, False)  # JACK knows no more who it was
        play(ledger, NoteOff(0, 60))
        graph.registered(graph.add(SYNTH), True)
        connections.look(ledger)

    with_connections(scene)
    assert (OUT, SYNTH) in graph.connections
    assert note_offs(graph) == {(SYNTH, 60)}


def test_an_engine_that_dies_while_a_destination_is_gone_leaves_nothing_ringing_there(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        connections.look(ledger)
        graph.connections.clear()
        del graph.ports[SYNTH]
        assert connections.release([RELEASE], lambda: None)
        assert not graph.arrived
        connections.restore("improviser")
        graph.add(SYNTH)
        connections.look(ledger)

    with_connections(scene)
    assert (SYNTH, RELEASE) in graph.arrived


def test_a_source_that_was_connected_and_cut_between_two_looks_is_unplugged_once(graph: Graph) -> None:
    def scene(connections: SessionConnections, _ledger: Ledger) -> None:
        graph.add("keys:out")
        graph.tell("keys:out", IN, connected=True)
        graph.tell("keys:out", IN, connected=False)
        assert connections.unplugged() == ((0, "keys:out"),)
        assert connections.unplugged() == ()
        graph.told(None, graph.ports[IN], False)  # JACK knows no more who it was
        assert connections.unplugged() == ((0, "a port that is gone"),)
        graph.tell(OUT, IN, connected=True)  # an engine tests itself
        graph.tell(OUT, IN, connected=False)
        assert connections.unplugged() == ()

    with_connections(scene)


def test_a_source_that_jack_tells_has_gone_is_unplugged_when_it_shows(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.add("keys:out")
        graph.connections.add(("keys:out", IN))
        assert connections.unplugged() == ()
        graph.tell("keys:out", IN, connected=False)
        assert connections.unplugged() == ()  # it may play on for as long as it shows
        graph.connections.clear()
        connections.look(ledger)
        assert connections.unplugged() == ((0, "keys:out"),)
        assert connections.unplugged() == ()

    with_connections(scene)


def test_what_ended_while_a_destination_was_cut_off_for_a_moment_is_ended_there_too(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        for pitch in (60, 64):
            play(ledger, NoteOn(0, pitch, 80))
        connections.look(ledger)
        graph.tell(OUT, SYNTH, connected=False)
        play(ledger, NoteOff(0, 60))  # nobody hears it
        graph.tell(OUT, SYNTH, connected=True)
        connections.look(ledger)

    with_connections(scene)
    assert note_offs(graph) == {(SYNTH, 60)}


def test_what_ended_right_after_a_wire_was_cut_is_ended_at_its_other_end(graph: Graph) -> None:
    def scene(connections: SessionConnections, ledger: Ledger) -> None:
        graph.connections.add((OUT, SYNTH))
        play(ledger, NoteOn(0, 60, 80))
        connections.look(ledger)
        graph.connections.clear()
        play(ledger, NoteOff(0, 60))
        connections.look(ledger)

    with_connections(scene)
    assert note_offs(graph) == {(SYNTH, 60)}


@pytest.mark.parametrize("choice", ["auto", "keystation"])
def test_a_keyboard_with_several_ports_behind_a_bridge_is_connected_by_its_first(graph: Graph, choice: str) -> None:
    keys = "a2j:Keystation 61 MK3 [24] (capture): Keystation 61 MK3 MIDI 1"
    for name in ("a2j:Midi Through [14] (capture): Midi Through Port-0", keys, keys.replace("MIDI 1", "MIDI 2")):
        graph.add(name).is_physical = True

    async def run() -> str:
        connections = connections_of([choice], ["virtual"])
        connections.join()
        connections.adopt_engine("improviser")
        connections.leave()
        return connections.peers[0]

    assert asyncio.run(run()) == keys
    assert (keys, IN) in graph.connections


ORGAN = "organ:in"


def test_each_of_several_outputs_is_connected_released_and_restored(graph: Graph) -> None:
    graph.add(ORGAN)

    async def run() -> None:
        connections = connections_of(["virtual"], ["synth", "organ"])
        connections.join()
        connections.adopt_engine("improviser")
        assert connections.peers[1] == f"{ORGAN}, {SYNTH}"
        graph.connections.clear()  # the engine is dead
        del graph.ports[OUT], graph.ports[IN]
        assert connections.release([RELEASE], lambda: None)
        assert {port for port, _ in graph.arrived} == {SYNTH, ORGAN}
        for name in (IN, OUT):
            graph.add(name)
        assert set(connections.restore("improviser")) == {SYNTH, ORGAN}
        connections.leave()

    asyncio.run(run())
    assert {pair for pair in graph.connections if pair[0] == OUT} == {(OUT, SYNTH), (OUT, ORGAN)}


def test_an_output_that_is_not_there_yet_is_connected_when_it_comes(graph: Graph) -> None:
    async def run() -> None:
        with pytest.raises(PortError, match="'organ'"):
            adopted(connections_of(["virtual"], ["synth", "organ"]))
        connections = adopted(connections_of(["virtual"], ["organ", "synth"], wait_for_ports=True))
        assert connections.peers[1] == SYNTH
        graph.add(ORGAN)
        connections._on_changed()
        connections.look(Ledger(memoryview(bytearray(SIZE))))
        assert connections.peers[1] == f"{ORGAN}, {SYNTH}"
        connections.leave()

    asyncio.run(run())


def test_auto_waits_for_a_device_beside_an_output_that_is_named(graph: Graph) -> None:
    async def run() -> None:
        connections = adopted(connections_of(["virtual"], ["auto", "synth"]))
        assert connections.peers[1] == SYNTH
        graph.add(ORGAN).is_physical = True
        connections._on_changed()
        connections.look(Ledger(memoryview(bytearray(SIZE))))
        assert connections.peers[1] == f"{ORGAN}, {SYNTH}"
        connections.leave()

    asyncio.run(run())


def adopted(connections: SessionConnections) -> SessionConnections:
    connections.join()
    connections.adopt_engine("improviser")
    return connections


def test_of_several_keyboards_auto_takes_none_and_says_how_to_take_them(
    graph: Graph, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("system:midi_capture_1", "system:midi_capture_2"):
        graph.add(name).is_physical = True

    async def run() -> None:
        connections = adopted(connections_of(["auto", "virtual"], ["virtual"]))
        assert connections.peers[0] == "virtual port improviser:in, virtual port improviser:in_2"
        connections.leave()

    with caplog.at_level("INFO", "improviser"):
        asyncio.run(run())
    assert '--input "system:midi_capture_1" --input "system:midi_capture_2"' in caplog.text
