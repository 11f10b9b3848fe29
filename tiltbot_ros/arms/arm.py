"""What every arm does, whoever made it: the protocol of its driver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.commands import Space


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolPose:
    """Where the tool is.

    Attributes:
        position: (3,) float64 in the frame of the arm's base [m].
        rotation: (3, 3) float64, from the tool's frame to that of the base.
    """

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmState:
    """What an arm measures.

    Attributes:
        stamp_ns: when it was measured (ROS clock) [ns].
        positions: (n,) float64, joints in the order of the arm's `joint_names` [rad].
        velocities: (n,) float64 [rad/s].
        efforts: (n,) float64 [N m], NaN where the arm does not measure them.
        tool: pose that the arm itself reports, None where it reports none.
        enabled: whether it would follow a command.
        fault: why it would not, in a person's words; empty when nothing is wrong.
        stopped_by_hand: whether somebody presses the emergency stop, or has and
            nobody released it: only a person ends that.
        interruptions: how often the driver has stopped the arm by itself because no
            reference came: a grown number means that the arm is not where it was told.
        details: figures for the diagnostics, printed as they are.
    """

    stamp_ns: int
    positions: NDArray[np.float64]
    velocities: NDArray[np.float64]
    efforts: NDArray[np.float64]
    tool: ToolPose | None = None
    enabled: bool = True
    fault: str = ""
    stopped_by_hand: bool = False
    interruptions: int = 0
    details: Mapping[str, float | int | str] = field(default_factory=dict)


class Gripper(Protocol):
    """A gripper with two fingers. Calls begin a motion; `width_m` says how far it came."""

    @property
    def max_width_m(self) -> float:
        """Distance of the open fingers [m]."""

    @property
    def width_m(self) -> float:
        """Measured distance of the fingers [m].

        Raises:
            DeviceError: the gripper does not answer.
        """

    @property
    def moving(self) -> bool:
        """Whether a motion is under way."""

    def move(self, width_m: float, *, speed_m_s: float) -> None:
        """Open or close to a width [m] without force."""

    def grasp(self, width_m: float, *, speed_m_s: float, force_n: float) -> None:
        """Close on an object of about that width [m] and hold it with a force [N]."""

    def stop(self) -> None:
        """Stay where it is."""


class Arm(Protocol):
    """One arm as its driver offers it.

    A driver speaks to one device and keeps no limits of its own beyond what the
    device has: it is called through a GuardedArm (guard.py), which sends nothing
    but references within the limits, at `rate_hz`. What a driver must do by
    itself is stop the arm when its caller falls silent or dies: the last watchdog
    sits as close to the device as possible.

    Methods return at once unless they say otherwise; all of them are called from
    one thread. Nothing is sent before `connect`; after `close` a driver may be
    connected again.
    """

    @property
    def name(self) -> str:
        """What a person calls it, such as 'sawyer'."""

    @property
    def joint_names(self) -> tuple[str, ...]:
        """Names of the joints, in the order of every array."""

    @property
    def rate_hz(self) -> float:
        """References a second that the device wants [Hz]."""

    @property
    def spaces(self) -> frozenset[Space]:
        """In which spaces it takes references."""

    @property
    def gripper(self) -> Gripper | None:
        """Its gripper, or None."""

    def connect(self) -> None:
        """Open the device, check it, and make it ready to follow; blocks.

        The arm does not move.

        Raises:
            MissingDependencyError: a library or program is not installed.
            DeviceError: no device answers, or it refuses its configuration.
        """

    def state(self) -> ArmState:
        """Return the newest measured state.

        A fault of the arm is in the state; it is no exception.

        Raises:
            DeviceError: there is no state, it is too old, or the connection is lost.
        """

    def stream_joints(self, position: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        """Tell joint positions (n,) [rad] and velocities (n,) [rad/s] for this moment.

        Raises:
            DeviceError: the connection is lost.
        """

    def stream_pose(self, pose: NDArray[np.float64], velocity: NDArray[np.float64]) -> None:
        """Tell the tool's pose for this moment.

        Args:
            pose: (6,) position in the base frame [m], and rotation vector from the
                neutral orientation, in the axes of the base [rad].
            velocity: (6,) of the same [m/s, rad/s].

        Raises:
            DeviceError: the connection is lost.
        """

    def stop(self) -> None:
        """Stop at once, as smoothly as the device itself can, and hold.

        For when no more references will come; it does not raise.
        """

    def recover(self) -> None:
        """Clear the faults that can be cleared and make the arm ready again; blocks.

        The arm does not move.

        Raises:
            DeviceError: a fault stays, such as a pressed emergency stop.
        """

    def close(self) -> None:
        """Stop, hold, and let go of the device; it does not raise."""
