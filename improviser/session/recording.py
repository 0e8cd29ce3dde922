"""The recording, started and stopped while one plays: by a key, or on the page."""

from improviser.engine.protocol import Renew
from improviser.engine.service import Service
from improviser.recordings.recorder import Recorder


def turn_recording(service: Service, recorder: Recorder, *, on: bool) -> str:
    """Start or stop the recording; return what is to be said of it.

    It starts with a performer that begins anew, so that it can be replayed.

    :raises OutputError: if it cannot be started.
    """
    if not on:
        recorder.stop()
        return f"recording ended; it is in {recorder.folder}"
    if not recorder.on:
        recorder.start()
        service.send(Renew())
    return f"recording from the next note on, in {recorder.folder}"
