"""The terms of whole chords, added up for the combinations that are asked for: fast, for one note.

What is read is what `Terms.of_chords` points at. Most depends on what sounded before, and on the key, alone: that is
added up before the note comes. What a combination is (its pitch classes, its bass, who stays, who moves, how it is
arranged) is put together from the bits of its voices.
"""

from dataclasses import dataclass

import numpy as np

from improviser.core.chorale.arrangement import MOVED, TURNS, VOICING_OF, VOICINGS, arranged
from improviser.core.chorale.terms import (
    BASS,
    BEATS,
    GAPS,
    LEAP,
    LEAPS,
    SOPRANO,
    VOICES,
    FloatArray,
    IntArray,
    Place,
    Terms,
)
from improviser.core.music.note import PITCHES

_LEAPS = np.clip(np.arange(-PITCHES, PITCHES), -LEAP, LEAP) + LEAP
_NO_LEAPS = np.zeros(PITCHES, np.int64)
_ROWS = PITCHES * np.arange(VOICES - 1)[:, None]
_SETS, _CHORDS = 4095, 65535
"""Of the bits of a chord, those of its set of degrees; and with the degree of the bass, which tells its type."""
_BASS_AT, _HELD_AT, _TUNE_AT, _LOWEST_AT = 12, 16, 19, 23
"""Where the others begin: the degree of the bass; which voices stay; the degree of the soprano, and the pitch of the
bass, where these are chosen."""
_DEGREES_AT, _MOVES_AT = 30, 46
_DEGREES = (1 << 4 * VOICES) - 1
_BASS_MOVE = 15
"""Of the bits of how all voices have moved, those of the bass."""
_DEGREE_AT = tuple(_DEGREES_AT + shift for shift in (12, 8, 4, 0))
"""Then follow the degrees of all voices, the soprano's in the highest bits; and how they have moved."""
_HOLDS = np.array([4, 2, 1]) << _HELD_AT
_ARRANGED = ("voicing", "voicing leap", *TURNS, "voicing AT leap")
"""Kinds that are added up by `arranged`."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is known of a chord's terms before the note comes that it answers, but for a guess of the key.

    :param changes: what the chord before makes of each chord, shape (12 · types,).
    :param sets: the numbers of sets of pitch classes, shape (4096,).
    :param earlier: the set that sounded before; None at the beginning.
    :param codes: what each pitch is in a chord, as bits that are put together, see `_all_codes`, shape (3 · n,).
    :param leaps: where the numbers of the bass's moves to each pitch begin, shape (128,).
    :param arranged: what is known of each voicing, by how the chord before was arranged and by the bass's move, see
        `arrangement.arranged`.
    """

    changes: FloatArray
    sets: FloatArray
    earlier: int | None
    codes: IntArray
    leaps: IntArray
    arranged: FloatArray


class ChordScores:
    """Knows the tables of whole chords.

    :param numbers: of all terms.
    :param pitches: the pitches that each of the three chosen voices may take, shape (3, n).
    """

    def __init__(self, terms: Terms, numbers: FloatArray, pitches: IntArray) -> None:
        self._terms = terms
        self._numbers = numbers
        self._pitches = pitches
        sets = np.arange(4096)
        types = [terms.type_of[(sets << 12 | sets) >> bass & 4095] + terms.count * bass for bass in range(12)]
        self._chord_of = np.concatenate(types)
        """The chord of each set of degrees, for each degree of the bass in turn."""
        self._rises = (np.arange(12) - np.arange(12)[:, None]) % 12
        self._degrees = (np.arange(PITCHES) - np.arange(12)[:, None]) % 12
        """Of each pitch, by the tonic."""
        self._codes, self._given_codes = self._all_codes()
        self._moves = MOVED[[*terms.others]] << _MOVES_AT
        self._moves[:, PITCHES] += _HOLDS
        """The bits of the moves, from −128 to 127 semitones, of each voice that is chosen, shape (3, 256)."""
        self._moves_from = PITCHES + 2 * PITCHES * np.arange(VOICES - 1)[:, None]
        """Where no move of each lies there, shape (3, 1)."""

    def _all_codes(self) -> tuple[IntArray, IntArray]:
        """Return what each pitch is in a chord, as bits, by the tonic: of each voice that is chosen, and of the given.

        Of shape (12, 3, 128) and (12, 128). What the voices' bits are together, the constants `_SETS` and so on say.
        """
        voice_given = self._terms.given
        given = 1 << self._degrees
        codes = np.repeat(given[:, None], VOICES - 1, axis=1)
        for number, voice in enumerate(self._terms.others):
            codes[:, number] |= self._degrees << _DEGREE_AT[voice]
        given |= self._degrees << _DEGREE_AT[voice_given]
        if voice_given != SOPRANO:
            codes[:, 0] |= self._degrees << _TUNE_AT
        if voice_given == BASS:
            given |= self._degrees << _BASS_AT
        else:
            codes[:, -1] |= self._degrees << _BASS_AT | np.arange(PITCHES) << _LOWEST_AT
        return codes, given

    def prepare(self, place: Place) -> Prepared:
        """Return what `of` needs to know of what sounded before, in a key.

        :param place: only its key, and what has sounded, matter.
        """
        terms, numbers, pitches = self._terms, self._numbers, self._pitches
        count, size, offset, before = terms.count, 12 * terms.count, terms.offset, place.before
        sets = numbers[offset["set"] + 4096 * place.minor :][:4096]
        codes = self._codes[place.tonic].take(pitches + _ROWS)
        mode, path = offset["mode"] + size * place.minor, offset["path"] + size * terms.path(place)
        known = numbers[path : path + size] + numbers[mode : mode + size]
        of_voicings = arranged({name: numbers[terms.slices[name]] for name in _ARRANGED}, before)
        if before is None:
            known += np.float32(sum(float(numbers[at]) for at in terms.nothing.values()))
            return Prepared(known, sets, None, codes.reshape(-1), _NO_LEAPS, of_voicings)
        earlier, earlier_type, earlier_bass = terms.chord_before(before, place.tonic)
        start = offset["change"] + size * (earlier_type + count * earlier_bass)
        changes = numbers[start : start + size] + known
        progress = numbers[terms.slices["progress"]][:-1].reshape(12, count, count)[:, earlier_type]
        changes += progress.take(self._rises[earlier_bass], axis=0).reshape(-1)
        leaps = _LEAPS[PITCHES - before[BASS] :][:PITCHES] + offset["bass"]
        leaps += LEAPS * self._degrees[place.tonic]
        steps = pitches + (self._moves_from - np.array([[before[voice]] for voice in terms.others]))
        codes += self._moves.take(steps)
        return Prepared(changes, sets, earlier, codes.reshape(-1), leaps, of_voicings)

    def of(self, known: Prepared, places: IntArray, chosen: IntArray, given: int, place: Place) -> FloatArray:
        """Return the sums of what `Terms.of_chords` points at, shape (chords,).

        :param known: what `prepare` has returned.
        :param places: where the pitches that each voice may have lie in `known.codes`, shape (3, k).
        :param chosen: which of all combinations of these are asked for, shape (chords,).
        :param given: the pitch of the voice that they are chosen to.
        """
        terms, numbers = self._terms, self._numbers
        offset, size, tonic, end, beat = terms.offset, 12 * terms.count, place.tonic, place.end, place.beat
        high, middle, low = known.codes.take(places)
        low |= int(self._given_codes[tonic, given])
        middle = middle[:, None] | low
        codes = (high[:, None, None] | middle).reshape(-1).take(chosen)
        sets = codes & _SETS
        chords = self._chord_of.take(codes & _CHORDS)
        values = known.changes + numbers[offset["chord"] + size * end :][:size]
        before = place.before
        for name, number in (("beat", beat), ("gap", place.gap), ("line", terms.line(given, place))):
            start = offset[name] + size * number
            values += numbers[start : start + size]
        tunes = numbers[offset["tune"] + 12 * size * place.minor :]
        scores: FloatArray
        if terms.given == SOPRANO:
            values += tunes[size * ((given - tonic) % 12) :][:size]
            scores = values.take(chords)
        else:
            scores = values.take(chords)
            scores += tunes.take(chords + size * (codes >> _TUNE_AT & 15))
        voicings = VOICING_OF.take(codes >> _DEGREES_AT & _DEGREES)
        if known.earlier is None or before is None:
            scores += known.arranged.take(voicings)
            scores += known.sets.take(sets)
            return scores
        changes, stays = numbers[offset["stays"] + 2 * (beat + BEATS * end) :][:2].tolist()
        of_sets = known.sets + np.float32(changes)
        of_sets[known.earlier] += np.float32(stays - changes)
        scores += of_sets.take(sets)
        rhythm = 8 * (beat + BEATS * (place.gap + GAPS * (given == before[terms.given])))
        held = numbers[offset["held"] + rhythm :][:8]
        scores += held.take(codes >> _HELD_AT & 7)
        moves = (codes >> _MOVES_AT) + int(MOVED[terms.given, PITCHES + given - before[terms.given]])
        voicings += VOICINGS * (moves & _BASS_MOVE)
        scores += known.arranged.take(voicings)
        scores += numbers[terms.slices["moves"]].take(moves)
        leaps = numbers.take(known.leaps + 12 * LEAPS * end)
        scores += leaps[given] if terms.given == BASS else leaps.take(codes >> _LOWEST_AT & 127)
        return scores
