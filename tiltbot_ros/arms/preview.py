"""An arm that only shows what it would do: a dry run."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import Arm, ArmState, Gripper
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.arms.poses import tool_pose
from tiltbot_ros.errors import DeviceError

Array = NDArray[np.float64]


class PreviewGripper:
    """Shows the width that a gripper would have, at once."""

    def __init__(self, gripper: Gripper) -> None:
        self._max_width_m = gripper.max_width_m
        self._width_m = gripper.width_m
        self.moving = False

    @property
    def max_width_m(self) -> float:
        """Distance of the open fingers [m]."""
        return self._max_width_m

    @property
    def width_m(self) -> float:
        """Distance that the fingers would have [m]."""
        return self._width_m

    def move(self, width_m: float, *, speed_m_s: float) -> None:  # noqa: ARG002 - the protocol's
        """Note the width."""
        self._width_m = min(max(width_m, 0.0), self._max_width_m)

    def grasp(self, width_m: float, *, speed_m_s: float, force_n: float) -> None:  # noqa: ARG002
        """Note the width."""
        self.move(width_m, speed_m_s=speed_m_s)

    def stop(self) -> None:
        """Do nothing: it does not move."""


class PreviewArm:
    """Reads a device and sends it nothing: the references go into its state instead.

    Its state is the device's, moved to where the last reference says, so that
    everything above it runs as it would.
    """

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._gripper: PreviewGripper | None = None
        self._joints: tuple[Array, Array] | None = None
        self._pose: Array | None = None
        self.references = 0

    @property
    def name(self) -> str:
        """That of the device."""
        return self._arm.name

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Those of the device."""
        return self._arm.joint_names

    @property
    def rate_hz(self) -> float:
        """That of the device [Hz]."""
        return self._arm.rate_hz

    @property
    def spaces(self) -> frozenset[Space]:
        """Those of the device."""
        return self._arm.spaces

    @property
    def gripper(self) -> Gripper | None:
        """One that only shows, when the device has one."""
        if self._gripper is None and self._arm.gripper is not None:
            self._gripper = PreviewGripper(self._arm.gripper)
        return self._gripper

    def connect(self) -> None:
        """Connect the device; it does not move.

        Raises:
            MissingDependencyError: a library or program is not installed.
            DeviceError: no device answers.
        """
        self._arm.connect()

    def state(self) -> ArmState:
        """Return the device's state, moved to the last reference.

        Raises:
            DeviceError: the device has no state.
        """
        # A driver that hears nothing may say that it has stopped: that is no interruption here.
        state = replace(self._arm.state(), interruptions=0)
        if self._joints is not None:
            state = replace(state, positions=self._joints[0], velocities=self._joints[1])
        if self._pose is not None:
            state = replace(state, tool=tool_pose(self._pose))
        return state

    def stream_joints(self, position: Array, velocity: Array) -> None:
        """Keep joint positions and velocities (n,) [rad, rad/s]; nothing is sent."""
        self._joints = position.copy(), velocity.copy()
        self.references += 1

    def stream_pose(self, pose: Array, velocity: Array) -> None:  # noqa: ARG002 - the protocol's
        """Keep a pose (6,) [m, rad]; nothing is sent."""
        self._pose = pose.copy()
        self.references += 1

    def stop(self) -> None:
        """Do nothing: it does not move."""

    def recover(self) -> None:
        """Refuse: clearing a fault may switch the motors on.

        Raises:
            DeviceError: always.
        """
        raise DeviceError("expected an arm to recover, but this is a dry run: nothing is sent")

    def close(self) -> None:
        """Let go of the device."""
        self._arm.close()
