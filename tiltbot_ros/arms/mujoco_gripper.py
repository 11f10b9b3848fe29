"""The gripper of a simulated arm."""

import mujoco
import numpy as np

from tiltbot_ros.arms.mujoco_model import FINGER_FORCE_N, SimulatedRobot
from tiltbot_ros.errors import ConfigError

STILL_M_S = 1e-3


class MujocoGripper:
    """Two fingers with position servos; goes on with the time of its arm."""

    def __init__(self, robot: SimulatedRobot, data: mujoco.MjData) -> None:
        """Take the gripper of a robot, open.

        Raises:
            ConfigError: it has none.
        """
        if robot.fingers is None:
            raise ConfigError("expected a robot with a gripper")
        self._robot, self._data = robot, data
        self._open = np.array([opened for _, opened, _ in robot.fingers.joints])
        self._closed = np.array([closed for _, _, closed in robot.fingers.joints])
        self._lever_m = robot.fingers.lever_m
        self.max_width_m = robot.fingers.max_width_m
        self._told_m = self._goal_m = self.max_width_m
        self._speed_m_s = 0.1
        self._before_m = self.max_width_m
        self._rate_m_s = 0.0
        data.qpos[robot.finger_qpos] = self._open
        self.drive(0.0)

    @property
    def width_m(self) -> float:
        """Measured distance of the fingers [m]."""
        span = self._open - self._closed
        opened = (self._data.qpos[self._robot.finger_qpos] - self._closed) / span
        return float(np.clip(opened.mean(), 0.0, 1.0)) * self.max_width_m

    @property
    def moving(self) -> bool:
        """Whether the fingers move, or are about to."""
        return self._told_m != self._goal_m or abs(self._rate_m_s) > STILL_M_S

    def move(self, width_m: float, *, speed_m_s: float) -> None:
        """Open or close to a width [m]."""
        self._go(width_m, speed_m_s, FINGER_FORCE_N)

    def grasp(self, width_m: float, *, speed_m_s: float, force_n: float) -> None:  # noqa: ARG002
        """Close until something is in the way, and hold it with a force [N]."""
        self._go(0.0, speed_m_s, force_n)

    def stop(self) -> None:
        """Stay where it is."""
        self._goal_m = self._told_m = self.width_m

    def drive(self, step_s: float) -> None:
        """Let the reference go on for a step of the simulation [s]."""
        reach = self._speed_m_s * step_s
        self._told_m += float(np.clip(self._goal_m - self._told_m, -reach, reach))
        opened = self._told_m / self.max_width_m
        servos = self._robot.finger_servos
        self._data.ctrl[servos] = self._closed + opened * (self._open - self._closed)
        if step_s > 0.0:
            width_m = self.width_m
            self._rate_m_s += 0.1 * ((width_m - self._before_m) / step_s - self._rate_m_s)
            self._before_m = width_m

    def _go(self, width_m: float, speed_m_s: float, force_n: float) -> None:
        if not np.isfinite([width_m, speed_m_s, force_n]).all():
            raise ConfigError(
                f"expected finite numbers for the gripper, got width {width_m} m, speed "
                f"{speed_m_s} m/s, force {force_n} N"
            )
        self._goal_m = min(max(width_m, 0.0), self.max_width_m)
        self._speed_m_s = max(speed_m_s, 1e-3)
        effort = abs(force_n) * self._lever_m
        self._robot.model.actuator_forcerange[self._robot.finger_servos] = -effort, effort
