"""Tilts: the motion of one, and the random generator that collects data."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.errors import LimitError
from tiltbot_ros.settings import Settings

PEAK_SPEED = 1.875
"""Greatest speed of a minimum-jerk motion over 1 in 1 s: 15/8."""

PEAK_ACCELERATION = 5.774
"""Greatest acceleration of the same: 10/sqrt(3)."""


class TiltSettings(Settings):
    """How far and how fast the tray tilts."""

    max_tilt_rad: float = Field(
        0.45, gt=0.0, le=0.8, description="tilt of the tray at action length 1 [rad]"
    )
    ramp_s: float = Field(0.4, ge=0.1, le=5.0, description="time from level to the target [s]")
    hold_s: float = Field(1.4, ge=0.0, le=30.0, description="time held at the target [s]")
    return_s: float = Field(1.2, ge=0.1, le=10.0, description="time back to level [s]")
    rest_s: float = Field(1.5, ge=0.0, le=60.0, description="pause between two random tilts [s]")
    min_length: float = Field(
        0.3, ge=0.0, le=1.0, description="least length of a random action (0 .. 1)"
    )


def minimum_jerk(fraction: float) -> float:
    """Return the minimum-jerk blend at `fraction` of the motion, from 0 to 1.

    Flash and Hogan (1985): 10 s^3 - 15 s^4 + 6 s^5; outside [0, 1] it is held.
    """
    s = min(max(fraction, 0.0), 1.0)
    return s * s * s * (10.0 + s * (6.0 * s - 15.0))


class TiltMotion:
    """One tilt: level -> target -> hold -> level, smooth to the second derivative."""

    def __init__(self, action: tuple[float, float], settings: TiltSettings) -> None:
        """Plan the motion of `action` = (ax, ay), a vector no longer than 1.

        Raises:
            LimitError: a component is not finite, or the vector is longer than 1.
        """
        ax, ay = (float(value) for value in action)
        if not np.isfinite([ax, ay]).all() or np.hypot(ax, ay) > 1.0 + 1e-9:
            raise LimitError(
                f"expected a tilt (ax, ay) of finite numbers with length at most 1 "
                f"(1 is {settings.max_tilt_rad:g} rad on this rig), got ({ax:g}, {ay:g})"
            )
        self.action = (ax, ay)
        self.target: NDArray[np.float64] = np.array([ax, ay]) * settings.max_tilt_rad
        self._settings = settings

    @property
    def duration_s(self) -> float:
        """Time from leaving level to being level again [s]."""
        return self._settings.ramp_s + self._settings.hold_s + self._settings.return_s

    def reference(self, t_s: float) -> NDArray[np.float64]:
        """Return the commanded rotation vector (2,) [rad] at `t_s` after the start."""
        ramp, hold = self._settings.ramp_s, self._settings.hold_s
        if t_s < ramp + hold:
            return self.target * minimum_jerk(t_s / ramp)
        return self.target * (1.0 - minimum_jerk((t_s - ramp - hold) / self._settings.return_s))


class RandomTilts:
    """Random actions, uniform over the ring between `min_length` and 1, from a seed."""

    def __init__(self, seed: int, settings: TiltSettings) -> None:
        self._rng = np.random.default_rng(seed)
        self._least = settings.min_length

    def next(self) -> tuple[float, float]:
        """Return the next action (ax, ay), both in [-1, 1]."""
        # Uniform over the area of the ring: the square of the length is uniform.
        length = np.sqrt(self._rng.uniform(self._least**2, 1.0))
        angle = self._rng.uniform(-np.pi, np.pi)
        return float(length * np.cos(angle)), float(length * np.sin(angle))

    def __iter__(self) -> Iterator[tuple[float, float]]:
        """Yield actions without end."""
        while True:
            yield self.next()
