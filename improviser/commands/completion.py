"""What a shell offers where a command wants a name."""

from collections.abc import Callable, Iterable


def starting(names: Iterable[str], incomplete: str) -> list[str]:
    """Return those of `names` that begin so."""
    return [name for name in names if name.startswith(incomplete)]


def choices(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what completes to one of `names`; those of several words are left out, for shells part them."""
    single = [name for name in names if " " not in name]

    def complete(incomplete: str) -> list[str]:
        return starting(single, incomplete)

    return complete


def models(incomplete: str) -> list[str]:
    """Return the models of the library that begin so."""
    from improviser.library.catalogue import names

    return [name for name in starting(names(), incomplete) if name.isprintable()]


def learnable(incomplete: str) -> list[str]:
    """Return the parameters that begin so and that a knob can turn."""
    from improviser.core.live.player.knobs import LEARNABLE

    return starting(LEARNABLE, incomplete)
