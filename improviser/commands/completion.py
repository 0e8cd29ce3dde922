"""What a shell offers where a command wants a name."""


def models(incomplete: str) -> list[str]:
    """Return the models of the library that begin so."""
    from improviser.library.catalogue import names

    return [name for name in names() if name.startswith(incomplete) and name.isprintable()]


def modes(incomplete: str) -> list[str]:
    """Return the modes that begin so."""
    from improviser.core.live.parameters import MODES

    return [mode for mode in MODES if mode.startswith(incomplete)]


def learnable(incomplete: str) -> list[str]:
    """Return the parameters that begin so and that a knob can turn."""
    from improviser.core.live.knobs import LEARNABLE

    return [parameter for parameter in LEARNABLE if parameter.startswith(incomplete)]
