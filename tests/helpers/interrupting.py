"""An interrupt in the middle of something, as it comes from the keyboard."""

import signal


def interrupt(disguised):
    """Raise SIGINT here; disguised, as libraries in C tell of it that are loading meanwhile."""
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        if not disguised:
            raise
        raise ImportError("initialization failed") from None
