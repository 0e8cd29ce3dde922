"""JACK's connections: who is connected to our ports, remembered, restored, and reached when the engine is dead.

The engine's ports are `in` (`in_2` …) and `out` of a client that has the session's name (of several where RtMidi opens
them; JACK may add a suffix to each name). The daemon keeps a client of its own that has no ports and no process
callback, so it costs the audio graph nothing; through it the daemon learns of every connection the user makes, of ports
that get another name, and of the loss of the server.
"""

import contextlib
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from improviser.core.addresses.devices import not_its_own_partner
from improviser.core.addresses.port_choice import AUTO, MOST_SHARED_NAME_BYTES, cut_name, pick
from improviser.errors import MidiSystemError
from improviser.ports.backends import JACK
from improviser.ports.jack_choice import PIPEWIRE
from improviser.ports.jack_library import load_jack, server_of
from improviser.ports.jack_release import OUT, ReleaseClient
from improviser.ports.owed_releases import OwedReleases
from improviser.ports.pipewire_watch import ServerWatch

IN = "in"
CUT_SECONDS = 5.0
"""Longer than it takes to notice that an engine is dead or frozen."""
LOOKS = 5
LONGEST_NAME = 48
"""Bytes of a session's name that go into the names of the daemon's clients; JACK has room for 63."""


@dataclass(slots=True)
class RememberedConnections:
    """The connections of the engine's ports that are to last, whichever engine and server it is.

    `peers` has an entry for each of the engine's ports, the inputs first.
    `absent` are the peers that were seen to go: when they come back, they are connected again. `cut` are the
    connections that are gone though both ends exist, and since when: cut by the user, or by an engine's death.
    `parted` are the destinations whose connection has gone since the last look. `owed`
    is what destinations could not be sent while they were gone.
    """

    peers: dict[str, set[str]] = field(default_factory=lambda: {IN: set(), OUT: set()})
    absent: set[str] = field(default_factory=set)
    cut: dict[tuple[str, str], float] = field(default_factory=dict)
    parted: set[str] = field(default_factory=set)
    owed: OwedReleases = field(default_factory=OwedReleases)

    def rename(self, old: str, new: str) -> None:
        """Know a peer by another name from now on."""
        for names in (*self.peers.values(), self.absent, self.parted):
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
class Refreshed:
    """What a look at the connections found: peers connected again, and sources of our inputs that are no longer.

    Each of those has the number of its input, counted from 0.
    """

    restored: tuple[str, ...] = ()
    unplugged: tuple[tuple[int, str], ...] = ()


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
        self._feeding: dict[str, set[str]] = {}
        self._reached: set[str] = set()
        self._remembered = remembered
        self._watch(changed, lost)

    def _watch(self, changed: Callable[[], None], lost: Callable[[], None]) -> None:
        def registered(port: Any, is_new: bool) -> None:
            if not is_new and port.name in self._remembered.all_peers:
                self._remembered.absent.add(port.name)
            changed()

        def connected(source: Any, destination: Any, are_now: bool) -> None:
            roles = {name: role for role, name in self._ports.items()}
            if source is None or destination is None:  # it has gone meanwhile
                pass
            elif are_now:  # at once: the engine may die before the daemon finds time to look
                feeds, fed = roles.get(source.name), roles.get(destination.name)
                if feeds == OUT and fed is None:
                    self._remembered.peers[OUT].add(destination.name)
                    self._remembered.parted.discard(destination.name)
                elif fed is not None and fed != OUT and feeds is None:
                    self._remembered.peers[fed].add(source.name)
            elif roles.get(source.name) == OUT and destination.name not in roles:
                self._remembered.parted.add(destination.name)
            changed()

        def renamed(_port: Any, old: str, new: str) -> None:
            self._remembered.rename(old, new)
            for role, feeding in self._feeding.items():
                if old in feeding:
                    self._feeding[role] = (feeding - {old}) | {new}
            if old in self._reached:
                self._reached = (self._reached - {old}) | {new}
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
        self._feeding = {}
        self._reached = set()
        self._remembered.parted.clear()
        self._earlier = set(self._own_candidates())

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

    def refresh(self, now: float) -> Refreshed:
        """Learn what the user has connected and cut, connect what has come back.

        A connection whose other end is gone is remembered until that comes back. One that is gone while both its ends
        exist was cut by the user, and is forgotten; but not at once, since JACK cuts a dying engine's connections
        before it removes its ports. Call again while `RememberedConnections.cut` holds anything.

        :param now: seconds, on any steady clock.
        """
        restored: list[str] = []
        unplugged: list[tuple[int, str]] = []
        for role, ours in self._ports.items():
            connected = self._peers_of(ours)
            if connected is None:
                continue
            remembered = self._remembered.peers[role]
            remembered |= connected
            if role != OUT:
                gone = self._feeding.get(role, set()) - connected
                unplugged += [(list(self._remembered.peers).index(role), peer) for peer in sorted(gone)]
                self._feeding[role] = connected
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
                    restored.append(peer)
        return Refreshed(tuple(restored), tuple(unplugged))

    def _forget_if_cut(self, role: str, peer: str, now: float) -> None:
        if now - self._remembered.cut.setdefault((role, peer), now) > CUT_SECONDS:
            del self._remembered.cut[role, peer]
            self._remembered.peers[role].discard(peer)

    def restore(self, now: float) -> Refreshed:
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

    def parted(self) -> list[str]:
        """Return the destinations that are there, and have been disconnected from the engine's output.

        JACK tells of it before it shows it, or after, or (if it is busy) too late: so what was connected at the last
        look counts as well, and what it has told of is kept until it shows.
        """
        ours = self._ports.get(OUT)
        still = self._peers_of(ours) if ours is not None else None
        if still is None:
            return []
        parted = (self._remembered.parted | self._reached) - still
        self._remembered.parted -= parted
        self._reached = still
        return [peer for peer in sorted(parted) if self._exists(peer)]

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
        self._releasing.close()
        with contextlib.suppress(*self._errors):
            self._client.deactivate()
        with contextlib.suppress(*self._errors):
            self._client.close()
        self._watch_over.close()
