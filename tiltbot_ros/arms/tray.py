"""A tray that some arm tilts: what its driver must do, and what can go wrong."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.errors import DeviceError
from tiltbot_ros.settings import Settings


def unit_quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return a rotation vector (2,) or (3,) [rad] as a unit quaternion x, y, z, w."""
    x, y, z = (*rotation.tolist(), 0.0)[:3]
    angle = math.sqrt(x * x + y * y + z * z)
    # sin(a/2)/a tends to 1/2 at no rotation.
    scale = math.sin(angle / 2) / angle if angle > 1e-9 else 0.5
    return x * scale, y * scale, z * scale, math.cos(angle / 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrayReading:
    """The measured state of the tray and of the joints that hold it.

    Attributes:
        stamp_ns: when it was measured (ROS clock) [ns].
        rotation: (3,) float64, rotation vector in the frame of the level tray [rad].
        joint_names: names of the joints, in the order of the arrays below.
        joint_positions: (n,) float64 [rad].
        joint_velocities: (n,) float64 [rad/s].
    """

    stamp_ns: int
    rotation: NDArray[np.float64]
    joint_names: tuple[str, ...]
    joint_positions: NDArray[np.float64]
    joint_velocities: NDArray[np.float64]


class TrayDriver(Protocol):
    """Tilts a tray."""

    def command(self, rotation: NDArray[np.float64]) -> None:
        """Set the reference: rotation vector (2,) in the plane of the level tray [rad].

        It holds until the next one. Called at the rig's rate.
        """

    def read(self) -> TrayReading:
        """Return the newest measured state.

        Raises:
            DeviceError: there is none, or it is too old.
        """

    @property
    def fault(self) -> str:
        """Why the tray would not follow, in a person's words; empty when it would."""

    def recover(self) -> None:
        """Clear the fault, and come back to where commands can go on; blocks.

        Raises:
            DeviceError: the fault stays.
        """

    def figures(self) -> Mapping[str, float | int | str]:
        """Return what the diagnostics show."""

    def close(self) -> None:
        """Stop, hold, and let go of the device."""


class FollowSettings(Settings):
    """When a tray counts as not following its reference."""

    follow_tolerance_rad: float = Field(
        0.12, gt=0.0, le=1.0, description="largest distance from the reference [rad]"
    )
    follow_time_s: float = Field(
        0.5, gt=0.0, le=10.0, description="how long it may be farther than that [s]"
    )


class FollowMonitor:
    """Finds out that a tray does not follow."""

    def __init__(self, settings: FollowSettings) -> None:
        self._settings = settings
        self._since_s: float | None = None

    def check(self, reference: NDArray[np.float64], reading: TrayReading, now_s: float) -> None:
        """Compare the reference (2,) [rad] with a reading.

        Args:
            reference: commanded rotation vector in the plane of the level tray [rad].
            reading: the measured state.
            now_s: a clock that only goes on [s].

        Raises:
            DeviceError: the tray was too far away for too long.
        """
        distance = float(np.linalg.norm(reading.rotation[:2] - reference))
        if distance <= self._settings.follow_tolerance_rad:
            self._since_s = None
            return
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s > self._settings.follow_time_s:
            self._since_s = None
            raise DeviceError(
                f"the tray does not follow: expected it within "
                f"{self._settings.follow_tolerance_rad:g} rad of "
                f"({reference[0]:.3f}, {reference[1]:.3f}) rad, measured "
                f"({reading.rotation[0]:.3f}, {reading.rotation[1]:.3f}) rad for more than "
                f"{self._settings.follow_time_s:g} s; look for an obstacle, an emergency stop "
                f"or a load above the tray's payload"
            )
