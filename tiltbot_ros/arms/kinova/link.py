"""What the driver asks of its connection to ros2_kortex; the ROS part implements it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

JOINTS = tuple(f"joint_{number}" for number in range(1, 8))


@dataclass(frozen=True, kw_only=True, slots=True)
class JointReading:
    """One message of the joint states.

    Attributes:
        stamp_ns: of the message, the controllers' clock [ns].
        received_s: when it came (this computer's monotonic clock) [s].
        positions: (7,) as sent: joints without ends within one turn [rad].
        velocities: (7,) [rad/s].
        efforts: (7,) [N m].
        gripper: position of the gripper's joint, NaN without one [rad].
    """

    stamp_ns: int
    received_s: float
    positions: Array
    velocities: Array
    efforts: Array
    gripper: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Knot:
    """One point of a trajectory.

    Attributes:
        time_s: when [s].
        positions: (7,) [rad].
        velocities: (7,) [rad/s].
    """

    time_s: float
    positions: Array
    velocities: Array


class KortexLink(Protocol):
    """A connection to the topics of ros2_kortex; called from one thread."""

    def open(self, *, timeout_s: float) -> None:
        """Connect, and wait for joint states and for somebody who takes commands.

        Raises:
            DeviceError: they do not come; the text says which topic, and what to start.
            MissingDependencyError: a message package is not installed.
        """

    def reading(self) -> JointReading | None:
        """Return the newest joint state, None before the first."""

    def controllers(self) -> int:
        """Return how many take the commands of the driver's mode."""

    def send_trajectory(self, start_ns: int | None, knots: Sequence[Knot]) -> None:
        """Send a trajectory.

        Args:
            start_ns: when time 0 of the knots is (the controllers' clock) [ns]; None:
                when it arrives.
            knots: at least one, times growing from 0 on, the last one at rest.

        Raises:
            DeviceError: it cannot be sent.
        """

    def send_twist(self, twist: Array) -> None:
        """Send velocities (6,): of the tool in its own frame [m/s, rad/s].

        Raises:
            DeviceError: they cannot be sent; zero was sent in another way.
        """

    def send_gripper(self, position_rad: float, *, effort: float) -> None:
        """Send a position of the gripper's joint [rad] and a share of its force (0 .. 1].

        Raises:
            DeviceError: it cannot be sent.
        """

    def fault(self) -> str:
        """Return what the robot's fault controller says, empty when nothing or not known."""

    def reset_fault(self, *, timeout_s: float) -> None:
        """Clear the robot's faults, where that service can be called.

        Raises:
            DeviceError: it refuses.
        """

    def close(self) -> None:
        """Send zero where velocities were sent, and disconnect; it does not raise."""
