"""A Gen3 that is told velocities of its tool; what it is told always ends in zero."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.arm import ArmState
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.deltas import shortened
from tiltbot_ros.arms.kinematics import ArmModel
from tiltbot_ros.arms.kinova.driver import KinovaArm
from tiltbot_ros.arms.kinova.link import JOINTS, KortexLink
from tiltbot_ros.arms.kinova.settings import KinovaSettings
from tiltbot_ros.arms.poses import tool_pose
from tiltbot_ros.errors import ConfigError, DeviceError

Array = NDArray[np.float64]

AHEAD_S = 1e-3


class KinovaTwistArm(KinovaArm):
    """Follows poses by velocities of the tool, in the tool's own frame, as Kortex takes them.

    The robot solves its own kinematics and keeps its own limits. Joints cannot be told.
    """

    spaces: frozenset[Space] = frozenset({"pose"})

    def __init__(
        self,
        settings: KinovaSettings,
        link: KortexLink,
        model: ArmModel,
        *,
        rate_hz: float = 50.0,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a driver that is not connected.

        Args:
            settings: of the topics and times.
            link: to ros2_kortex.
            model: of the same joints, to the tool as the robot is configured for.
            rate_hz: references a second [Hz].
            clock: the ROS clock, for stamps [ns].
            monotonic: a clock that only goes on [s].

        Raises:
            ConfigError: the model is that of another arm.
        """
        super().__init__(settings, link, rate_hz=rate_hz, clock=clock, monotonic=monotonic)
        if model.joints != JOINTS:
            raise ConfigError(f"expected a model of the joints {', '.join(JOINTS)}")
        self._model = model
        self._moved_s: float | None = None

    def state(self) -> ArmState:
        """Return the newest joint state, and the tool's pose by the model."""
        now_s = self._monotonic()
        if self._moved_s is not None and now_s - self._moved_s > self._settings.twist_watchdog_s:
            self._interruptions += 1
            self._moved_s = None
        state = super().state()
        return ArmState(
            stamp_ns=state.stamp_ns,
            positions=state.positions,
            velocities=state.velocities,
            efforts=state.efforts,
            tool=self._model.tool(state.positions),
            fault=state.fault,
            interruptions=self._interruptions,
            details=state.details,
        )

    def stream_joints(self, position: Array, velocity: Array) -> None:  # noqa: ARG002
        """Refuse: velocities of the tool are no joints."""
        raise DeviceError("Kinova in mode 'twist' takes poses: set kinova.mode to 'trajectory'")

    def stream_pose(self, pose: Array, velocity: Array) -> None:
        """Send the velocity that follows a pose."""
        if not (np.isfinite(pose).all() and np.isfinite(velocity).all()):
            raise DeviceError(f"expected finite references for '{self.name}', got {pose}")
        if self._turned is None:
            raise DeviceError("expected a joint state of Kinova before the first pose")
        settings, tool = self._settings, self._model.tool(self._turned)
        wanted, soon = tool_pose(pose), tool_pose(pose + AHEAD_S * velocity)
        gain = settings.twist_gain
        linear = velocity[:3] + gain * (wanted.position - tool.position)
        turning = Rotation.from_matrix(soon.rotation @ wanted.rotation.T).as_rotvec() / AHEAD_S
        turning += gain * Rotation.from_matrix(wanted.rotation @ tool.rotation.T).as_rotvec()
        to_tool = tool.rotation.T
        twist = np.concatenate(
            (
                to_tool @ shortened(linear, settings.twist_m_s),
                to_tool @ shortened(turning, settings.twist_rad_s),
            )
        )
        self._connected().send_twist(twist)
        self._moved_s = self._monotonic() if twist.any() else None
        self.sent += 1

    def stop(self) -> None:
        """Send zero."""
        if self._open and self._moved_s is not None:
            self._moved_s = None
            try:
                self._link.send_twist(np.zeros(6))
            except DeviceError:
                # The guard of the velocities sends zero when it hears nothing.
                return
