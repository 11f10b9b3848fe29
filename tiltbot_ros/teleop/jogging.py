"""A hand that is not there: moved by keys or sticks along its axes."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tiltbot_ros.teleop.source import HandSample

Array = NDArray[np.float64]


class JoggedHand:
    """A pose that is moved step by step, in the person's axes."""

    def __init__(self) -> None:
        self._position: Array = np.zeros(3)
        self._rotation = Rotation.identity()
        self._moved_s: float | None = None

    def passed_s(self, now_s: float) -> float:
        """Return the time since the last call [s], at most 0.1: a stall is no motion."""
        before, self._moved_s = self._moved_s, now_s
        return 0.0 if before is None else min(max(now_s - before, 0.0), 0.1)

    def move(self, step: Array) -> None:
        """Move by (6,): way [m] and turn [rad]."""
        self._position = self._position + step[:3]
        self._rotation = Rotation.from_rotvec(step[3:]) * self._rotation

    def sample(self, now_s: float, *, engaged: bool, gripper: float) -> HandSample:
        """Return the pose as a sample of this moment."""
        return HandSample(
            received_s=now_s,
            position=self._position,
            rotation=self._rotation.as_matrix(),
            engaged=engaged,
            gripper=gripper,
        )
