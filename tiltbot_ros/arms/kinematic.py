"""A tray without physics: it follows its reference at a bounded rate."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.arms.tray import TrayReading
from tiltbot_ros.settings import Settings


class KinematicSettings(Settings):
    """How fast the tray without physics moves."""

    rate_rad_s: float = Field(
        1.5, gt=0.0, le=20.0, description="largest rate of the tray without physics [rad/s]"
    )


class KinematicTray:
    """Stands in for an arm where only microphones and camera matter."""

    fault = ""

    def __init__(self, settings: KinematicSettings, clock: Callable[[], int]) -> None:
        """Start level; `clock` returns ROS time [ns]."""
        self._settings = settings
        self._clock = clock
        self._reference: NDArray[np.float64] = np.zeros(2)
        self._rotation: NDArray[np.float64] = np.zeros(2)
        self._velocity: NDArray[np.float64] = np.zeros(2)
        self._time_ns = clock()

    def command(self, rotation: NDArray[np.float64]) -> None:
        """Set the reference (2,) [rad]."""
        self._advance()
        self._reference = rotation.copy()

    def read(self) -> TrayReading:
        """Return the state now."""
        self._advance()
        return TrayReading(
            stamp_ns=self._time_ns,
            rotation=np.append(self._rotation, 0.0),
            joint_names=("tray_x", "tray_y"),
            joint_positions=self._rotation.copy(),
            joint_velocities=self._velocity.copy(),
        )

    def recover(self) -> None:
        """Do nothing: nothing goes wrong with it."""

    def figures(self) -> Mapping[str, float | int | str]:
        """Return nothing: there is nothing to watch."""
        return {}

    def close(self) -> None:
        """Stay where it is."""
        self._reference = self._rotation.copy()

    def _advance(self) -> None:
        now = self._clock()
        dt = max(0.0, (now - self._time_ns) * 1e-9)
        self._time_ns = now
        step = self._reference - self._rotation
        distance = float(np.linalg.norm(step))
        reach = self._settings.rate_rad_s * dt
        if distance > reach:
            step *= reach / distance
        self._rotation = self._rotation + step
        self._velocity = step / dt if dt > 0 else np.zeros(2)
