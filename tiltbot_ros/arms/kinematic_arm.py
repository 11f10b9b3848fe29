"""An arm without physics: it is where it was last told to be."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.arm import ArmState, Gripper
from tiltbot_ros.arms.commands import Space
from tiltbot_ros.errors import DeviceError

Array = NDArray[np.float64]


class KinematicArm:
    """Stands in for an arm where nobody looks at how it moves."""

    spaces: frozenset[Space] = frozenset({"joint"})
    gripper: Gripper | None = None

    def __init__(
        self,
        *,
        name: str,
        joints: tuple[str, ...],
        start: Array,
        rate_hz: float,
        clock: Callable[[], int],
    ) -> None:
        """Make one that stands still.

        Args:
            name: what a person calls it.
            joints: names of its joints.
            start: (n,) where it stands [rad].
            rate_hz: references a second [Hz].
            clock: the ROS clock [ns].
        """
        self.name = name
        self.joint_names = joints
        self.rate_hz = rate_hz
        self._positions: Array = np.array(start, dtype=np.float64)
        self._velocities: Array = np.zeros(len(joints))
        self._clock = clock

    def connect(self) -> None:
        """Do nothing: there is no device."""

    def state(self) -> ArmState:
        """Return where it was told to be."""
        return ArmState(
            stamp_ns=self._clock(),
            positions=self._positions.copy(),
            velocities=self._velocities.copy(),
            efforts=np.full(len(self.joint_names), np.nan),
        )

    def stream_joints(self, position: Array, velocity: Array) -> None:
        """Be there."""
        self._positions, self._velocities = position.copy(), velocity.copy()

    def stream_pose(self, pose: Array, velocity: Array) -> None:  # noqa: ARG002
        """Refuse: it takes joint positions."""
        raise DeviceError(f"'{self.name}' takes joint positions, no poses: use PoseByJoints")

    def stop(self) -> None:
        """Stand where it is."""
        self._velocities = np.zeros(len(self.joint_names))

    def recover(self) -> None:
        """Do nothing: nothing goes wrong with it."""

    def close(self) -> None:
        """Stand where it is."""
        self.stop()
