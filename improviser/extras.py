"""The optional parts of the package: what is said where one of them is missing."""


def how_to_add(extra: str) -> str:
    """Return how a user adds an extra, to go on a sentence."""
    return f"add the extra {extra}; in a clone: pip install '.[{extra}]', or uv sync --extra {extra}"
