"""A piece of a corpus: its voices as notes, and what a score says beyond them."""

from collections.abc import Sequence
from dataclasses import dataclass

from improviser.core.music.note import Note

# A score has no tempo of its own here: it is played at 120 quarters a minute.
SECONDS_PER_QUARTER = 0.5


@dataclass(frozen=True, slots=True)
class ScoreContext:
    """What a score says about its top voice, beyond the notes.

    :param sharps: key signature, −7 (flats) to 7 (sharps).
    :param minor: whether the score calls its key minor.
    :param bar_quarters: for each note of the top voice, its distance from its bar line, in quarters.
    :param bar_length_quarters: for each note of the top voice, the length of a full bar there, in quarters.
    :param fermatas: for each note of the top voice, whether a fermata stands on it.
    """

    sharps: int
    minor: bool
    bar_quarters: tuple[float, ...]
    bar_length_quarters: tuple[float, ...]
    fermatas: tuple[bool, ...]

    @property
    def tonic(self) -> int:
        """Pitch class of the tonic, 0–11."""
        return (self.sharps * 7 + (9 if self.minor else 0)) % 12


@dataclass(frozen=True, slots=True)
class Piece:
    """Some voices that sound together, the top (or only) one first; each is monophonic and in order of onset.

    :param name: what to call it in a message.
    :param voices: the notes of each voice.
    :param voice_names: one name for each voice.
    :param context: what the score says, where there is one.
    :param inner: what sounds beside the voices, by onset: the other notes of chords.
    """

    name: str
    voices: tuple[Sequence[Note], ...]
    voice_names: tuple[str, ...]
    context: ScoreContext | None = None
    inner: Sequence[Note] = ()

    def voice(self, name: str) -> Sequence[Note] | None:
        """Return the notes of the voice called `name`, or None."""
        return self.voices[self.voice_names.index(name)] if name in self.voice_names else None


def sounding_at(
    notes: Sequence[Note], onsets_seconds: Sequence[float], *, tolerance_seconds: float
) -> list[int | None]:
    """Return the pitch of the voice `notes` that sounds at each of `onsets_seconds` (ascending), None for a rest.

    A note sounds from its onset up to, but not including, its end; onsets within the tolerance coincide.
    """
    sounding: list[int | None] = []
    last = -1
    for onset in onsets_seconds:
        while last + 1 < len(notes) and notes[last + 1].onset_seconds <= onset + tolerance_seconds:
            last += 1
        rests = last < 0 or notes[last].end_seconds <= onset + tolerance_seconds
        sounding.append(None if rests else notes[last].pitch)
    return sounding
