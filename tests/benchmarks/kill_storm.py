"""Faults one after the other within seconds, on JACK: after each round a note is answered, and nothing of ours is left.

    python -m tests.benchmarks.kill_storm [--mode async] [--rounds 200] [--load 4] [--seed 1]

In a round, one to three faults come while a chord is held: the engine killed, the daemon stopped for 0.1 to 3 s,
another model, the keyboard killed, the synth killed, or both processes killed within half a second (then a new session
begins; what nobody was left to end is told apart).
After it, a chord is played and released; prints what did not hold: an answer, silence, no process too many, nothing of
ours in shared memory or among the temporary files. A keyboard or synth that JACK fails is said, too, and replaced.
"""

import argparse
import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.under_load import START_SECONDS, Load, Scene, connect, own_folders, server
from tests.jack_peer import JackPeer, JackPeerError
from tests.playing import Player, write_small_model
from tests.servers import JackServer

SHARED = Path("/dev/shm")  # noqa: S108  only looked at
MOST_FAULTS, MOST_GAP_SECONDS = 3, 0.8
SILENCE_SECONDS, SETTLED_SECONDS, LEAVE_SECONDS = 15.0, 2.0, 30.0
NAME = "improviser-storm"
TRIES, TRY_SECONDS = 5, 8.0


def ours_in_shared_memory() -> set[str]:
    """Return what lies in shared memory under the program's name."""
    return {path.name for path in SHARED.glob("improviser*")} if SHARED.is_dir() else set()


class Storm:
    """A session, and what happens to it; `fault` and `check` by turns."""

    def __init__(self, jack: JackServer, folder: Path, model: Path, chance: random.Random) -> None:
        self._jack, self._folder, self._model, self._chance = jack, folder, model, chance
        self._shared = ours_in_shared_memory()
        self._environment = {**jack.client_environment, **own_folders(folder)}
        self._sessions = self._peers = 0
        self.killed_both: list[tuple[str, float, bool]] = []
        """Which process was killed first, how long before the other, and whether notes were left."""
        self.on = Scene(self._begin(), self._peer("keys"), self._peer("synth"))
        self._settle()

    def _begin(self) -> Player:
        self._sessions += 1
        log = self._folder / f"play-{self._sessions}.log"
        options = ("--name", NAME, "--model", str(self._model), "--input", "virtual", "--output", "virtual")
        every = ("--follow", "every")  # of a chord, too, whichever model has come to play
        return Player(self._environment, log, *options, *every, "--no-record", "--display", keys=True)

    def _peer(self, kind: str) -> JackPeer:
        self._peers += 1  # JACK shows the ports of a killed client for a while: no other is called the same
        return JackPeer(self._jack.client_environment, f"storm-{kind}-{self._peers}")

    def _settle(self) -> None:
        self.on.player.wait_for("playing on", START_SECONDS)
        connect(NAME, self.on.keyboard, self.on.synth)

    @property
    def faults(self) -> dict[str, Callable[[], None]]:
        """What may happen, by name."""
        return {
            "engine": self._kill_engine,
            "stop": self._stop_daemon,
            "model": lambda: self.on.player.press("n"),
            "keyboard": self._kill_keyboard,
            "synth": self._kill_synth,
            "both": self._kill_both,
        }

    def _kill_engine(self) -> None:
        for pid in self.on.player.family():
            if pid != self.on.player.process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _stop_daemon(self) -> None:
        self.on.player.process.send_signal(signal.SIGSTOP)
        time.sleep(self._chance.uniform(0.1, 3.0))
        self.on.player.process.send_signal(signal.SIGCONT)

    def _kill_keyboard(self) -> None:
        self.on.keyboard.kill()
        self.on.keyboard = self._peer("keys")

    def _kill_synth(self) -> None:
        self.on.synth.kill()
        self.on.synth = self._peer("synth")

    def _kill_both(self) -> None:
        victims = [("engine", self._kill_engine), ("daemon", self.on.player.process.kill)]
        self._chance.shuffle(victims)
        between = self._chance.uniform(0.0, 0.5)
        victims[0][1]()
        time.sleep(between)
        victims[1][1]()
        self.on.player.process.wait()
        self.on.player.assert_gone()
        self.on.player.__exit__()
        silent = self.on.wait(lambda: not self.on.held(), SETTLED_SECONDS)
        self.killed_both.append((victims[0][0], between, not silent))
        self.on.synth.clear()  # nobody is there any more who could end it
        self.on.player = self._begin()

    def replace_peers(self) -> None:
        """Go on with another keyboard and another synth, because one did not do what it was asked to."""
        self.on.keyboard.kill()
        self.on.synth.kill()
        self.on.keyboard, self.on.synth = self._peer("keys"), self._peer("synth")

    def round(self) -> list[str]:
        """Hold a chord through some faults; return which."""
        self.on.hold_a_chord()
        names = self._chance.choices(sorted(self.faults), k=self._chance.randint(1, MOST_FAULTS))
        for name in names:
            self.faults[name]()
            time.sleep(self._chance.uniform(0.0, MOST_GAP_SECONDS))
        return names

    def check(self) -> list[str]:
        """Play a chord and release it; return what is wrong."""
        wrong = []
        for _ in range(TRIES):  # what was connected may have been an engine's that died, or has to die yet
            try:
                self._settle()
                self.on.hold_a_chord(TRY_SECONDS)
                break
            except TimeoutError:
                continue
        else:
            wrong.append("nothing is answered")
        end = time.monotonic() + SILENCE_SECONDS
        while self.on.held() and time.monotonic() < end:
            self.on.release()
            self.on.wait(lambda: not self.on.held(), 0.5)
        time.sleep(SETTLED_SECONDS)
        if left := self.on.held():
            wrong.append(f"sounds on: {sorted(left)}")
        if len(family := self.on.player.family()) > 2:  # a daemon and an engine
            wrong.append(f"processes: {family}")
        if left_behind := ours_in_shared_memory() - self._shared:
            wrong.append(f"in shared memory: {sorted(left_behind)}")
        if temporary := sorted(Path(self._environment["TMPDIR"]).iterdir()):
            wrong.append(f"temporary files: {temporary}")
        return wrong

    def end(self) -> int:
        """End the session; return its exit code."""
        code = self.on.player.leave(signal.SIGTERM, LEAVE_SECONDS)
        self.on.player.assert_gone()
        return code

    def close(self) -> None:
        """End everything, by force if need be."""
        self.on.player.__exit__()
        self.on.keyboard.kill()
        self.on.synth.kill()


def main() -> None:
    """Raise the storm, and print what did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=("async", "sync"), default="async")
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--load", type=int, default=2 * (os.cpu_count() or 1), help="busy processes, others counted in")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no round after so long")
    options = parser.parse_args()
    bad = done = failed = 0
    last = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as place, Load(options.load) as load:
        folder = Path(place)
        model = write_small_model(folder / "small.safetensors")
        with server(folder, options.mode, options.frames) as jack:
            storm = Storm(jack, folder, model, random.Random(options.seed))
            try:
                for number in range(options.rounds):
                    load.adjust()
                    if (start := time.monotonic()) > last:
                        break
                    done += 1
                    try:
                        names = storm.round()
                        wrong = storm.check()
                    except (JackPeerError, TimeoutError) as error:
                        failed += 1
                        print(f"{number:4} a peer, or what it waited for: {error}"[:2000], flush=True)
                        storm.replace_peers()
                        continue
                    bad += bool(wrong)
                    took = time.monotonic() - start
                    print(f"{number:4} {took:5.1f} s {','.join(names)}  {'; '.join(wrong) or 'right'}", flush=True)
                    if wrong:
                        print(storm.on.player.said()[-4000:], flush=True)
                print(f"exit code {storm.end()}")
                for first, between, left in storm.killed_both:
                    print(f"{first} killed, the other {between:.2f} s later: {'notes left' if left else 'silent'}")
            finally:
                storm.close()
    print(f"{done} rounds, {bad} not right, {failed} cut short by a peer; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
