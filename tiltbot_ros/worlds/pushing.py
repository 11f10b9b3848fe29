"""Pushes: where they begin and end, and how the stick travels between."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from tiltbot_ros.errors import WorldError
from tiltbot_ros.settings import Settings

_TRIES = 200


class PushSettings(Settings):
    """How pushes are drawn and carried out."""

    placement_radius_m: float = Field(
        0.12, ge=0.0, le=0.3, description="objects are placed in a disc of this radius [m]"
    )
    clearance_min_m: float = Field(
        0.02, ge=0.0, le=0.2, description="least gap between stick and object at the start [m]"
    )
    clearance_max_m: float = Field(
        0.05, ge=0.0, le=0.2, description="largest gap between stick and object at the start [m]"
    )
    travel_min_m: float = Field(
        0.0, ge=-0.1, le=0.3, description="least way beyond the point aimed at [m]"
    )
    travel_max_m: float = Field(
        0.10, ge=-0.1, le=0.3, description="longest way beyond the point aimed at [m]"
    )
    speed_m_s: float = Field(
        0.40, gt=0.0, le=2.0, description="the stick's speed, never exceeded [m/s]"
    )
    acceleration_m_s2: float = Field(
        5.0, gt=0.0, le=50.0, description="of the stick at both ends of its path [m/s^2]"
    )
    settle_s: float = Field(
        0.15, ge=0.0, le=5.0, description="from placing the object to the first picture [s]"
    )
    rest_speed_m_s: float = Field(
        0.002, gt=0.0, le=0.1, description="an object slower than this, for 0.1 s, rests [m/s]"
    )
    longest_rest_s: float = Field(
        4.0, gt=0.0, le=60.0, description="how long an object may take to come to rest [s]"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "PushSettings":
        if self.clearance_min_m > self.clearance_max_m or self.travel_min_m > self.travel_max_m:
            raise ValueError(
                "expected least not above largest, got clearance "
                f"{self.clearance_min_m:g} .. {self.clearance_max_m:g} and travel "
                f"{self.travel_min_m:g} .. {self.travel_max_m:g}"
            )
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """The action of a push.

    Attributes:
        start, end: (2,) float64, where the stick's axis meets the table [m].
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]


class StraightPath:
    """A straight line, with bounded speed and acceleration: a trapezoid of speed.

    Args:
        push: start and end.
        speed_m_s: never exceeded.
        acceleration_m_s2: at both ends.

    Attributes:
        duration_s: from start to end.
    """

    def __init__(self, push: Push, *, speed_m_s: float, acceleration_m_s2: float) -> None:
        way = push.end - push.start
        self._start = push.start
        self._length = float(np.hypot(*way))
        self._direction = way / self._length if self._length > 0.0 else np.zeros(2)
        # A path too short to reach its speed is a triangle of speed.
        self._speed = min(speed_m_s, math.sqrt(self._length * acceleration_m_s2))
        self._acceleration = acceleration_m_s2
        self._ramp_s = self._speed / acceleration_m_s2
        cruise = self._length - self._speed * self._ramp_s
        self._cruise_s = cruise / self._speed if self._speed > 0.0 else 0.0
        self.duration_s = 2 * self._ramp_s + self._cruise_s

    def at(self, time_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return position [m] and velocity [m/s], (2,) each; before and after it stands still."""
        time_s = min(max(time_s, 0.0), self.duration_s)
        left_s = self.duration_s - time_s
        if time_s < self._ramp_s:
            speed = self._acceleration * time_s
            along = speed * time_s / 2
        elif left_s < self._ramp_s:
            speed = self._acceleration * left_s
            along = self._length - speed * left_s / 2
        else:
            speed = self._speed
            along = self._speed * (time_s - self._ramp_s / 2)
        return self._start + along * self._direction, speed * self._direction


def draw_push(
    rng: np.random.Generator,
    surface: NDArray[np.float64],
    settings: PushSettings,
    *,
    stick_radius_m: float,
    half_side_m: float,
) -> Push:
    """Draw a push whose line passes through the object, as in the paper (section IV G).

    The line goes in a uniformly drawn direction through a drawn point of the
    object's visible surface. It begins behind all of the object and ends a
    drawn way beyond that point.

    Args:
        rng: randomness.
        surface: (n, 2) points of the object as seen from above, n > 0 [m].
        settings: ranges.
        stick_radius_m: of the stick [m].
        half_side_m: start and end lie in the square of this half side [m].

    Raises:
        WorldError: no drawn push fits into the square.
    """
    for _ in range(_TRIES):
        aim = surface[rng.integers(len(surface))]
        angle = rng.uniform(0.0, 2 * math.pi)
        clearance = rng.uniform(settings.clearance_min_m, settings.clearance_max_m)
        travel = rng.uniform(settings.travel_min_m, settings.travel_max_m)
        direction = np.array([math.cos(angle), math.sin(angle)])
        behind = float(((surface - aim) @ direction).min())
        start = aim + (behind - stick_radius_m - clearance) * direction
        end = aim + travel * direction
        if max(np.abs(start).max(), np.abs(end).max()) <= half_side_m:
            return Push(start=start, end=end)
    raise WorldError(
        f"expected a push inside +-{half_side_m:g} m of an object at "
        f"{np.array2string(surface.mean(axis=0), precision=3)}, none of {_TRIES} fits: use a "
        f"smaller placement_radius_m or shorter pushes"
    )
