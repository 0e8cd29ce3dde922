"""The connections of a session on JACK: which ports the user chose, what is connected, where a dead engine was heard.

JACK's calls may take seconds (while a killed client holds up its server), so `SessionConnections` is used in a thread
of its own: by `Supervisor`, through `SerialExecutor`. Only `joined`, `lost` and `peers` are read from the event loop.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence, Set

from improviser.core.addresses.port_choice import AUTO, left_out, names_first, own_names
from improviser.core.live.output.ledger import Ledger
from improviser.core.midi.codec import encode
from improviser.errors import MidiSystemError, PortError
from improviser.ports.ends_again import EndsAgain
from improviser.ports.jack_choice import PIPEWIRE
from improviser.ports.jack_release import OUT
from improviser.ports.patchbay import IN, Patchbay, RememberedConnections

log = logging.getLogger("improviser")

AGAIN_SECONDS = (1.3, 4.0, 9.0)
"""How long after a release it is done once more. A client that dies within a period makes JACK lose events for a
second; on a busy machine a destination may hear nothing of a whole release."""


class SessionConnections:
    """Connections that outlive engines and servers; without JACK (not `joined`) there is nothing to do.

    :param inputs, outputs: "auto", "virtual", or a port's name or part of it: one for each of our inputs, and for each
        port that our output is connected to.
    :param wait_for_ports: whether a name may match nothing yet.
    :param wake: called in the event loop when something has changed, or the server is `lost`.
    """

    def __init__(
        self,
        client: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        *,
        wait_for_ports: bool,
        wake: Callable[[], None],
    ) -> None:
        self._lost = False
        self._changed = False
        self._client = client
        self._inputs = own_names(IN, len(inputs))
        choices = [*zip(self._inputs, inputs, strict=True), *((OUT, choice) for choice in outputs)]
        self._told: set[str] = set()
        self._awaited = [choices[number] for number in names_first([choice for _, choice in choices])]
        self._chosen: set[tuple[str, str]] = set()
        """What was chosen and has been found, each with the port of ours."""
        self._wait_for_ports = wait_for_ports
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._remembered = RememberedConnections({role: set() for role in (*self._inputs, OUT)})
        self._patchbay: Patchbay | None = None
        self._joined_before = ""
        self._again: list[tuple[float, Sequence[bytes], Sequence[str] | None]] = []
        """Releases that are done once more: when, what, and where (nothing: wherever our output is heard)."""
        self._ends_again = EndsAgain()

    @property
    def joined(self) -> bool:
        """Whether there is a server, as far as we know."""
        return self._patchbay is not None

    @property
    def lost(self) -> bool:
        """Whether the server is gone; it tells of its end, or is seen to have ended."""
        return self._lost or ((patchbay := self._patchbay) is not None and patchbay.gone)

    @property
    def server(self) -> str:
        """Which server of JACK's we are on, "jackd" or "PipeWire"; empty if on none, or there is no telling."""
        patchbay = self._patchbay
        return patchbay.server if patchbay is not None else ""

    @property
    def peers(self) -> tuple[str, str]:
        """What inputs and output are connected to, or the ports of ours that wait for a connection."""
        ours = self._patchbay.ports if self._patchbay is not None else {}
        *heard, played = (
            ", ".join(sorted(self._remembered.peers[role])) or f"virtual port {ours.get(role, role)}"
            for role in (*self._inputs, OUT)
        )
        return ", ".join(heard), played

    def join(self) -> None:
        """Join the server, anew if the old one was lost.

        :raises MidiSystemError: if there is none.
        """
        if self.lost:
            self.leave()
        if self._patchbay is None:
            self._lost = False
            self._patchbay = Patchbay(
                self._client, self._remembered, changed=self._tell(self._on_changed), lost=self._tell(self._on_lost)
            )
            if self._joined_before not in ("", self.server):
                log.info("JACK is %s now, where it was %s", self.server or "another", self._joined_before)
            self._joined_before = self.server

    def leave(self) -> None:
        """Leave the server."""
        if self._patchbay is not None:
            self._patchbay.close()
            self._patchbay = None

    def _tell(self, what: Callable[[], None]) -> Callable[[], None]:
        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may close while JACK still calls
                self._loop.call_soon_threadsafe(what)

        return tell

    def _on_changed(self) -> None:
        self._changed = True
        self._wake()

    def _on_lost(self) -> None:
        self._lost = True
        self._wake()

    def expect_engine(self) -> None:
        """Prepare for an engine that is started next: its ports are those that are new."""
        if self._patchbay is not None:
            self._patchbay.expect()

    def adopt_engine(self, client: str) -> None:
        """Take the new ports (those of `client`, if it has a name) as the engine's, and connect what the user chose.

        :raises PortError: if a name matches nothing and is not to be waited for.
        """
        if self._patchbay is not None:
            self._patchbay.adopt(client)
            self._connect_chosen(self._patchbay)
            self._patchbay.refresh(self._loop.time())

    def _connect_chosen(self, patchbay: Patchbay) -> None:
        for awaited in list(self._awaited):
            role, choice = awaited
            direction = "output" if role == OUT else "input"
            taken = {peer for other, peer in self._chosen if (other == OUT) == (role == OUT)}
            try:
                peer = patchbay.resolve(choice, direction, taken)
            except PortError:
                if not self._wait_for_ports:
                    raise
                continue
            if peer is not None:
                self._remembered.add(role, peer)
                self._chosen.add((role, peer))
            elif choice == AUTO and direction not in self._told:
                self._say_what_there_is(patchbay, direction, taken)
            # With "auto", a device may be plugged in later; unless the user has connected something by then.
            by_hand = any((role, other) not in self._chosen for other in self._remembered.peers[role])
            if peer is not None or choice != AUTO or by_hand:
                self._awaited.remove(awaited)

    def _say_what_there_is(self, patchbay: Patchbay, direction: str, taken: Collection[str]) -> None:
        """Say once between which devices "auto" could not choose."""
        if (line := left_out([AUTO], taken, patchbay.devices(direction), direction)) is not None:
            self._told.add(direction)
            log.info("%s", line)

    def unplugged(self) -> tuple[tuple[int, str], ...]:
        """Return the sources that were unplugged since the last time, each with the number of its input.

        By itself, and before anything else that is done at a look: all else may fail, or wait for JACK.
        """
        return self._patchbay.unplugged() if self._patchbay is not None else ()

    def look(self, ledger: Ledger) -> None:
        """Take in what has changed, and connect what has come back.

        Connections are looked at whether JACK has told of a change or not: on a busy machine it tells of one so late
        that the engine may have died by then, and nobody can say any more who heard it.
        Destinations that were disconnected from an engine that lives get the end of what sounds, by its `ledger`.
        """
        if self._patchbay is None:
            return
        sounding = _releases(ledger)
        self._remembered.owed.sounded([encode(event) for event in ledger.take_lately()], self._loop.time())
        parted = self._patchbay.parted()
        self._release_parted(self._patchbay, parted.still)
        try:
            self._connect_what_was_awaited(self._patchbay)
        finally:  # what was taken off the ledger is not to be lost
            restored = self._patchbay.refresh(self._loop.time())
            for peer in restored:
                log.info("connected to %s", peer)
            self._release_returned(self._patchbay, parted.back.union(restored), sounding)
            self._repeat_what_ends_over_new_connections(restored, sounding)

    def _connect_what_was_awaited(self, patchbay: Patchbay) -> None:
        if self._changed:
            self._changed = False  # first: what changes from here on is for the next look
            try:
                self._connect_chosen(patchbay)
            except MidiSystemError:
                self._changed = True
                raise

    def _release_returned(self, patchbay: Patchbay, back: Set[str], sounding: Sequence[bytes]) -> None:
        """Send destinations that have come back the end of what they may still play from before."""
        destinations = self._remembered.peers[OUT]
        absent = destinations & self._remembered.absent
        self._remembered.owed.look(absent, destinations & back)
        for peer, messages in self._remembered.owed.due(destinations - absent, sounding).items():
            try:
                reached = patchbay.release(messages, [peer])
            except MidiSystemError as error:
                log.debug("not yet: %s", error)
                reached = []
            if reached:
                self._keep_for_later(messages)
            else:
                self._remembered.owed.owe([peer], messages)

    def _repeat_what_ends_over_new_connections(self, restored: Sequence[str], sounding: Sequence[bytes]) -> None:
        """Have the engine send again what it ends while a restored connection may carry nothing yet."""
        if self.server == PIPEWIRE:
            if restored:
                self._ends_again.connect(self._loop.time())
            ended = [end for end in self._remembered.owed.ends if end not in sounding]
            self._ends_again.end(ended, self._loop.time())

    def _release_parted(self, patchbay: Patchbay, parted: Set[str]) -> None:
        """Send destinations that were disconnected the end of what they heard last: it may have ended since."""
        releases = self._remembered.owed.ends
        if parted and releases:
            with contextlib.suppress(MidiSystemError):
                reached = patchbay.release(releases, sorted(parted))
                log.info("disconnected while notes sounded: released at %s", ", ".join(reached))
            self._keep_to_do_again(releases, sorted(parted))

    def restore(self, client: str) -> tuple[str, ...]:
        """Connect a new engine's ports as the old one's were; return the peers that are there."""
        if self._patchbay is None:
            return ()
        self._patchbay.adopt(client)
        return self._patchbay.restore(self._loop.time())

    def release(self, messages: list[bytes], begun: Callable[[], None]) -> bool:
        """Send what ends a dead engine's notes to all that heard it; return whether that was possible.

        :param begun: called in the event loop when they have left for the first time.
        """
        if self._patchbay is None or self.lost:
            return False
        try:
            reached = self._patchbay.release(messages, begun=self._tell(begun))
        except MidiSystemError as error:
            log.warning("%s", error)
            return False
        log.info("released what was sounding at %s", ", ".join(reached) or "nobody: nothing was connected")
        self._remembered.owed.owe(self._remembered.peers[OUT].difference(reached), messages)
        self._keep_to_do_again(messages)
        self._keep_for_later(messages)
        return True

    def _keep_to_do_again(self, messages: Sequence[bytes], peers: Sequence[str] | None = None) -> None:
        now = self._loop.time()
        self._again += [(now + seconds, messages, peers) for seconds in AGAIN_SECONDS]

    def _keep_for_later(self, messages: Sequence[bytes]) -> None:
        """Have what ends notes sent again where a new connection may carry nothing for a while."""
        if self.server == PIPEWIRE:
            self._ends_again.add(messages, self._loop.time())

    def ends_due(self) -> list[bytes]:
        """Return what ends notes and is to be sent once more now, by the engine: its connections are there to last."""
        return self._ends_again.due(self._loop.time())

    def release_again(self, ledger: Ledger) -> None:
        """Release once more what is due; what the new engine plays by now, which is in its `ledger`, is spared."""
        now, patchbay = self._loop.time(), self._patchbay
        due = [again for again in self._again if again[0] <= now]
        self._again = [again for again in self._again if again[0] > now]
        if not due or patchbay is None:
            return
        spared = _releases(ledger)
        for _, messages, peers in due:
            with contextlib.suppress(MidiSystemError):
                patchbay.release([message for message in messages if message not in spared], peers)


def _releases(ledger: Ledger) -> list[bytes]:
    """Return what ends all that sounds by a ledger."""
    return [] if ledger.silent else [encode(event) for event in ledger.releases()]
