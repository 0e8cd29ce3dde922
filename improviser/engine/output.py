"""The engine's output: enters in the ledger what is sent, sends it, and follows it until it has surely arrived."""

import time
from collections.abc import Callable, Iterable, Sequence

from improviser.core.live.output.delivery import Delivery
from improviser.core.live.output.ledger import Ledger
from improviser.core.midi.codec import encode, events_of
from improviser.core.midi.event import Event, NoteOff, NoteOn
from improviser.ports.interface import Ports

ROUNDS, MOST_ROUNDS, CLEAN_ROUNDS = 6, 14, 3
"""How often the last release is sent: at least, at most, and how often in a row without a doubt. Of 100 sessions that
ended with notes held on a busy machine and an asynchronous JACK, one release left 12 ringing, six left none."""
ROUND_SECONDS = 0.07


class Output:
    """Sends events to open ports, and keeps `ledger` true to what may sound at the other end."""

    def __init__(self, ports: Ports, ledger: Ledger) -> None:
        self._ports = ports
        self._delivery = Delivery(ledger)

    def send_ahead(self, events: Iterable[Event]) -> list[bytes]:
        """Send events that are entered later, by `send`; whoever outlives us knows of them all the same."""
        messages = []
        for event in events:
            message = encode(event)
            self._delivery.ledger.expect(event)
            self._ports.send(message)
            messages.append(message)
        return messages

    def send(
        self,
        events: Iterable[Event],
        sent: Callable[[Event], None] = lambda _: None,
        ahead: Sequence[bytes] | None = None,
    ) -> list[bytes]:
        """Send events at once, `sent` hears of each; return them as they were sent.

        :param ahead: what was sent ahead for them. What of that should not have been is ended.
        """
        events = list(events)
        messages = []
        if ahead is not None and ahead != [encode(event) for event in events]:
            messages = self._take_back(ahead)
            ahead = None
        for event in events:
            message = encode(event)
            self._delivery.sends(event)
            if ahead is None:
                self._ports.send(message)
            sent(event)
            messages.append(message)
        if self._ports.receipts is None:
            self._delivery.finish()
        return messages

    def end_again(self, messages: Iterable[bytes]) -> None:
        """Send what ends notes once more, as it may not have arrived; but for ends of what sounds now."""
        sounding = {encode(event) for event in self._delivery.ledger.releases()}
        self.send(event for event in events_of(messages) if encode(event) not in sounding)

    def _take_back(self, ahead: Sequence[bytes]) -> list[bytes]:
        """End the notes that were sent ahead and should not have been; return all that was sent of them."""
        mistaken = events_of(ahead)
        for event in mistaken:
            self._delivery.sends(event)
        ends = [NoteOff(event.channel, event.pitch) for event in mistaken if isinstance(event, NoteOn)]
        return [*ahead, *self.send(ends)]

    def follow(self) -> bool:
        """Take in what has become of what was sent, send again what may be lost; return whether anything may be."""
        receipts = self._ports.receipts
        if receipts is None:
            return False
        while receipts.left:
            self._delivery.leaves(*receipts.left.popleft())
        in_doubt = bool(receipts.doubts)
        while receipts.doubts:
            self._delivery.doubts(receipts.doubts.popleft())
        for event in self._delivery.settle(time.perf_counter()):
            self._ports.send(encode(event))
        return in_doubt

    def end_all(self, beat: Callable[[], None]) -> None:
        """See to it that all that was ended is surely ended; `beat` shows that we live.

        Where messages are known to be lost, what may still sound stays in the ledger all the same, for whoever outlives
        us to release once more.
        """
        ledger = self._delivery.ledger
        sure = self._ports.receipts is None or self._ports.lost
        if not sure and not ledger.silent:
            releases = [encode(event) for event in ledger.releases()]
            time.sleep(ROUND_SECONDS)
            sure = not self.follow() and not self._ports.loses and not self._delivery.waiting
            rounds = clean = 0
            while not (sure or self._ports.lost) and (rounds < ROUNDS or clean < CLEAN_ROUNDS) and rounds < MOST_ROUNDS:
                for message in releases:
                    self._ports.send(message)
                time.sleep(ROUND_SECONDS)
                beat()
                rounds += 1
                clean = 0 if self.follow() else clean + 1
        if sure:
            self._delivery.finish()
