"""JACK's connections: who is connected to our ports, remembered, restored, and reached when the engine is dead.

The engine's ports are `in` (`in_2` …) and `out` of a client that has the session's name (of several where RtMidi opens
them; JACK may add a suffix to each name). The daemon keeps a client of its own that has no ports and no process
callback, so it costs the audio graph nothing; through it the daemon learns of every connection the user makes, of ports
that get another name, and of the loss of the server.
"""

import contextlib
import os
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from improviser.core.addresses.devices import not_its_own_partner
from improviser.core.addresses.port_choice import AUTO, MOST_SHARED_NAME_BYTES, cut_name, pick
from improviser.errors import MidiSystemError
from improviser.ports.backends import JACK
from improviser.ports.cut_wires import GONE, CutWires
from improviser.ports.in_force import until_in_force
from improviser.ports.jack_choice import PIPEWIRE
from improviser.ports.jack_library import load_jack, server_of
from improviser.ports.jack_release import OUT, ReleaseClient
from improviser.ports.owed_releases import OwedReleases
from improviser.ports.pipewire_watch import ServerWatch

IN = "in"
CUT_SECONDS = 5.0
"""Longer than it takes to notice that an engine is dead or frozen."""
LOOKS = 5
LAST_WORD_SECONDS = 0.05
"""How long a callback that has begun may take to end before we leave: JACK cancels its thread (see `jack_sending`)."""
LONGEST_NAME = 48
"""Bytes of a session's name that go into the names of the daemon's clients; JACK has room for 63."""


@dataclass(slots=True)
class RememberedConnections:
    """The connections of the engine's ports that are to last, whichever engine and server it is.

    `peers` has an entry for each of the engine's ports, the inputs first.
    `absent` are the peers that were seen to go: when they come back, they are connected again. `cut` are the
    connections that are gone though both ends exist, and since when: cut by the user, or by an engine's death.
    `owed` is what destinations could not be sent while they were gone.
    """

    peers: dict[str, set[str]] = field(default_factory=lambda: {IN: set(), OUT: set()})
    absent: set[str] = field(default_factory=set)
    cut: dict[tuple[str, str], float] = field(default_factory=dict)
    owed: OwedReleases = field(default_factory=OwedReleases)

    def rename(self, old: str, new: str) -> None:
        """Know a peer by another name from now on."""
        for names in (*self.peers.values(), self.absent):
            if old in names:
                names.remove(old)
                names.add(new)
        self.owed.rename(old, new)
        for role, peer in list(self.cut):
            if peer == old:
                self.cut[role, new] = self.cut.pop((role, old))

    @property
    def all_peers(self) -> set[str]:
        """All that are connected to any of the engine's ports."""
        return set().union(*self.peers.values())

    def add(self, role: str, peer: str) -> None:
        """Keep `peer` connected to the engine's port `role` ("in", "in_2" … or "out") whenever both exist."""
        self.peers[role].add(peer)
        self.absent.add(peer)


@dataclass(frozen=True, slots=True)
class Parted:
    """The destinations that are there and were disconnected from the engine's output: those that are so `still`.

    `back` are those that are connected again.
    """

    still: frozenset[str] = frozenset()
    back: frozenset[str] = frozenset()


class Patchbay:
    """Connections of one engine's ports on a JACK server.

    :param name: the client name that the engine asks for.
    :param remembered: what is remembered; it outlives this object.
    :param changed: called, from a thread of JACK's, whenever ports or connections change.
    :param lost: called, from a thread of JACK's, when the server is gone.
    :raises MidiSystemError: if there is no server.
    """

    def __init__(
        self, name: str, remembered: RememberedConnections, changed: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        jack = load_jack()
        self.server = server_of(jack)
        """Which server this is, "jackd" or "PipeWire"; empty where there is no telling."""
        self._errors: tuple[type[Exception], ...] = (jack.JackError,)
        self._watch_over = ServerWatch(jack)
        short = cut_name(name, LONGEST_NAME)
        try:
            self._client: Any = jack.Client(f"{short}-patchbay", no_start_server=True)
        except jack.JackError as error:
            self._watch_over.close()
            raise MidiSystemError(f"no JACK server answers ({error}); start one, or choose another --api") from error
        self._releasing = ReleaseClient(jack, f"{short}-release", lambda: self.gone, in_advance=self.server != PIPEWIRE)
        self._name = cut_name(name, MOST_SHARED_NAME_BYTES)
        self._ports: dict[str, str] = {}
        self._earlier: set[str] = set()
        self._remembered = remembered
        self._wires = self._no_wires()
        self._watch(changed, lost)

    def _watch(self, changed: Callable[[], None], lost: Callable[[], None]) -> None:
        def registered(port: Any, _is_new: bool) -> None:
            # One that is new has come back, though the look may never have missed it; one that is gone may be unknown.
            if port is not None and port.name in self._remembered.all_peers:
                self._remembered.absent.add(port.name)
            changed()

        def connected(source: Any, destination: Any, are_now: bool) -> None:
            roles = {name: role for role, name in self._ports.items()}
            feeding, fed = (GONE if port is None else port.name for port in (source, destination))
            ours, hears = roles.get(feeding), roles.get(fed)
            if ours == OUT and hears is None:
                told(OUT, fed, are_now)
            elif hears is not None and hears != OUT and ours is None:
                told(hears, feeding, are_now)
            changed()

        def told(role: str, peer: str, are_now: bool) -> None:
            self._wires[role].tell(peer, connected=are_now)
            if are_now and peer != GONE:  # at once: the engine may die before the daemon finds time to look
                self._remembered.peers[role].add(peer)

        def renamed(_port: Any, old: str, new: str) -> None:
            self._remembered.rename(old, new)
            for wires in self._wires.values():
                wires.rename(old, new)
            for role, ours in self._ports.items():
                if ours == old:
                    self._ports[role] = new
            changed()

        self._client.set_shutdown_callback(lambda _status, _reason: lost())
        self._client.set_port_registration_callback(registered, only_available=False)
        self._client.set_port_connect_callback(connected, only_available=False)
        self._client.set_port_rename_callback(renamed, only_available=False)
        self._client.activate()

    @property
    def gone(self) -> bool:
        """Whether the server has ended without a word; one that tells of its end calls `lost`."""
        return self._watch_over.gone

    def expect(self) -> None:
        """Note the ports there are, so that those of an engine started from now on can be told from them."""
        self._ports = {}
        self._wires = self._no_wires()
        self._earlier = set(self._own_candidates())

    def _no_wires(self) -> dict[str, CutWires]:
        return {role: CutWires() for role in self._remembered.peers}

    def _own_candidates(self) -> list[str]:
        pattern = re.compile(re.escape(self._name) + r"(-\d+)?:(in(_\d+)?|out)")
        return [port.name for port in self._midi_ports() if pattern.fullmatch(port.name)]

    def adopt(self, client: str) -> None:
        """Take the ports of `client` as the engine's; of no name, those that have appeared since `expect`."""
        if client:
            self._ports = {role: f"{client}:{role}" for role in self._remembered.peers}
            return
        for name in self._own_candidates():
            if name not in self._earlier:
                self._ports[name.rsplit(":", 1)[1]] = name

    @property
    def ports(self) -> dict[str, str]:
        """The full names of the engine's ports, by "in", "in_2" … and "out"."""
        return dict(self._ports)

    def resolve(self, choice: str, direction: str, taken: Collection[str] = ()) -> str | None:
        """Return the port to connect to an input or output of the engine, or None for a virtual port.

        :param direction: "input" or "output", as the user sees it.
        :param taken: ports that other choices have taken.
        :raises PortError: if `choice` is a name that matches nothing.
        """
        hardware = self.devices(direction) if choice == AUTO else []
        return pick(choice, [port.name for port in self._others(direction)], hardware, direction, taken)

    def devices(self, direction: str) -> list[str]:
        """Return one port of each device that "auto" may take."""
        ports, partners = (
            [port for port in self._others(either) if port.is_physical]
            for either in ("input", "output")[:: 1 if direction == "input" else -1]
        )
        names, others = ([port.name for port in each] for each in (ports, partners))
        known_as, others_known_as = ([port.aliases for port in each] for each in (ports, partners))
        return not_its_own_partner(names, others, JACK, known_as, others_known_as)

    def _others(self, direction: str) -> list[Any]:
        ports = self._midi_ports(is_output=direction == "input", is_input=direction == "output")
        ours = set(self._ports.values())
        return [port for port in ports if port.name not in ours]

    def refresh(self, now: float) -> tuple[str, ...]:
        """Learn what the user has connected and cut, connect what has come back; return the peers of that.

        What is connected carries events by then, wherever JACK is not too late.

        A connection whose other end is gone is remembered until that comes back. One that is gone while both its ends
        exist was cut by the user, and is forgotten; but not at once, since JACK cuts a dying engine's connections
        before it removes its ports. Call again while `RememberedConnections.cut` holds anything.

        :param now: seconds, on any steady clock.
        """
        restored: list[tuple[str, str]] = []
        for role, ours in self._ports.items():
            connected = self._peers_of(ours)
            if connected is None:
                continue
            remembered = self._remembered.peers[role]
            remembered |= connected
            self._remembered.absent -= connected
            for peer in sorted(remembered):
                if peer in connected:
                    self._remembered.cut.pop((role, peer), None)
                elif not self._exists(peer):
                    self._remembered.absent.add(peer)
                    self._remembered.cut.pop((role, peer), None)  # nothing to wait for: it is gone, not cut
                elif peer not in self._remembered.absent:
                    self._forget_if_cut(role, peer, now)
                elif self._connect(role, ours, peer):
                    self._remembered.absent.discard(peer)
                    restored.append((ours, peer))
        until_in_force(lambda: all(map(self._is_in_force, restored)), lambda: self.gone)
        return tuple(peer for _, peer in restored)

    def _is_in_force(self, connection: tuple[str, str]) -> bool:
        """Say whether a port of ours is connected to a peer, as far as it is there at all."""
        ours, peer = connection
        shown = self._peers_of(ours)
        return shown is None or peer in shown

    def _forget_if_cut(self, role: str, peer: str, now: float) -> None:
        if now - self._remembered.cut.setdefault((role, peer), now) > CUT_SECONDS:
            del self._remembered.cut[role, peer]
            self._remembered.peers[role].discard(peer)

    def restore(self, now: float) -> tuple[str, ...]:
        """Connect a new engine's ports as the old one's were."""
        self._remembered.cut.clear()
        self._remembered.absent |= self._remembered.all_peers
        return self.refresh(now)

    def _peers_of(self, ours: str) -> set[str] | None:
        """Return the ports of others that ours is connected to; None if it is gone.

        A connection between our own ports is none to keep: a client tests itself by one, and it would be a loop.
        """
        # A port may go between being named and being looked at; then JACK-Client raises. Look again.
        for _ in range(LOOKS):
            if not self._exists(ours):
                return None
            with contextlib.suppress(*self._errors):
                return {port.name for port in self._client.get_all_connections(ours)} - set(self._ports.values())
        return None

    def _midi_ports(self, **flags: bool) -> list[Any]:
        for _ in range(LOOKS):
            with contextlib.suppress(*self._errors):
                return list(self._client.get_ports(is_midi=True, **flags))
        raise MidiSystemError("JACK does not say which ports there are; try again, or restart its server")

    def _exists(self, port: str) -> bool:
        try:
            self._client.get_port_by_name(port)
        except self._errors:
            return False
        return True

    def _connect(self, role: str, ours: str, peer: str) -> bool:
        source, destination = (ours, peer) if role == OUT else (peer, ours)
        try:
            self._client.connect(source, destination)
        except self._errors:
            return False
        return True

    def unplugged(self) -> tuple[tuple[int, str], ...]:
        """Return the sources that were connected to our inputs and no longer are, or that were cut off for a moment.

        Each has the number of its input, counted from 0, and is returned once. Asks nothing of the server, so it never
        waits. While jackd with `-S` stands still for a client that was killed, it shows that one's connections, which
        carry nothing then: its end shows, and is found, as soon as the others go on.
        """
        inputs = [role for role in self._remembered.peers if role != OUT]
        cut = [(number, peer) for number, role in enumerate(inputs) for peer in sorted(self._cut(role)[0])]
        return tuple(cut)

    def parted(self) -> Parted:
        """Return the destinations that were disconnected from the engine's output since this was asked last."""
        cut, shown = self._cut(OUT)
        return Parted(frozenset(peer for peer in cut - shown if self._exists(peer)), frozenset(cut & shown))

    def _cut(self, role: str) -> tuple[set[str], set[str]]:
        """Return who was cut off one of the engine's ports since the last look, and who is connected to it."""
        ours = self._ports.get(role)
        shown = self._peers_of(ours) if ours is not None else None
        return (set(), set()) if shown is None else (self._wires[role].look(shown), shown)

    def release(
        self,
        messages: Sequence[bytes],
        peers: Sequence[str] | None = None,
        begun: Callable[[], None] = lambda: None,
    ) -> list[str]:
        """Send `messages` to destinations that heard the engine (all, or `peers`) from a port of ours.

        Return who got them.

        :param begun: called as soon as they have left for the first time; they are sent several times.
        :raises MidiSystemError: if the server does not let us.
        """
        heard = sorted(self._remembered.peers[OUT]) if peers is None else peers
        present = [peer for peer in heard if self._exists(peer)]
        return self._releasing.release(present, messages, begun) if present and messages else []

    def close(self) -> None:
        """Leave the server; also after it is lost, and before a new one is joined."""
        with contextlib.suppress(*self._errors):
            self._client.deactivate()
        time.sleep(LAST_WORD_SECONDS)
        self._releasing.close()
        with contextlib.suppress(*self._errors):
            self._client.close()
        self._watch_over.close()
