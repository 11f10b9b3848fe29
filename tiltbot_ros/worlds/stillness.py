"""Whether a world stands still, so that its physics need not be computed."""

import numpy as np
from numpy.typing import NDArray

from tiltbot_ros.worlds.servo import Pair

CHECK_STEPS = 10
"""A state is looked at every so many steps, counted from the world's beginning."""

_CHECKS = 5
_TRAY_RAD_S = 2e-4
_SPEED_M_S = 5e-4
_SPIN_RAD_S = 1e-2


class Stillness:
    """Finds when nothing moves any more: static friction, which soft contacts do not have.

    A world is still when, at five looks over about 50 ms in which the servos'
    input stayed the same, the tray turned slower than 0.2 mrad/s and the
    object moved slower than 0.5 mm/s and 10 mrad/s; what really slides gets
    ten times faster than that in this time. It moves again with the servos'
    next input.
    """

    def __init__(self) -> None:
        self._aim: Pair | None = None
        self._quiet = 0

    @property
    def still(self) -> bool:
        """Whether nothing moves until the input changes."""
        return self._quiet >= _CHECKS

    def hold(self, aim: Pair) -> bool:
        """Take the servos' input of the next step; return whether it can be left out."""
        if aim != self._aim:
            self._aim = aim
            self._quiet = 0
        return self._quiet >= _CHECKS

    def look(self, qvel: NDArray[np.float64]) -> None:
        """Look at the state after a step.

        Args:
            qvel: (2,) hinge rates [rad/s], then the object's (3,) velocity [m/s] and (3,)
                spin [rad/s] where there is one.
        """
        speeds = np.abs(qvel)
        quiet = (
            speeds[:2].max() < _TRAY_RAD_S
            and speeds[2:5].max(initial=0.0) < _SPEED_M_S
            and speeds[5:].max(initial=0.0) < _SPIN_RAD_S
        )
        self._quiet = self._quiet + 1 if quiet else 0
