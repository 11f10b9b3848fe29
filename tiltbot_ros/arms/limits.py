"""What an arm may do: positions, speeds, accelerations and jerks, one file a robot."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from tiltbot_ros.errors import ConfigError
from tiltbot_ros.settings import Settings, explain
from tiltbot_ros.share import share_directory

Array = NDArray[np.float64]

POSE_AXES = ("x", "y", "z", "rx", "ry", "rz")
"""The axes of a pose: position [m], and rotation vector from the neutral orientation [rad]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AxisLimits:
    """Limits of n axes: the joints of an arm, or the six axes of a pose.

    Attributes:
        names: of the axes.
        lower: (n,) float64, least position [rad or m].
        upper: (n,) float64, greatest position [rad or m].
        velocity: (n,) float64, greatest speed [rad/s or m/s].
        acceleration: (n,) float64, greatest acceleration [rad/s2 or m/s2].
        braking: (n,) float64, deceleration before the ends of the range, at most
            the acceleration [rad/s2 or m/s2].
        jerk: (n,) float64, greatest jerk, inf where the robot has none [rad/s3 or m/s3].
    """

    names: tuple[str, ...]
    lower: Array
    upper: Array
    velocity: Array
    acceleration: Array
    braking: Array
    jerk: Array

    def reduced(
        self, *, speed: float = 1.0, acceleration: float = 1.0, margin: float = 0.0
    ) -> "AxisLimits":
        """Return stricter limits.

        Args:
            speed: share of the greatest speeds (0 .. 1].
            acceleration: share of the greatest accelerations and jerks (0 .. 1].
            margin: how far to stay from the ends of every range [rad or m].

        Raises:
            ConfigError: the margin leaves nothing of an axis.
        """
        lower, upper = self.lower + margin, self.upper - margin
        empty = [
            name for name, low, high in zip(self.names, lower, upper, strict=True) if low >= high
        ]
        if empty:
            raise ConfigError(
                f"expected a margin that leaves a range to move in, got {margin:g}, which leaves "
                f"none for {', '.join(empty)}"
            )
        return replace(
            self,
            lower=lower,
            upper=upper,
            velocity=self.velocity * speed,
            acceleration=self.acceleration * acceleration,
            braking=self.braking * acceleration,
            jerk=self.jerk * acceleration,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RobotLimits:
    """Everything that the file of a robot says.

    Attributes:
        name: of the robot.
        joints: limits in joint space.
        pose: limits of the tool's pose (axes POSE_AXES); the lower and upper ends
            are the workspace box [m] and the tilt box [rad].
        sources: where each group of numbers comes from, by its name in the file.
    """

    name: str
    joints: AxisLimits
    pose: AxisLimits
    sources: dict[str, str]


class Sourced(Settings):
    """Numbers, one an axis, and where they come from."""

    values: list[float] = Field(min_length=1, description="one number an axis")
    source: str = Field(min_length=8, description="document or file that says so")


class AxisFile(Settings):
    """The limits of one space as a robot's file writes them."""

    names: list[str] = Field(min_length=1, description="names of the axes")
    lower: Sourced
    upper: Sourced
    velocity: Sourced
    acceleration: Sourced
    braking: Sourced | None = None
    jerk: Sourced | None = None

    @model_validator(mode="after")
    def _fits(self) -> "AxisFile":
        groups = ("lower", "upper", "velocity", "acceleration", "braking", "jerk")
        for group in groups:
            sourced: Sourced | None = getattr(self, group)
            if sourced is not None and len(sourced.values) != len(self.names):
                raise ValueError(
                    f"expected {len(self.names)} numbers for {group}, got {len(sourced.values)}"
                )
        for name, low, high in zip(self.names, self.lower.values, self.upper.values, strict=True):
            if not low < high:
                raise ValueError(f"expected lower < upper for {name}, got {low:g} and {high:g}")
        for group in groups[2:]:
            sourced = getattr(self, group)
            if sourced is not None and not all(value > 0 for value in sourced.values):
                raise ValueError(f"expected {group} above 0, got {sourced.values}")
        brake = self.braking.values if self.braking else self.acceleration.values
        if any(b > a for b, a in zip(brake, self.acceleration.values, strict=True)):
            raise ValueError("expected braking at most the acceleration of the same axis")
        return self

    def limits(self) -> AxisLimits:
        """Return them as arrays."""
        braking = self.braking or self.acceleration
        jerk = self.jerk.values if self.jerk else [np.inf] * len(self.names)
        return AxisLimits(
            names=tuple(self.names),
            lower=np.array(self.lower.values),
            upper=np.array(self.upper.values),
            velocity=np.array(self.velocity.values),
            acceleration=np.array(self.acceleration.values),
            braking=np.array(braking.values),
            jerk=np.array(jerk),
        )

    def sources(self) -> dict[str, str]:
        """Return the source of every group of numbers."""
        return {
            group: value.source
            for group in type(self).model_fields
            if isinstance(value := getattr(self, group), Sourced)
        }


class RobotFile(Settings):
    """One file of config/robots."""

    name: str
    joints: AxisFile
    pose: AxisFile

    @model_validator(mode="after")
    def _axes(self) -> "RobotFile":
        if tuple(self.pose.names) != POSE_AXES:
            raise ValueError(f"expected the pose's axes {POSE_AXES}, got {self.pose.names}")
        return self


def robots_directory() -> Path:
    """Return the folder with one file of limits a robot."""
    return share_directory() / "config" / "robots"


def load_limits(robot: str) -> RobotLimits:
    """Return the limits of a robot by its name, or from the path of a YAML file.

    Raises:
        ConfigError: there is none, or its numbers do not fit.
    """
    path = (
        Path(robot) if robot.endswith((".yaml", ".yml")) else robots_directory() / f"{robot}.yaml"
    )
    if not path.is_file():
        known = sorted(file.stem for file in robots_directory().glob("*.yaml"))
        raise ConfigError(
            f"expected a robot ({', '.join(known)}) or the path of a YAML file with limits, "
            f"got '{robot}'"
        )
    try:
        file = RobotFile.model_validate(yaml.safe_load(path.read_text()))
    except yaml.YAMLError as error:
        raise ConfigError(f"expected limits in {path}, but it is not YAML: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"{path}:\n{explain(error)}") from error
    sources = {f"joints.{key}": text for key, text in file.joints.sources().items()}
    sources |= {f"pose.{key}": text for key, text in file.pose.sources().items()}
    return RobotLimits(
        name=file.name, joints=file.joints.limits(), pose=file.pose.limits(), sources=sources
    )
