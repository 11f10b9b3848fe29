"""Commands to an arm, and the gate that lets only sound ones through."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tiltbot_ros.settings import Settings

Space = Literal["joint", "pose"]
"""Joint positions [rad], or the tool's pose: position [m] and rotation vector [rad]."""

Refusal = Literal["commander", "shape", "numbers", "sequence", "stamp", "far", "fault"]
"""Why a command was refused.

commander: somebody else has the arm, or nobody took it. shape: not one number an
axis. numbers: NaN or infinite. sequence: not newer than the last one. stamp: older
or further ahead than allowed. far: the target is too far from the reference.
fault: the arm has to be recovered first.
"""

REFUSALS: tuple[Refusal, ...] = (
    "commander",
    "shape",
    "numbers",
    "sequence",
    "stamp",
    "far",
    "fault",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Where the arm should be at a moment.

    Attributes:
        commander: who says so; it must hold the arm's lease.
        sequence: grows from command to command of one commander.
        stamp_ns: when it was made (ROS clock) [ns].
        position: (n,) float64, joints [rad], or x, y, z [m] and the rotation vector
            rx, ry, rz from the neutral orientation [rad], both in the base frame.
        velocity: (n,) float64, how fast the target moves, None: it stands
            [rad/s or m/s]. With it a moving target is followed without lag.
    """

    commander: str
    sequence: int
    stamp_ns: int
    position: NDArray[np.float64]
    velocity: NDArray[np.float64] | None = None


class GateSettings(Settings):
    """Which commands an arm takes."""

    max_age_s: float = Field(
        0.1, gt=0.0, le=10.0, description="oldest stamp of a command that is taken [s]"
    )
    max_ahead_s: float = Field(
        0.05, ge=0.0, le=10.0, description="how far a stamp may lie in the future [s]"
    )
    largest_step_rad: float = Field(
        0.2,
        gt=0.0,
        le=7.0,
        description="farthest target of an angle from the reference; the rest is refused [rad]",
    )
    largest_step_m: float = Field(
        0.1,
        gt=0.0,
        le=2.0,
        description="farthest target of a position from the reference; the rest is refused [m]",
    )


class Gate:
    """Judges one command after another by itself; whose they are is the lease's matter."""

    def __init__(self, settings: GateSettings, *, space: Space, axes: int) -> None:
        self._axes = axes
        self._max_age_ns = int(settings.max_age_s * 1e9)
        self._max_ahead_ns = int(settings.max_ahead_s * 1e9)
        angle = settings.largest_step_rad
        steps = [angle] * axes if space == "joint" else [settings.largest_step_m] * 3 + [angle] * 3
        self._farthest = np.array(steps)
        self._last: int | None = None

    def forget(self) -> None:
        """Take any sequence number next: another commander begins."""
        self._last = None

    def judge(
        self, command: Command, reference: NDArray[np.float64], now_ns: int
    ) -> Refusal | None:
        """Return why a command is refused, or None.

        Args:
            command: from outside; any of its numbers may be wrong.
            reference: (n,) where the arm is told to be now.
            now_ns: ROS clock [ns].
        """
        position, velocity = command.position, command.velocity
        if position.shape != (self._axes,) or (
            velocity is not None and velocity.shape != (self._axes,)
        ):
            return "shape"
        # A sum is finite exactly when nothing in it is NaN or infinite, or overflows.
        if not math.isfinite(position.sum()) or (
            velocity is not None and not math.isfinite(velocity.sum())
        ):
            return "numbers"
        if self._last is not None and command.sequence <= self._last:
            return "sequence"
        age = now_ns - command.stamp_ns
        if age > self._max_age_ns or -age > self._max_ahead_ns:
            return "stamp"
        if (np.abs(position - reference) > self._farthest).any():
            return "far"
        self._last = command.sequence
        return None
