"""How long a run has taken."""

from __future__ import annotations

import time


class Clock:
    """Counts the seconds of a run, over all the times that it was begun, but for pauses.

    Args:
        seconds: That it took before.
    """

    def __init__(self, seconds: float) -> None:
        self._before, self._begun = seconds, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._before + time.monotonic() - self._begun

    def leave_out(self, seconds: float) -> None:
        """Take off the time of a pause."""
        self._before -= seconds
