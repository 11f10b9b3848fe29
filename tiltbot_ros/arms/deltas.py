"""Steps of a policy or a person summed into an absolute reference of the tool."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.spatial.transform import Rotation

from tiltbot_ros.arms.limits import AxisLimits
from tiltbot_ros.arms.poses import moved
from tiltbot_ros.settings import Settings

Array = NDArray[np.float64]


CUT = 1e-9
"""Difference that is more than rounding [m, rad]."""


class DeltaSettings(Settings):
    """How steps of the tool become motion."""

    rate_hz: float = Field(
        30.0, ge=1.0, le=200.0, description="steps of a policy or a person a second [Hz]"
    )
    frame_id: str = Field("base", description="TF frame of the arm's base")
    step_m: float = Field(
        0.02, gt=0.0, le=0.2, description="longest translation of a step; longer ones are cut [m]"
    )
    step_rad: float = Field(
        0.1, gt=0.0, le=0.5, description="largest rotation of a step; larger ones are cut [rad]"
    )
    lead_m: float = Field(
        0.05,
        gt=0.0,
        le=0.5,
        description="how far the reference may be ahead of the measured tool [m]",
    )
    lead_rad: float = Field(
        0.3,
        gt=0.0,
        le=1.5,
        description="how far the reference may be turned ahead of the measured tool [rad]",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of the tool.

    Attributes:
        commander: who makes it.
        sequence: grows by one from step to step of one commander.
        stamp_ns: when it was made (ROS clock) [ns].
        delta: (6,) float64, translation [m] and rotation vector [rad] in the base's axes.
        gripper: 0 open .. 1 closed, NaN: leave it.
    """

    commander: str
    sequence: int
    stamp_ns: int
    delta: Array
    gripper: float = np.nan


def shortened(vector: Array, longest: float) -> Array:
    """Return a vector (n,), cut to a greatest length in its own direction."""
    length = float(np.linalg.norm(vector))
    return vector if length <= longest else vector * (longest / length)


class DeltaReference:
    """Where the tool should be: the sum of all steps since `place`.

    Summing relative motions on the device loses way: each begins where the arm
    is, not where it was told to be. An absolute reference loses none, and is kept
    near the arm by clamps: of the step, of the workspace and tilt box, and of the
    lead over the measured pose.
    """

    def __init__(self, settings: DeltaSettings, limits: AxisLimits) -> None:
        """Make one that has to be placed.

        Args:
            settings: the clamps.
            limits: of the six axes of a pose.
        """
        self._settings = settings
        self._limits = limits
        self.pose: Array = np.zeros(6)

    def place(self, pose: Array) -> None:
        """Begin anew at a pose (6,)."""
        self.pose = np.array(pose, dtype=np.float64)

    def add(self, delta: Array, measured: Array) -> bool:
        """Take a step; return whether a clamp took something of it.

        Args:
            delta: (6,) finite numbers [m, rad].
            measured: (6,) where the tool is.
        """
        settings = self._settings
        step = np.concatenate(
            (shortened(delta[:3], settings.step_m), shortened(delta[3:], settings.step_rad))
        )
        wanted = moved(self.pose, step)
        # An arm that starts outside of the box may stay there, and come in.
        low = np.minimum(self._limits.lower, self.pose)
        high = np.maximum(self._limits.upper, self.pose)
        reached = self._led(np.minimum(np.maximum(wanted, low), high), measured)
        exact = moved(self.pose, delta)
        self.pose = reached
        return float(np.abs(reached - exact).max()) > CUT

    def _led(self, wanted: Array, measured: Array) -> Array:
        ahead = shortened(wanted[:3] - measured[:3], self._settings.lead_m)
        turned = Rotation.from_rotvec(wanted[3:])
        there = Rotation.from_rotvec(measured[3:])
        lead = (turned * there.inv()).as_rotvec()
        kept = shortened(lead, self._settings.lead_rad)
        rotation = wanted[3:] if kept is lead else (Rotation.from_rotvec(kept) * there).as_rotvec()
        return np.concatenate((measured[:3] + ahead, rotation))


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A straight way from one position to the next within one step, at constant speed.

    Attributes:
        start_s: when it begins [s].
        duration_s: how long it takes [s].
        begin, end: (n,) float64 [m, rad].
    """

    start_s: float
    duration_s: float
    begin: Array
    end: Array

    def position(self, now_s: float) -> Array:
        """Return where it is at a moment, (n,); it rests at its end."""
        part = min(max((now_s - self.start_s) / self.duration_s, 0.0), 1.0)
        return self.begin + part * (self.end - self.begin)

    def velocity(self, now_s: float) -> Array:
        """Return how fast it is at a moment, (n,); zero once it has ended."""
        if now_s - self.start_s >= self.duration_s:
            return np.zeros_like(self.end)
        return (self.end - self.begin) / self.duration_s
