"""Which frame to show next while a trajectory plays. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass, field

FRAMES_PER_SECOND = 12.0
LONGEST_TICK = 0.25


@dataclass
class Playback:
    """Walks over frames at a speed, once, in a loop, or back and forth.

    Attributes:
        speed: Multiple of 12 frames a second.
        loop: Begin again at the end.
        ping_pong: Turn round at both ends; needs ``loop``.
    """

    speed: float = 1.0
    loop: bool = False
    ping_pong: bool = False
    _direction: int = field(default=1, init=False)
    _owed: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Forget the fraction of a frame left over, and walk forwards."""
        self._direction = 1
        self._owed = 0.0

    def advance(self, position: int, last: int, seconds: float) -> tuple[int, bool]:
        """Where to be after some time, and whether the end was reached.

        A long tick, which means that the computer was busy, counts as a quarter of a second, so
        that frames are not jumped over in one go.

        Args:
            position: Frame shown now.
            last: Number of the last frame there is.
            seconds: Time since the call before.
        """
        self._owed += min(seconds, LONGEST_TICK) * FRAMES_PER_SECOND * self.speed
        frames = int(self._owed)
        self._owed -= frames
        for _ in range(frames):
            position, ended = self._step(position, last)
            if ended:
                return position, True
        return position, False

    def _step(self, position: int, last: int) -> tuple[int, bool]:
        following = position + self._direction
        if 0 <= following <= last:
            return following, False
        if not self.loop or last < 1:
            return position, True
        if self.ping_pong:
            self._direction = -self._direction
            return position + self._direction, False
        return 0, False
