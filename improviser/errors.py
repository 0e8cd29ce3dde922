"""Every error a user can meet, as one tree.

::

    ImproviserError                 exit code 1
    ├── UserError                   exit code 2: the user's input or arguments are wrong
    │   ├── NoteError               a note or message outside MIDI's ranges (also a ValueError)
    │   ├── MidiFileError           a MIDI file that cannot be read, or holds no notes
    │   ├── ModelError              a model that cannot be found, read, trusted or used for this
    │   ├── CorpusError             a training source that gives nothing to learn from
    │   ├── ConfigError             an unknown key, or a value out of its range
    │   ├── PortError               no MIDI port of that name
    │   ├── LogError                a session's log that cannot be read or replayed
    │   └── OutputError             a file or folder that cannot be written
    ├── MidiSystemError             no MIDI system works here, or its server is lost
    │   └── NotServedError          the MIDI system lets us in, but does not serve us: try again
    ├── SessionError                no session plays under that name, or it does not answer
    └── EngineError                 the engine process could not be started or kept alive

A message is one line that says what, where, and what to do about it.
"""


class ImproviserError(Exception):
    """Root of all errors raised on purpose by this package."""

    exit_code = 1


class UserError(ImproviserError):
    """The user's input or arguments are wrong."""

    exit_code = 2


class NoteError(UserError, ValueError):
    """A note or message outside MIDI's ranges."""


class MidiFileError(UserError):
    """A MIDI file that cannot be read, or holds no notes."""


class ModelError(UserError):
    """A model that cannot be found, read, trusted, or used for what is asked."""


class CorpusError(UserError):
    """A training source that gives nothing to learn from."""


class ConfigError(UserError):
    """An unknown setting, or a value out of its range."""


class PortError(UserError):
    """No MIDI port of that name."""


class LogError(UserError):
    """A session's log that cannot be read or replayed."""


class OutputError(UserError):
    """A file or folder that cannot be written."""


class MidiSystemError(ImproviserError):
    """No MIDI system works here, or its server is lost."""


class NotServedError(MidiSystemError):
    """The MIDI system lets us in, but does not serve us; another try may have more luck."""


class SessionError(ImproviserError):
    """No session plays under that name, or it does not answer."""


class EngineError(ImproviserError):
    """The engine process could not be started or kept alive."""
