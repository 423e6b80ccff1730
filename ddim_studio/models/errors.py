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
