"""Mutation and crossover as musicians know them: each makes another line of one, or of two, and never fails.

Those of `PITCHES` leave the rhythm as it is; those of `RHYTHMS` change how many notes there are, or how long they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from improviser.core.replies.brief import Brief
from improviser.core.replies.dice import Dice
from improviser.core.replies.line import LONGEST_GAP, SHORTEST_GAP, Line, Touch

Operator = Callable[[Line, Brief, Dice], Line]

FRAGMENT = (3, 6)
"""Notes of a fragment, or of a motif."""
MOVES = (-4, -3, -2, -1, 1, 2, 3, 4)
SEQUENCES = (-2, -1, -1, 1, 1, 2)
"""Steps of the ladder by which a line, and by which a repetition of a fragment, is moved."""
JOINED = 5
"""Semitones: what is put behind something else begins no farther away, by octaves."""


def transposed(line: Line, brief: Brief, dice: Dice) -> Line:
    """Move the line in its scale."""
    steps = dice.choice(MOVES)
    return line.sung([brief.ladder.moved(pitch, steps) for pitch in line.pitches])


def inverted(line: Line, brief: Brief, dice: Dice) -> Line:
    """Turn the line, or the end of it, upside down in its scale."""
    ladder, start = brief.ladder, dice.below(max(1, len(line) - 2))
    axis = ladder.place(line.pitches[start])
    turned = [ladder.at(2 * axis - ladder.place(pitch)) for pitch in line.pitches[start:]]
    return line.sung((*line.pitches[:start], *turned))


def backwards(line: Line, brief: Brief, dice: Dice) -> Line:  # noqa: ARG001
    """Play the line's pitches, or a part of them, from the end."""
    start, end = _part(line, dice)
    return line.sung((*line.pitches[:start], *line.pitches[start:end][::-1], *line.pitches[end:]))


def sequenced(line: Line, brief: Brief, dice: Dice) -> Line:
    """Repeat a fragment, moved in its scale, in place of what follows it."""
    start, end = _part(line, dice)
    fragment, steps = line.pitches[start:end], dice.choice(SEQUENCES)
    pitches = list(line.pitches[:end])
    for again in range(1, 3):
        pitches += [brief.ladder.moved(pitch, again * steps) for pitch in fragment]
    keep = min(len(line), end + (end - start) * dice.within(1, 2))
    return line.sung((*pitches[:keep], *line.pitches[keep:])) if len(pitches) >= keep else line


def nudged(line: Line, brief: Brief, dice: Dice) -> Line:
    """Move one note a step or two."""
    place, steps = dice.below(len(line)), dice.choice((-2, -1, 1, 2))
    pitches = list(line.pitches)
    pitches[place] = brief.ladder.moved(pitches[place], steps)
    return line.sung(pitches)


def recalled(line: Line, brief: Brief, dice: Dice) -> Line:
    """Put a motif of the player's, from anywhere in the session, in the place of some notes, in a key that fits."""
    motif = some_motif(brief, dice)
    place = dice.below(max(1, len(line) - len(motif) + 1))
    motif = motif[: len(line) - place]
    before = line.pitches[place - 1] if place else line.pitches[0]
    pitches = fitted(motif, before, brief, dice)
    return line.sung((*line.pitches[:place], *pitches, *line.pitches[place + len(pitches) :]))


def chained(line: Line, brief: Brief, dice: Dice) -> Line:
    """Put a motif of the player's in the place of some notes, and once more from where it has come to."""
    motif = some_motif(brief, dice)
    place = dice.below(max(1, len(line) - 2 * len(motif) + 2))
    before = line.pitches[place - 1] if place else line.pitches[0]
    pitches = list(fitted(motif, before, brief, dice))
    for _ in range(dice.within(1, 3)):
        pitches += [pitches[-1] + pitch - motif[0] for pitch in motif[1:]]
    pitches = pitches[: len(line) - place]
    return line.sung((*line.pitches[:place], *pitches, *line.pitches[place + len(pitches) :]))


def continued(line: Line, brief: Brief, dice: Dice) -> Line:
    """Go on from some note as the player went on after the same intervals."""
    place = dice.within(1, len(line) - 1) if len(line) > 1 else len(line)
    pitches = list(line.pitches[:place])
    go_on(pitches, len(line) - place, brief, dice)
    return line.sung(pitches)


def homed(line: Line, brief: Brief, dice: Dice) -> Line:
    """End on the goal, by step."""
    pitches = list(line.pitches)
    pitches[-1] = brief.goal
    for back in range(2, min(len(pitches), dice.within(1, 4)) + 1):
        side = 1 if pitches[-back] >= pitches[-back + 1] else -1
        pitches[-back] = brief.ladder.moved(pitches[-back + 1], side)
    return line.sung(pitches)


def octaved(line: Line, brief: Brief, dice: Dice) -> Line:
    """Move the line, or the end of it, by an octave towards where it is to move."""
    start = dice.below(len(line)) if dice.random() < 0.5 else 0
    rest = line.pitches[start:]
    shift = 12 if sum(rest) / len(rest) < brief.centre else -12
    return line.sung((*line.pitches[:start], *(pitch + shift for pitch in rest)))


def fragmented(line: Line, brief: Brief, dice: Dice) -> Line:
    """Keep a part of the line alone."""
    size = dice.within(min(brief.fewest, len(line)), len(line))
    start = dice.below(len(line) - size + 1)
    return line.part(start, start + size)


def extended(line: Line, brief: Brief, dice: Dice) -> Line:
    """Go on behind the end, in the rhythm of a part of the line."""
    size = min(dice.within(1, 6), brief.most - len(line))
    if size < 1:
        return line
    start = dice.below(len(line))
    touches = [line.touches[(start + place) % len(line)] for place in range(size)]
    pitches = list(line.pitches)
    go_on(pitches, size, brief, dice)
    return Line(tuple(pitches), (*line.touches, *touches))


def displaced(line: Line, brief: Brief, dice: Dice) -> Line:  # noqa: ARG001
    """Begin the rhythm at another of its notes: the accents fall elsewhere."""
    if len(line) < 3:
        return line
    shift = dice.within(1, min(3, len(line) - 2))
    inner = line.touches[:-1]
    return Line(line.pitches, (*inner[shift:], *inner[:shift], line.touches[-1]))


def diminished(line: Line, brief: Brief, dice: Dice) -> Line:  # noqa: ARG001
    """Play a part of the line twice as fast, and then wait for as long as that saves, or not."""
    start, end = _part(line, dice)
    quick = [touch.scaled(0.5) for touch in line.touches[start:end]]
    if dice.random() < 0.5:
        saved = sum(touch.gap_seconds for touch in line.touches[start:end]) - sum(touch.gap_seconds for touch in quick)
        quick[-1] = replace(quick[-1], gap_seconds=min(LONGEST_GAP, quick[-1].gap_seconds + saved))
    return Line(line.pitches, (*line.touches[:start], *quick, *line.touches[end:]))


def augmented(line: Line, brief: Brief, dice: Dice) -> Line:  # noqa: ARG001
    """Play a part of the line half as fast."""
    start, end = _part(line, dice)
    slow = [touch.scaled(2.0) for touch in line.touches[start:end]]
    return Line(line.pitches, (*line.touches[:start], *slow, *line.touches[end:]))


def ornamented(line: Line, brief: Brief, dice: Dice) -> Line:
    """Divide a long note: itself, its neighbour, and perhaps itself again."""
    place = max(range(len(line)), key=lambda each: line.touches[each].gap_seconds * (0.5 + dice.random()))
    touch, parts = line.touches[place], dice.within(2, 3)
    if touch.gap_seconds < 2 * parts * SHORTEST_GAP or len(line) + parts - 1 > brief.most:
        return line
    pitch, steps = line.pitches[place], dice.choice((-1, 1))
    pitches = (pitch, brief.ladder.moved(pitch, steps), pitch)[:parts]
    short = touch.scaled(1 / parts)
    return Line(
        (*line.pitches[:place], *pitches, *line.pitches[place + 1 :]),
        (*line.touches[:place], *[short] * parts, *line.touches[place + 1 :]),
    )


def simplified(line: Line, brief: Brief, dice: Dice) -> Line:
    """Leave a note out; the one before is longer."""
    if len(line) <= max(2, brief.fewest):
        return line
    place = dice.within(1, len(line) - 2) if len(line) > 2 else 1
    before, gone = line.touches[place - 1], line.touches[place]
    longer = replace(before, gap_seconds=min(LONGEST_GAP, before.gap_seconds + gone.gap_seconds))
    return Line(
        line.pitches[:place] + line.pitches[place + 1 :],
        (*line.touches[: place - 1], longer, *line.touches[place + 1 :]),
    )


def rested(line: Line, brief: Brief, dice: Dice) -> Line:  # noqa: ARG001
    """Breathe within the line, or stay on its last note."""
    place = len(line) - 1 if dice.random() < 0.5 else dice.below(len(line))
    touch = line.touches[place]
    longer = (
        touch.scaled(2.0)
        if place == len(line) - 1
        else replace(touch, gap_seconds=min(LONGEST_GAP, 2 * touch.gap_seconds))
    )
    return Line(line.pitches, (*line.touches[:place], longer, *line.touches[place + 1 :]))


def borrowed(line: Line, brief: Brief, dice: Dice) -> Line:
    """Take the rhythm of another phrase of the player's, as far as the two go together."""
    other = dice.choice(brief.known.vocabulary.phrases)
    size = min(len(line), len(other))
    return Line(line.pitches, (*other.touches[:size], *line.touches[size:]))


def crossed(line: Line, other: Line, brief: Brief, dice: Dice) -> Line:
    """Go on from a place of one line with the end of another, moved in the scale so that the two join."""
    if brief.keeps_rhythm:
        place = dice.below(len(line))
        tail = other.pitches[place:]
        return line.sung((*line.pitches[:place], *_joined(line.pitches[:place], tail, brief, dice)))
    start, place = dice.below(len(line)) + 1, dice.below(len(other))
    head, end = line.part(0, start), other.part(place, len(other))
    return head.then(end.sung(_joined(head.pitches, end.pitches, brief, dice)))


def _joined(head: Sequence[int], tail: Sequence[int], brief: Brief, dice: Dice) -> list[int]:
    """Return a tail moved to where it goes on from a head: in its own key if that is near, or along the ladder."""
    if not head or not tail:
        return list(tail)
    octaves = 12 * round((head[-1] - tail[0]) / 12)
    moved = [pitch + octaves for pitch in tail]
    if abs(moved[0] - head[-1]) <= JOINED and dice.random() < 0.7:
        return moved
    ladder = brief.ladder
    steps = ladder.place(head[-1]) - ladder.place(tail[0]) + dice.within(-2, 2)
    return [ladder.moved(pitch, steps) for pitch in tail]


def some_motif(brief: Brief, dice: Dice) -> tuple[int, ...]:
    """Return the pitches of a few notes of the player's that came together, or of all there are."""
    phrases = brief.known.vocabulary.phrases
    said = [pitch for phrase in phrases for pitch in phrase.pitches] if dice.random() < 0.2 else []
    if not said:
        said = list(dice.choice(phrases).pitches)
        if len(said) < FRAGMENT[0]:
            said = [pitch for phrase in phrases for pitch in phrase.pitches]
    size = min(len(said), dice.within(*FRAGMENT))
    start = dice.below(len(said) - size + 1)
    return tuple(said[start : start + size])


def fitted(motif: Sequence[int], before: int, brief: Brief, dice: Dice) -> list[int]:
    """Return a motif moved to near a pitch: by a distance that keeps its intervals, and all of it in the scale.

    Where there is none, along the scale.
    """
    ladder = brief.ladder
    aim = before - motif[0] + dice.within(-4, 4)
    for far in range(13):
        for shift in (aim - far, aim + far) if far else (aim,):
            if all(ladder.holds(pitch + shift) for pitch in motif):
                return [pitch + shift for pitch in motif]
    steps = ladder.place(before) - ladder.place(motif[0])
    return [ladder.moved(pitch, steps) for pitch in motif]


def go_on(pitches: list[int], count: int, brief: Brief, dice: Dice) -> None:
    """Append notes as the player went on after the same intervals, the more alike the better; else steps."""
    ladder, following = brief.ladder, brief.known.following
    for _ in range(count):
        steps = tuple(after - before for before, after in zip(pitches[-4:], pitches[-3:], strict=False))
        choices: list[int] = []
        for length in range(len(steps), 0, -1):
            last = pitches[-1]
            choices = [step for step in following.get(steps[-length:], ()) if ladder.holds(last + step)]
            if choices:
                break
        pitches.append(pitches[-1] + dice.choice(choices) if choices else ladder.moved(pitches[-1], dice.within(-2, 2)))


def _part(line: Line, dice: Dice) -> tuple[int, int]:
    """Return where a part of a line begins and ends: a few notes, or all there are."""
    size = min(len(line), dice.within(*FRAGMENT))
    start = dice.below(len(line) - size + 1)
    return start, start + size


def mended(line: Line, brief: Brief) -> Line:
    """Return a line within its bounds: as many notes as it may have, on the ladder's range, playable."""
    if brief.keeps_rhythm:
        line = _of_length(line, len(brief.phrase))
        line = brief.phrase.sung(line.pitches)
    elif len(line) > brief.most:
        line = line.part(len(line) - brief.most, len(line))
    lowest, highest = brief.ladder.pitches[0], brief.ladder.pitches[-1]
    if min(line.pitches) < lowest or max(line.pitches) > highest:
        line = line.sung([_within(pitch, lowest, highest, brief) for pitch in line.pitches])
    return line


def _of_length(line: Line, size: int) -> Line:
    """Return a line with so many notes, the last again and again if there are too few."""
    if len(line) == size:
        return line
    pitches = (*line.pitches[:size], *[line.pitches[-1]] * max(0, size - len(line)))
    touches: tuple[Touch, ...] = (*line.touches[:size], *[line.touches[-1]] * max(0, size - len(line)))
    return Line(pitches, touches)


def _within(pitch: int, lowest: int, highest: int, brief: Brief) -> int:
    if pitch < lowest:
        pitch += 12 * -((pitch - lowest) // 12)
    elif pitch > highest:
        pitch -= 12 * -((highest - pitch) // 12)
    return pitch if lowest <= pitch <= highest else brief.ladder.near(pitch)


PITCHES: tuple[Operator, ...] = (
    *(transposed, inverted, backwards, sequenced, nudged, nudged),
    *(recalled, recalled, recalled, chained, continued, continued, homed, homed, octaved),
)
RHYTHMS: tuple[Operator, ...] = (
    *(fragmented, extended, extended, displaced, diminished, augmented),
    *(ornamented, simplified, rested, borrowed),
)
