"""Angles of joints that turn without end."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def nearest_turn(angles: Array, near: Array) -> Array:
    """Return the same directions as `angles` (n,), less than half a turn from `near` (n,) [rad].

    Joint states of ros2_kortex are within one turn (-pi, pi]; followed from reading to
    reading they tell how far a joint has turned.
    """
    apart = (angles - near + np.pi) % (2.0 * np.pi) - np.pi
    turned: Array = near + apart
    return turned
