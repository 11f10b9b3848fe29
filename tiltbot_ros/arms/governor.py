"""The last word before an arm: a reference that never leaves its limits.

Each axis is taken by itself, so a box of positions stays a box. All functions
work on arrays of any leading shape, so that a test can run 100,000 arms at once
through the code that drives one.
"""

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.limits import AxisLimits

Array = NDArray[np.float64]


def approach_speed(distance: Array, deceleration: Array, dt_s: float) -> Array:
    """Return the greatest speed for the next step that still stops within a distance.

    The step itself covers speed * dt; what is left must suffice for
    speed^2 / (2 deceleration), which bounds the way of any later braking in steps
    from above. Solved for the speed; it tends to distance / dt near the end.

    Args:
        distance: (..., n) what is left, at least 0 [rad or m].
        deceleration: (n,) [rad/s2 or m/s2].
        dt_s: length of the step [s].
    """
    speed: Array = deceleration * (np.sqrt(dt_s * dt_s + 2.0 * distance / deceleration) - dt_s)
    return speed


def advance(
    position: Array,
    velocity: Array,
    target: Array,
    target_velocity: Array,
    *,
    limits: AxisLimits,
    dt_s: float,
) -> tuple[Array, Array]:
    """Return position and velocity after one step towards a target.

    A target that moves within the limits is met exactly, without lag. Any other
    is approached as fast as the limits let it be, and met without overshoot when
    it stands still. From a state that could brake before the ends of its range
    follows one that can, so the range is never left.

    Args:
        position: (..., n) now [rad or m].
        velocity: (..., n) of the last step [rad/s or m/s].
        target: (..., n) where the axis should be at the end of this step.
        target_velocity: (..., n) how fast the target moves.
        limits: of the n axes.
        dt_s: length of the step [s].
    """
    reach = limits.velocity
    lead = np.minimum(np.maximum(target_velocity, -reach), reach)
    error = np.minimum(np.maximum(target, limits.lower), limits.upper) - position - lead * dt_s
    # A moving target may itself be braking: half of the acceleration is left for that.
    pull = np.where(lead == 0.0, limits.acceleration, 0.5 * limits.acceleration)
    wanted = lead + np.copysign(approach_speed(np.abs(error), pull, dt_s), error)
    up = approach_speed(np.maximum(limits.upper - position, 0.0), limits.braking, dt_s)
    down = approach_speed(np.maximum(position - limits.lower, 0.0), limits.braking, dt_s)
    wanted = np.minimum(np.maximum(wanted, -np.minimum(down, reach)), np.minimum(up, reach))
    return _step(position, velocity, wanted, limits=limits, dt_s=dt_s)


def brake(
    position: Array, velocity: Array, *, limits: AxisLimits, dt_s: float
) -> tuple[Array, Array]:
    """Return position and velocity after one step of stopping as fast as allowed."""
    return _step(position, velocity, np.zeros_like(velocity), limits=limits, dt_s=dt_s)


def _step(
    position: Array, velocity: Array, wanted: Array, *, limits: AxisLimits, dt_s: float
) -> tuple[Array, Array]:
    change = limits.acceleration * dt_s
    velocity = np.minimum(np.maximum(wanted, velocity - change), velocity + change)
    moved = position + velocity * dt_s
    # Only rounding is left to cut off; an arm that starts outside may stay there.
    low, high = np.minimum(limits.lower, position), np.maximum(limits.upper, position)
    return np.minimum(np.maximum(moved, low), high), velocity


class Governor:
    """A reference with memory: steps at a fixed rate, smooth to the jerk.

    Jerk is bounded by a moving average over the stepped positions: an average of
    allowed positions, speeds and accelerations is allowed itself, and over m
    steps its jerk is at most 2 * acceleration / (m * dt) (Biagiotti and Melchiorri,
    "FIR filters for online trajectory planning", Control Engineering Practice 20,
    2012). It delays the reference by (m - 1) / 2 steps.
    """

    def __init__(self, limits: AxisLimits, *, rate_hz: float) -> None:
        """Make one that has to be placed with `reset` before it steps."""
        self.limits = limits
        self.dt_s = 1.0 / rate_hz
        needed = 2.0 * limits.acceleration / (limits.jerk * self.dt_s)
        self.window = max(1, int(np.ceil(np.max(needed) - 1e-9)))
        self._position: Array = np.zeros(0)
        self._velocity: Array = np.zeros(0)
        self._past: list[Array] = []
        self._next = 0
        self.reference: Array = np.zeros(0)
        self.reference_velocity: Array = np.zeros(0)

    def reset(self, position: Array) -> None:
        """Stand still at a measured position (..., n) [rad or m]."""
        self._position = np.array(position, dtype=np.float64)
        self._velocity = np.zeros_like(self._position)
        self._past = [self._position] * self.window
        self._next = 0
        self.reference = self._position
        self.reference_velocity = self._velocity

    @property
    def still(self) -> bool:
        """Whether the reference stands."""
        return not self._velocity.any() and not self.reference_velocity.any()

    def step(self, target: Array, target_velocity: Array) -> Array:
        """Go one step towards a target; return the reference (..., n)."""
        moved, velocity = advance(
            self._position,
            self._velocity,
            target,
            target_velocity,
            limits=self.limits,
            dt_s=self.dt_s,
        )
        return self._keep(moved, velocity)

    def brake(self) -> Array:
        """Go one step of a stop; return the reference (..., n)."""
        return self._keep(
            *brake(self._position, self._velocity, limits=self.limits, dt_s=self.dt_s)
        )

    def _keep(self, position: Array, velocity: Array) -> Array:
        self._position, self._velocity = position, velocity
        if self.window == 1:
            self.reference, self.reference_velocity = position, velocity
            return position
        self._past[self._next] = position
        self._next = (self._next + 1) % self.window
        # Summed anew, since a running sum would gather rounding over days.
        reference: Array = sum(self._past[1:], self._past[0]) / self.window
        self.reference_velocity = (reference - self.reference) / self.dt_s
        self.reference = reference
        return reference
