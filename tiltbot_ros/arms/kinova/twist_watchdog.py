"""What ends a velocity that a controller would carry out for ever."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class TwistWatchdog:
    """Says what to send to a controller that carries out its last velocity for ever.

    A velocity is followed by zeros as soon as nothing else comes in time; zeros are sent
    several times, since a message may be lost.
    """

    def __init__(self, silence_s: float, *, zeros: int = 10) -> None:
        """Make one that has nothing to end.

        Args:
            silence_s: longest time without a velocity [s].
            zeros: how many zeros end a motion.
        """
        self._silence_s = silence_s
        self._zeros = zeros
        self._left = 0
        self._heard_s = 0.0
        self._moving = False
        self.stops = 0

    def hear(self, twist: Array, now_s: float) -> Array:
        """Return what to send for a velocity (6,); zero when it is none."""
        if twist.shape != (6,) or not np.isfinite(twist).all():
            self._end()
            return np.zeros(6)
        self._heard_s, self._moving = now_s, bool(twist.any())
        self._left = self._zeros if self._moving else self._left
        return twist

    def due(self, now_s: float) -> Array | None:
        """Return zero when it is time to send it again, else None; called every few ms."""
        if self._moving and now_s - self._heard_s > self._silence_s:
            self._end()
        if self._moving or self._left <= 0:
            return None
        self._left -= 1
        return np.zeros(6)

    def _end(self) -> None:
        self.stops += self._moving
        self._moving, self._left = False, self._zeros
