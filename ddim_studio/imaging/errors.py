"""What goes wrong with pictures and their files."""

from __future__ import annotations


class ImageError(ValueError):
    """A picture cannot be read or written.

    The message is one sentence for the user: what happened, and what to do about it.
    """
