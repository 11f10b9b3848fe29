"""Slow moves from one joint position to another, planned as a whole."""

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.limits import AxisLimits
from tiltbot_ros.arms.tilts import PEAK_ACCELERATION, PEAK_SPEED, minimum_jerk

Array = NDArray[np.float64]


class JointMove:
    """A straight line in joint space, minimum jerk, as fast as speed and acceleration let it."""

    def __init__(self, start: Array, end: Array, *, limits: AxisLimits, speed_rad_s: float) -> None:
        """Plan from start (n,) to end (n,) [rad], no joint above `speed_rad_s`."""
        self._start, self._way = start, end - start
        way = np.abs(self._way)
        speed = np.minimum(limits.velocity, speed_rad_s)
        by_speed = PEAK_SPEED * way / speed
        by_acceleration = np.sqrt(PEAK_ACCELERATION * way / limits.acceleration)
        self.duration_s = float(max(by_speed.max(), by_acceleration.max(), 1e-3))

    def position(self, t_s: float) -> Array:
        """Return the joints (n,) [rad] at a time after the start [s]."""
        position: Array = self._start + self._way * minimum_jerk(t_s / self.duration_s)
        return position
