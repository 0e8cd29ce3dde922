"""The engine's process: started by the supervisor as `python -m improviser.engine LEDGER`.

LEDGER tells of memory that both share. Commands come in on stdin, reports go out on stdout (see `protocol`). When stdin
ends, the supervisor is gone: the engine ends all that sounds and leaves. Whatever else ends it, the ledger tells the
supervisor what to release.
"""

import gc
import os
import signal
import sys
import threading
from types import FrameType

import msgspec

from improviser.core.live.output.ledger import SIZE, Ledger
from improviser.engine.note_path import Engine
from improviser.engine.priority import go_first
from improviser.engine.protocol import (
    HEARTBEAT,
    READ_BYTES,
    AnyCommand,
    Failed,
    FrameReader,
    Open,
    Reporter,
    await_opening,
    decode_command,
)
from improviser.engine.shared_memory import attach
from improviser.engine.timer import fine_timer
from improviser.errors import EngineError, ImproviserError
from improviser.library import catalogue
from improviser.signals import pass_over_interrupts

SHARED_BYTES = SIZE + HEARTBEAT.size
DRAIN_SECONDS = 10.0
"""On a busy machine the daemon has taken nothing for over a second. How long it waits for us it decides itself."""
SWITCH_SECONDS = 0.00005
"""How long a thread may keep the others from running Python: the backend's must get in, in every period of JACK."""


def take_commands(engine: Engine, reader: FrameReader) -> None:
    """Obey what comes in on stdin until it ends."""
    try:
        while data := os.read(sys.stdin.fileno(), READ_BYTES):
            for body in reader.feed(data):
                engine.obey(decode_command(body))
    except (OSError, ValueError, msgspec.MsgspecError, ImproviserError) as error:
        engine.fault = error
    finally:
        engine.stop()


def serve(opening: Open, reader: FrameReader, early: list[AnyCommand], reporter: Reporter, shared: memoryview) -> None:
    """Open the ports, report, and play until told to stop.

    :raises ImproviserError: if models or ports cannot be opened.
    """
    ledger = Ledger(shared[:SIZE])
    ledger.clear()
    engine = Engine(opening, ledger, reporter)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        engine.stop()

    signal.signal(signal.SIGTERM, stop)
    engine.release()
    catalogue.import_all()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.disable()  # the note path makes no cycles; a collection would be a pause of milliseconds
    engine.start(early)
    threading.Thread(target=take_commands, args=(engine, reader), name="commands", daemon=True).start()
    go_first()
    engine.run(shared[SIZE:SHARED_BYTES])


def main() -> int:
    """Run the engine; return its exit code."""
    pass_over_interrupts()
    # Libraries print on stdout at will: keep the pipe for ourselves and send them to stderr.
    reporter = Reporter(os.dup(1))
    os.dup2(2, 1)
    reader = FrameReader()
    try:
        shared = attach(sys.argv[1], SHARED_BYTES)
        opening, early = await_opening(reader, sys.stdin.fileno())
        with fine_timer():
            serve(opening, reader, early, reporter, shared)
    except ImproviserError as error:
        reporter.send(Failed(type(error).__name__, str(error)))
        return 1
    except Exception as error:  # the daemon logs the traceback from stderr, and needs to be told in one line
        reporter.send(Failed(EngineError.__name__, f"the engine failed: {type(error).__name__}: {error}"))
        raise
    finally:
        reporter.drain(DRAIN_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
