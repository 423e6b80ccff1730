"""The one error that this package lets out."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be opened.

    Attributes:
        advice: What to do about it, in one sentence; may be empty.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


def excerpt(value: object, longest: int = 80) -> str:
    """A value from a file as it may stand in a message: on one line, and short.

    Args:
        value: A string as it is, anything else by its ``repr``.
        longest: How many characters are kept.
    """
    text = value if isinstance(value, str) else repr(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
