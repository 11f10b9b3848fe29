"""What the arm is told to do in the next moments: references joined to a smooth motion.

A plan always ends at rest. It is what the trajectory controller carries out when
nothing else comes, so a driver that dies leaves an arm that brakes by itself.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.arms.kinova.link import Knot

Array = NDArray[np.float64]

SOONEST_S = 1e-3
"""Least time between two knots."""


def braking(knot: Knot, deceleration_rad_s2: float) -> list[Knot]:
    """Return knots after a given one that bring every joint to rest, each as soon as it can."""
    speeds = np.abs(knot.velocities)
    ends = sorted({float(end) for end in speeds / deceleration_rad_s2 if end > SOONEST_S})
    slower = -np.sign(knot.velocities) * deceleration_rad_s2
    out = []
    for after_s in ends:
        braked_s = np.minimum(after_s, speeds / deceleration_rad_s2)
        left = knot.velocities + slower * braked_s
        out.append(
            Knot(
                time_s=knot.time_s + after_s,
                positions=knot.positions + braked_s * 0.5 * (knot.velocities + left),
                velocities=np.where(np.abs(left) < 1e-9, 0.0, left),
            )
        )
    if not out:
        out.append(
            Knot(
                time_s=knot.time_s + SOONEST_S,
                positions=knot.positions,
                velocities=np.zeros_like(knot.velocities),
            )
        )
    last = out[-1]
    out[-1] = Knot(
        time_s=last.time_s, positions=last.positions, velocities=np.zeros_like(last.velocities)
    )
    return out


class Plan:
    """Knots in growing time, cubic in between, at rest after the last."""

    def __init__(self, knots: Sequence[Knot]) -> None:
        """Take at least one knot; the last one is at rest."""
        self.knots = tuple(knots)

    @property
    def end_s(self) -> float:
        """When it comes to rest [s]."""
        return self.knots[-1].time_s

    def at(self, time_s: float) -> Knot:
        """Return where it is at a time; before its first knot it stands there."""
        first, last = self.knots[0], self.knots[-1]
        if time_s <= first.time_s:
            return Knot(time_s=time_s, positions=first.positions, velocities=first.velocities)
        if time_s >= last.time_s:
            rest = np.zeros_like(last.velocities)
            return Knot(time_s=time_s, positions=last.positions, velocities=rest)
        after = next(i for i, knot in enumerate(self.knots) if knot.time_s > time_s)
        return between(self.knots[after - 1], self.knots[after], time_s)

    def followed_by(
        self, target: Knot, *, from_s: float, past_s: float, deceleration_rad_s2: float
    ) -> "Plan":
        """Return a plan that leaves this one for a target, and then brakes.

        Args:
            target: where to be, and how fast, at its time.
            from_s: until when this plan stays as it is; before the target's time.
            past_s: knots before this time are forgotten, all but one.
            deceleration_rad_s2: at the end.
        """
        kept = [knot for knot in self.knots if knot.time_s < from_s - SOONEST_S]
        while len(kept) > 1 and kept[1].time_s < past_s:
            kept.pop(0)
        knots = [*kept, self.at(from_s), target]
        return Plan([*knots, *braking(target, deceleration_rad_s2)])

    def stopped(self, *, from_s: float, deceleration_rad_s2: float) -> "Plan":
        """Return a plan that leaves this one at a time, and brakes from there."""
        kept = [knot for knot in self.knots if knot.time_s < from_s - SOONEST_S][-1:]
        here = self.at(from_s)
        return Plan([*kept, here, *braking(here, deceleration_rad_s2)])


def between(before: Knot, after: Knot, time_s: float) -> Knot:
    """Return the cubic between two knots at a time, as the trajectory controller has it."""
    length = after.time_s - before.time_s
    part = (time_s - before.time_s) / length
    way = after.positions - before.positions
    start, end = before.velocities * length, after.velocities * length
    second, third = 3.0 * way - 2.0 * start - end, start + end - 2.0 * way
    return Knot(
        time_s=time_s,
        positions=before.positions + part * (start + part * (second + part * third)),
        velocities=(start + part * (2.0 * second + part * 3.0 * third)) / length,
    )
