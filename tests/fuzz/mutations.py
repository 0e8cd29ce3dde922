"""Ways to damage what is valid: bytes, values as JSON has them, and JSON text; all chance comes from `rng`."""

import copy
import json
import random
from collections.abc import Callable, MutableMapping, MutableSequence, Sequence
from typing import Any, TypeVar

from tests.hostile_text import HOSTILE

NUMBERS: tuple[float, ...] = (
    *(0, 1, -1, 2, 3, 16, 127, 128, 255, 256, 4096, 32767, 65535, 65536, 10**6, 2**31 - 1, 2**31, 2**32 - 1, 2**32),
    *(2**53, 2**63 - 1, 2**63, 2**64, -(2**31), -(2**63), 10**30, -(10**30), 10**400),
    *(0.5, -0.0, 1e-320, 1e-9, 1.5, 1e9, 1e16, 1e38, 1e39, 1e308, -1e308, float("inf"), float("-inf"), float("nan")),
)
STRINGS = (
    *("", " ", "\0", HOSTILE, f"name{HOSTILE}", "a" * 10_000, "é♯🎹", "\ud800", "null", "true", "-1", "1e999", "nan"),
    *("../../../etc/passwd", "/dev/zero", "/dev/stdin", "/etc/passwd", "~", "%s%n", "{0}", "[bold]", "C minor", "echo"),
    *("bach-bass", "__class__", "AAAA", "kDxA", "not base64!"),
)
DEEP = "a deeply nested value goes here"
"""Stands for lists within lists until the value is written: Python's own writer could not."""
Item = TypeVar("Item")
OPENERS = ("[", '{"a":')


def some_value(rng: random.Random) -> Any:
    """Return a value of any kind."""
    kinds: Sequence[Callable[[], Any]] = (
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(STRINGS),
        lambda: rng.choice((None, True, False, [], {}, [[]], {"": ""}, DEEP)),
        lambda: [rng.choice(NUMBERS) for _ in range(rng.choice((1, 3, 300)))],
        lambda: {rng.choice(STRINGS): rng.choice(NUMBERS) for _ in range(rng.choice((1, 3)))},
        lambda: rng.randint(-300, 300),
        lambda: rng.uniform(-10, 10),
    )
    return rng.choice(kinds)()


def mutate_value(value: Any, rng: random.Random, most: int = 3) -> Any:
    """Return a copy of a value with one to `most` of its parts changed, removed, doubled or renamed."""
    whole = [copy.deepcopy(value)]
    for _ in range(rng.randint(1, most)):
        _mutate_part(whole, rng)
    return whole[0] if whole else None


def _mutate_part(whole: list[Any], rng: random.Random) -> None:
    inside: Any = whole
    while True:  # walk down to a part, and stop anywhere
        places = list(inside) if isinstance(inside, MutableMapping) else range(len(inside))
        if not places:
            return
        place = rng.choice(places)
        part = inside[place]
        if isinstance(part, MutableMapping | MutableSequence) and part and (inside is whole or rng.random() < 0.8):
            inside = part
            continue
        break
    what = rng.random()
    if what < 0.6:
        inside[place] = some_value(rng)
    elif what < 0.75 and inside is not whole:
        del inside[place]
    elif isinstance(inside, MutableMapping):
        inside[rng.choice(STRINGS)] = part if what < 0.9 else inside.pop(place)
    elif inside is not whole:
        inside[place:place] = [part] * rng.choice((1, 2, 50))


def json_text(
    value: Any, rng: random.Random, encodings: Sequence[str] = ("utf-8", "utf-8", "utf-8", "utf-16")
) -> bytes:
    """Return a value as JSON, or nearly: in it may be NaN, half a character, thousands of levels; or it is UTF-16."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)))
    depth = rng.choice((3, 200, 5_000, 100_000))
    opener = rng.choice(OPENERS)
    nested = opener * depth + "0" + ("]" if opener == "[" else "}") * depth
    return text.replace(json.dumps(DEEP), nested).encode(rng.choice(encodings), "surrogatepass")


def mutate_bytes(data: bytes, rng: random.Random, most: int = 3) -> bytes:
    """Return bytes with one to `most` damages: flipped, overwritten, cut, doubled, moved, or with others in between."""
    damaged = bytearray(data)
    for _ in range(rng.randint(1, most)):
        start, stop = sorted(rng.randint(0, len(damaged)) for _ in range(2))
        stop = min(stop, start + rng.choice((1, 4, 40, len(damaged))))
        match rng.randrange(8):
            case 0 if damaged:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            case 1 if damaged:
                damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))
            case 2:
                del damaged[stop:]
            case 3:
                del damaged[start:stop]
            case 4:
                damaged[start:start] = damaged[start:stop] * rng.choice((1, 2, 20))
            case 5:
                damaged[start:start] = rng.choice(
                    (rng.randbytes(rng.randint(1, 30)), HOSTILE.encode(), b"\0", b"\xff\xfe")
                )
            case 6:
                size = rng.choice((2, 4, 8))
                damaged[start : start + size] = rng.choice(
                    (b"\0" * size, b"\xff" * size, b"\x7f" + b"\xff" * (size - 1), b"\x80" + b"\0" * (size - 1))
                )
            case _:
                moved = damaged[start:stop]
                del damaged[start:stop]
                place = rng.randint(0, len(damaged))
                damaged[place:place] = moved
    return bytes(damaged)


def mutate_sequence(items: Sequence[Item], rng: random.Random, change: Callable[[Item], Item]) -> list[Item]:
    """Return a list with some of its items changed, removed, doubled, or in another order."""
    mutated = list(items)
    for _ in range(rng.randint(1, 3)):
        if not mutated:
            break
        place = rng.randrange(len(mutated))
        match rng.randrange(6):
            case 0:
                del mutated[place]
            case 1:
                mutated[place:place] = [mutated[place]] * rng.choice((1, 1, 30))
            case 2:
                other = rng.randrange(len(mutated))
                mutated[place], mutated[other] = mutated[other], mutated[place]
            case _:
                mutated[place] = change(mutated[place])
    return mutated
