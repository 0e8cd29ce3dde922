"""The left hand's chord that begins: what it will be once it is complete, as far as the chords before tell."""

from collections import OrderedDict, deque
from typing import Final, NamedTuple

from improviser.core.live.player.chords import Chord, Listener, Texture
from improviser.core.live.player.riffs import Recalled

SPANS = 4
"""Of so many chords of the left hand the widest says how far down the next may go."""
ORDER, PLACES = 2, 1024
"""What followed so many chords of the left hand is remembered, whatever the tune was; of so many places the latest."""
Chords = tuple[frozenset[int], ...]


class Followed(NamedTuple):
    """A chord of the left hand's: what it struck, and what it still held of the chord before."""

    struck: frozenset[int]
    stayed: frozenset[int]


class LeftChord:
    """Knows the left hand's last chords, and which followed which."""

    def __init__(self, listener: Listener) -> None:
        self._listener: Final = listener
        self._latest: frozenset[int] = frozenset()
        self._spans: deque[int] = deque(maxlen=SPANS)
        """How many semitones the last chords span."""
        self._lately: deque[frozenset[int]] = deque(maxlen=ORDER)
        self._following: OrderedDict[Chords, Followed] = OrderedDict()

    def learn(self, chord: Chord, sounding: frozenset[int]) -> None:
        """Take in a chord in which the left hand has a note; it is complete, and this sounds."""
        struck = frozenset(filter(self._listener.is_left, chord.pitches))
        for place in self._places():
            self._following[place] = Followed(struck, (sounding & self._latest) - struck)
            self._following.move_to_end(place)
        while len(self._following) > PLACES:
            self._following.popitem(last=False)
        self._lately.append(struck)
        self._latest = struck
        self._spans.append(max(struck) - min(struck))

    def _places(self) -> list[Chords]:
        """Return the last chords, as many as count, and fewer."""
        lately = tuple(self._lately)
        return [lately[start:] for start in range(len(lately))]

    def _coming(self, struck: frozenset[int]) -> Followed:
        """Return the chord that is expected, given the pitches of it that have been struck so far."""
        known = (self._following.get(place) for place in self._places())
        again = Followed(self._latest, frozenset())
        return next((chord for chord in known if chord is not None and chord.struck >= struck), again)

    def becomes_chord(self, struck: frozenset[int]) -> bool | None:
        """Say whether a chord is expected where these of its pitches are struck, or a single note, or octave.

        None if that is not known.
        """
        coming = self._coming(struck).struck
        return len({pitch % 12 for pitch in coming}) > 1 if coming >= struck else None

    def lowest(self, texture: Texture) -> int:
        """Return the lowest pitch that sounds, or will once the chord is complete; who plays octaves goes on to."""
        expected = self.expected(texture, None)
        octaves = any(len(chord) > 1 == len({pitch % 12 for pitch in chord}) for chord in self._lately)
        return min(expected.sounding) - octaves * expected.reach

    def expected(self, texture: Texture, recalled: Recalled | None) -> Texture:
        """Return what will sound once the chord that begins with a pitch is complete, as far as that can be foreseen.

        It goes on as it did the last time at this place, or as the left hand did, or else repeats its last chord.
        """
        chord = self._listener.chord
        if not texture.moves_left or chord is None:
            return texture
        struck = frozenset(filter(self._listener.is_left, chord.pitches))
        tune, (coming, stayed) = texture.tune, self._coming(struck)
        # Fingers may still hold notes of the last chord when they play the next; most do not belong to it.
        leaving = self._latest - struck - stayed if len(self._latest) > 1 else frozenset()
        staying = texture.sounding - leaving
        if recalled is not None and recalled.alike > 1:
            coming = frozenset(recalled.struck)
            tune = max([tune, *coming] if texture.moves_tune else coming)
            tune = texture.tune if self._listener.is_left(tune) else tune
        if not coming >= struck:
            reach = max(self._spans, default=0) - max(struck) + min(struck)
            return texture._replace(sounding=staying, reach=max(0, reach))
        return texture._replace(tune=tune, sounding=staying | coming, held=texture.held | coming)
