"""Which wires were cut: none is missed, whatever comes first, what JACK tells or what it shows."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from improviser.ports.cut_wires import GONE, CutWires

PEERS = ("left", "right")
ACTIONS = st.lists(st.tuples(st.sampled_from(("connect", "cut", "show", "tell", "look")), st.sampled_from(PEERS)))


class Jack:
    """A JACK whose telling and showing lag behind what is."""

    def __init__(self) -> None:
        self.wires = CutWires()
        self.connected: set[str] = set()
        self.shown: frozenset[str] = frozenset()
        self.untold: deque[tuple[str, bool]] = deque()
        self.cut: set[str] = set()
        """What was cut, and has not been found since."""

    def act(self, action: str, peer: str) -> None:
        if action == "connect" and peer not in self.connected:
            self.connected.add(peer)
            self.untold.append((peer, True))
        elif action == "cut" and peer in self.connected:
            self.connected.remove(peer)
            self.untold.append((peer, False))
            self.cut.add(peer)
        elif action == "show":
            self.shown = frozenset(self.connected)
        elif action == "tell" and self.untold:
            told, connected = self.untold.popleft()
            self.wires.tell(told, connected=connected)

    def look(self) -> set[str]:
        found = self.wires.look(self.shown)
        self.cut -= found
        return found

    def settle(self) -> None:
        """Tell and show all there is."""
        while self.untold:
            self.act("tell", "")
        self.act("show", "")


@given(ACTIONS)
def test_every_cut_is_found_and_nothing_is_found_that_was_never_cut(actions: list[tuple[str, str]]) -> None:
    jack, ever_cut = Jack(), set[str]()
    for action, peer in actions:
        ever_cut |= jack.cut
        if action == "look":
            assert jack.look() <= ever_cut
        else:
            jack.act(action, peer)
    ever_cut |= jack.cut
    jack.settle()
    assert jack.look() <= ever_cut
    assert not jack.cut
    assert jack.look() == set()


def test_what_was_connected_and_cut_between_two_looks_is_found_once() -> None:
    jack = Jack()
    for action in ("connect", "cut", "tell", "tell", "show"):
        jack.act(action, "left")
    assert jack.look() == {"left"}
    assert jack.look() == set()


def connected() -> Jack:
    """Return a JACK on which `left` is connected, as was seen."""
    jack = Jack()
    for action in ("connect", "tell", "show"):
        jack.act(action, "left")
    assert jack.look() == set()
    return jack


def test_what_was_cut_and_connected_again_between_two_looks_is_found_once() -> None:
    jack = connected()
    for action in ("cut", "connect", "tell", "tell", "show"):
        jack.act(action, "left")
    assert jack.look() == {"left"}
    assert jack.look() == set()


def test_a_cut_that_is_told_of_is_found_when_it_shows_since_it_may_carry_until_then() -> None:
    jack = connected()
    for action in ("cut", "tell"):
        jack.act(action, "left")
    assert jack.look() == set()
    jack.act("show", "left")
    assert jack.look() == {"left"}


def test_a_cut_that_is_told_of_after_it_was_seen_is_found_once() -> None:
    jack = connected()
    for action in ("cut", "show"):
        jack.act(action, "left")
    assert jack.look() == {"left"}
    jack.act("tell", "left")
    assert jack.look() == set()
    for action in ("connect", "cut", "tell", "tell"):
        jack.act(action, "left")
    assert jack.look() == {"left"}


def test_a_cut_from_a_port_that_is_gone_is_found_with_the_name_it_had_if_that_is_known() -> None:
    wires = CutWires()
    wires.tell(GONE, connected=False)
    assert wires.look(frozenset()) == {GONE}
    wires.look(frozenset({"left"}))
    wires.tell(GONE, connected=False)
    assert wires.look(frozenset()) == {"left"}
    assert wires.look(frozenset()) == set()


def test_a_port_that_has_another_name_now_is_the_same() -> None:
    wires = CutWires()
    wires.look(frozenset({"left", "right"}))
    wires.rename("left", "Keys")
    assert wires.look(frozenset({"Keys", "right"})) == set()
    wires.tell("Keys", connected=False)
    wires.rename("Keys", "Piano")
    assert wires.look(frozenset({"right"})) == {"Piano"}
