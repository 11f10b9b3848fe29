"""The Robotiq gripper of a Gen3, told through ros2_kortex and measured in the joint states."""

import numpy as np

from tiltbot_ros.arms.kinova.link import KortexLink
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.errors import DeviceError

STILL_RAD = 2e-3
NOMINAL_FORCE_N = 235.0
"""Greatest force of a 2F-85 by its manual; the hardware takes a share of it."""


class KinovaGripper:
    """Two fingers by one joint. Its speed is that of the hardware's configuration."""

    def __init__(self, settings: KinovaSettings, link: KortexLink) -> None:
        """Take the gripper of a robot."""
        self._link = link
        self._closed_rad = settings.gripper_closed_rad
        self._joint = settings.gripper_joint
        self.max_width_m = settings.gripper_width_m
        self._goal_rad = np.nan
        self._seen_rad = np.nan

    @property
    def width_m(self) -> float:
        """Measured distance of the fingers [m]."""
        return self.max_width_m * (1.0 - min(max(self._measured() / self._closed_rad, 0.0), 1.0))

    @property
    def moving(self) -> bool:
        """Whether it has moved since it was last asked, and is not where it was told to be."""
        at, before = self._measured(), self._seen_rad
        self._seen_rad = at
        there = abs(at - self._goal_rad) <= 10 * STILL_RAD
        return bool(np.isfinite(self._goal_rad) and not there and not abs(at - before) <= STILL_RAD)

    def move(self, width_m: float, *, speed_m_s: float) -> None:  # noqa: ARG002 - see the class
        """Open or close to a width [m]."""
        self._go(width_m, 1.0)

    def grasp(self, width_m: float, *, speed_m_s: float, force_n: float) -> None:  # noqa: ARG002
        """Close until something is in the way; the force is a share of the gripper's own."""
        if not np.isfinite(force_n):
            raise DeviceError(f"expected a finite force of the gripper, got {force_n} N")
        self._go(0.0, min(max(force_n / NOMINAL_FORCE_N, 0.01), 1.0))

    def stop(self) -> None:
        """Stay where it is."""
        self._send(self._measured(), 1.0)

    def _go(self, width_m: float, effort: float) -> None:
        if not np.isfinite(width_m):
            raise DeviceError(f"expected a finite width of the gripper, got {width_m} m")
        share = min(max(width_m / self.max_width_m, 0.0), 1.0)
        self._send(self._closed_rad * (1.0 - share), effort)

    def _send(self, position_rad: float, effort: float) -> None:
        self._goal_rad, self._seen_rad = position_rad, np.nan
        self._link.send_gripper(position_rad, effort=effort)

    def _measured(self) -> float:
        reading = self._link.reading()
        if reading is None or not np.isfinite(reading.gripper):
            raise DeviceError(
                f"expected the gripper's joint {self._joint} in the joint states, but it is "
                f"not there: start ros2_kortex with gripper:=robotiq_2f_85, or set kinova.gripper "
                f"to 'none'"
            )
        return reading.gripper
